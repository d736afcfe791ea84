"""The record as somebody beside Pulumi sees and changes it."""

import pytest

from sandbox.kubernetes.listing import RecordError, drift, list_objects, remove
from sandbox.kubernetes.store import RecordedObject


def put(store, cluster="here", name="team"):
    store.put(RecordedObject(cluster, "v1", "Namespace", "", name, {"metadata": {"name": name}}))


def test_objects_and_releases_are_listed_by_cluster(store, cloud, kueue):
    put(store)
    put(store, "there", "other")
    assert [(each.type, each.id) for each in list_objects(cloud, "here")] == [
        ("helm.sh/v3/Release", "kueue-system/kueue"),
        ("v1/Namespace", "team"),
    ]
    assert {each.cluster for each in list_objects(cloud)} == {"here", "there"}


def test_without_a_record_there_is_nothing_and_none_is_made(tmp_path):
    assert list_objects(tmp_path / "cloud.sqlite") == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_or_in_several_clusters_is_not_changed(store, cloud):
    with pytest.raises(RecordError, match="no Namespace team"):
        remove(cloud, "Namespace", "team")
    put(store)
    put(store, "there")
    with pytest.raises(RecordError, match="in 2 clusters"):
        drift(cloud, "Namespace", "team", "metadata.labels.a", "b")
