"""A cluster without a cluster behaves as an API server does."""

import pytest

from sandbox.kubernetes.cluster import Application, Place
from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.listing import drift, list_objects, remove
from sandbox.kubernetes.recorded import Identity, RecordedCluster
from tests.sandbox.kubernetes.conftest import manifest, place

MINE = Application("mine")
TRIAL = Application("mine", dry_run=True)
KUEUE = "kueue.x-k8s.io/v1beta2"


def make(cluster, api_version, kind, name, namespace="", **parts):
    what = manifest(api_version, kind, name, namespace, **parts)
    return cluster.create(place(api_version, kind, name, namespace), what, MINE)


def refusal(call, *arguments, **parts):
    with pytest.raises(ApiError) as error:
        call(*arguments, **parts)
    return error.value.code, error.value.reason, str(error.value)


def test_what_was_made_reads_back_with_what_the_server_adds(cluster):
    made = make(cluster, "v1", "Namespace", "team")
    assert cluster.read(place("v1", "Namespace", "team")) == made
    assert made["status"] == {"phase": "Active"}
    assert {"uid", "resourceVersion", "generation", "creationTimestamp"} <= made["metadata"].keys()


def test_a_name_that_is_taken_answers_409(cluster):
    make(cluster, "v1", "Namespace", "team")
    found = refusal(make, cluster, "v1", "Namespace", "team")
    assert found == (409, "AlreadyExists", 'namespaces "team" already exists')


def test_a_namespace_of_every_cluster_is_there_and_taken(cluster):
    assert make(cluster, "v1", "ConfigMap", "c", "default")["metadata"]["namespace"] == "default"
    assert refusal(make, cluster, "v1", "Namespace", "kube-system")[0] == 409
    given = cluster.read(place("v1", "Namespace", "kube-system"))
    assert given == cluster.read(place("v1", "Namespace", "kube-system"))


def test_a_namespace_that_is_not_there_answers_404(cluster):
    found = refusal(make, cluster, "v1", "ConfigMap", "c", "team")
    assert found == (404, "NotFound", 'namespaces "team" not found')


def test_what_is_not_sound_answers_422_with_every_reason(cluster):
    code, reason, text = refusal(
        make, cluster, "v1", "ResourceQuota", "q", "default", spec={"hrad": {"cpu": "1x"}}
    )
    assert (code, reason) == (422, "Invalid")
    assert text == 'ResourceQuota "q" is invalid: spec.hrad: unknown field; did you mean hard?'


def test_on_trial_nothing_is_recorded(cluster):
    what = manifest("v1", "Namespace", "team")
    assert cluster.create(place("v1", "Namespace", "team"), what, TRIAL)["metadata"]["name"] == "team"
    assert refusal(cluster.read, place("v1", "Namespace", "team"))[0] == 404


def test_an_apply_changes_adds_and_takes_away_what_was_applied_and_keeps_the_rest(cluster, cloud):
    where = place("v1", "ConfigMap", "c", "default")
    make(cluster, "v1", "ConfigMap", "c", "default", data={"a": "1", "b": "2"})
    drift(cloud, "ConfigMap", "default/c", "data.hand", "made")
    changed = cluster.apply(
        where, manifest("v1", "ConfigMap", "c", "default", data={"b": "3", "d": "4"}), MINE
    )
    assert changed["data"] == {"b": "3", "d": "4", "hand": "made"}


def test_the_generation_moves_with_the_spec_alone(cluster):
    where = place("v1", "ResourceQuota", "q", "default")
    made = make(cluster, "v1", "ResourceQuota", "q", "default", spec={"hard": {"cpu": "1"}})
    labelled = manifest("v1", "ResourceQuota", "q", "default", spec={"hard": {"cpu": "1"}})
    labelled["metadata"]["labels"] = {"a": "b"}
    assert (
        cluster.apply(where, labelled, MINE)["metadata"]["generation"] == made["metadata"]["generation"] == 1
    )
    spec = {"hard": {"cpu": "2"}}
    changed = cluster.apply(where, manifest("v1", "ResourceQuota", "q", "default", spec=spec), MINE)
    assert changed["metadata"]["generation"] == 2
    assert changed["status"]["hard"] == {"cpu": "2"}


def test_a_field_that_somebody_set_by_hand_is_a_conflict_unless_taken_by_force(cluster, cloud):
    where = place("v1", "ResourceQuota", "q", "default")
    what = manifest("v1", "ResourceQuota", "q", "default", spec={"hard": {"cpu": "1"}})
    cluster.create(where, what, MINE)
    drift(cloud, "ResourceQuota", "default/q", "spec.hard.cpu", "9")
    code, reason, text = refusal(cluster.apply, where, what, MINE)
    assert (code, reason) == (409, "Conflict")
    assert text == 'Apply failed with 1 conflict: conflict with "kubectl-edit" using v1: .spec.hard.cpu'
    assert cluster.apply(where, what, Application("mine", force=True))["spec"] == what["spec"]
    assert cluster.apply(where, what, MINE)["spec"] == what["spec"]


def test_an_immutable_field_of_a_schema_cannot_be_changed(cluster, kueue):
    where = place(KUEUE, "LocalQueue", "l", "default")
    cluster.create(where, manifest(KUEUE, "LocalQueue", "l", "default", spec={"clusterQueue": "a"}), MINE)
    other = manifest(KUEUE, "LocalQueue", "l", "default", spec={"clusterQueue": "b"})
    code, _, text = refusal(cluster.apply, where, other, MINE)
    assert code == 422
    assert (
        text
        == 'LocalQueue.kueue.x-k8s.io "l" is invalid: spec.clusterQueue: Invalid value: field is immutable'
    )


def test_kueues_kinds_are_served_while_its_release_is_there(cluster, store, kueue):
    assert cluster.find_kind(KUEUE, "ClusterQueue")
    store.remove_release(kueue)
    assert cluster.find_kind(KUEUE, "ClusterQueue") is None


def test_kueues_webhook_rewrites_the_quantities_of_a_queue(cluster, kueue):
    """Seen on the real one: a number comes back as text, so a program that gives numbers changes for ever."""
    resources = [{"name": "cpu", "nominalQuota": 4}]
    groups = [{"coveredResources": ["cpu"], "flavors": [{"name": "f", "resources": resources}]}]
    made = make(cluster, KUEUE, "ClusterQueue", "q", spec={"resourceGroups": groups})
    assert made["spec"]["resourceGroups"][0]["flavors"][0]["resources"] == [
        {"name": "cpu", "nominalQuota": "4"}
    ]
    assert made["spec"]["queueingStrategy"] == "BestEffortFIFO"


def test_a_definition_makes_its_kind_served_and_takes_its_objects_along(cluster):
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"}
    spec = {"group": "acme.example", "scope": "Cluster", "names": names, "versions": [version]}
    api_version = "apiextensions.k8s.io/v1"
    assert cluster.find_kind("acme.example/v1", "Thing") is None
    make(cluster, api_version, "CustomResourceDefinition", "things.acme.example", spec=spec)
    kind = cluster.find_kind("acme.example/v1", "Thing")
    thing = Place(kind, "", "one")
    cluster.create(thing, manifest("acme.example/v1", "Thing", "one", any={"thing": 1}), MINE)
    cluster.delete(place(api_version, "CustomResourceDefinition", "things.acme.example"), "Foreground")
    assert cluster.store.objects() == []


def test_a_namespace_takes_along_what_is_in_it(cluster, cloud):
    make(cluster, "v1", "Namespace", "team")
    make(cluster, "v1", "ConfigMap", "c", "team")
    make(cluster, "v1", "ConfigMap", "c", "default")
    cluster.delete(place("v1", "Namespace", "team"), "Foreground")
    assert [item.id for item in list_objects(cloud)] == ["default/c"]


def test_what_somebody_deleted_by_hand_is_not_found(cluster, cloud):
    make(cluster, "v1", "Namespace", "team")
    remove(cloud, "Namespace", "team")
    assert refusal(cluster.read, place("v1", "Namespace", "team"))[0] == 404


def test_clusters_of_one_store_do_not_see_each_other(cluster, store):
    make(cluster, "v1", "Namespace", "team")
    other = RecordedCluster(store, Identity("there"))
    assert make(other, "v1", "Namespace", "team")["metadata"]["name"] == "team"
