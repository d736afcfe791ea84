"""Names and labels are taken up to their limits."""

import pytest

from sandbox.kubernetes.kinds import find_kind
from sandbox.kubernetes.names import check_metadata, check_name
from sandbox.provider.wire import UNKNOWN

NAMESPACE = find_kind("v1", "Namespace")
QUEUE = find_kind("kueue.x-k8s.io/v1beta2", "ClusterQueue")
ROLE = find_kind("rbac.authorization.k8s.io/v1", "Role")
CRON_JOB = find_kind("batch/v1", "CronJob")


@pytest.mark.parametrize(
    ("kind", "name", "is_sound"),
    [
        (NAMESPACE, "a" * 63, True),
        (NAMESPACE, "a" * 64, False),
        (NAMESPACE, "a.b", False),
        (NAMESPACE, "-a", False),
        (NAMESPACE, "", False),
        (QUEUE, "a.b", True),
        (QUEUE, "A", False),
        (QUEUE, "a" * 253, True),
        (QUEUE, "a" * 254, False),
        (ROLE, "system:Node_1", True),
        (ROLE, "a/b", False),
        (CRON_JOB, "a" * 52, True),
        (CRON_JOB, "a" * 53, False),
    ],
)
def test_a_name_is_taken_where_its_kind_allows_it(kind, name, is_sound):
    assert (not list(check_name(kind, name))) is is_sound


@pytest.mark.parametrize(
    ("labels", "paths"),
    [
        ({"acme.example/team": "Ads_ML.1"}, []),
        ({"a" * 63: ""}, []),
        ({"a" * 64: ""}, ["metadata.labels"]),
        ({"a b": "x"}, ["metadata.labels"]),
        ({"Acme/x": "x"}, ["metadata.labels"]),
        ({"team": "a b"}, ['metadata.labels["team"]']),
        ({"team": "a" * 64}, ['metadata.labels["team"]']),
        ({"team": UNKNOWN}, []),
        (UNKNOWN, []),
    ],
)
def test_labels_have_the_syntax_of_labels(labels, paths):
    assert [path for path, _ in check_metadata(QUEUE, {"name": "x", "labels": labels})] == paths


def test_annotations_hold_any_text_under_a_qualified_name():
    assert list(check_metadata(QUEUE, {"annotations": {"pulumi.com/skipAwait": "any text, at all"}})) == []
    found = list(check_metadata(QUEUE, {"annotations": {"a b": "x", "big": "x" * 262144}}))
    assert [path for path, _ in found] == ["metadata.annotations", "metadata.annotations"]
