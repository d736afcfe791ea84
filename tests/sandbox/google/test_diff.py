"""Differences are those that the official provider would show."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.google.check import DEFAULTS_KEY
from sandbox.google.diff import Difference, diff_inputs, diff_labels
from sandbox.google.facts import load_facts
from sandbox.google.schema import load_resource_type
from sandbox.provider.wire import UNKNOWN, Secret

POOL = "gcp:container/nodePool:NodePool"
BASE = {
    "cluster": "dev",
    "name": "l4",
    "autoscaling": {"maxNodeCount": 3},
    "nodeLocations": ["us-central1-a", "us-central1-b"],
    "nodeConfig": {
        "machineType": "g2-standard-4",
        "labels": {"pool": "l4"},
        "oauthScopes": ["cloud-platform"],
        "taints": [{"key": "a", "value": "b", "effect": "NO_SCHEDULE"}],
        "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
    },
}


def diff(news: dict, olds: dict | None = None, token: str = POOL) -> Difference:
    return diff_inputs(load_resource_type(token), load_facts(token), BASE if olds is None else olds, news)


def node(**changes: Any) -> dict:
    return BASE | {"nodeConfig": BASE["nodeConfig"] | changes}


def changes(difference: Difference) -> set[tuple[str, str, bool]]:
    return {(change.path, change.kind, change.replaces) for change in difference.changes}


def test_equal_inputs_have_no_difference() -> None:
    assert diff(dict(BASE)).changes == ()


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        (BASE | {"autoscaling": {"maxNodeCount": 5}}, {("autoscaling.maxNodeCount", "UPDATE", False)}),
        (BASE | {"name": "l4-b"}, {("name", "UPDATE", True)}),
        (BASE | {"cluster": "prod"}, {("cluster", "UPDATE", True)}),
        (node(spot=True), {("nodeConfig.spot", "ADD", True)}),
        (node(labels={"pool": "b"}), {("nodeConfig.labels.pool", "UPDATE", False)}),
        (
            node(guestAccelerators=[{"type": "nvidia-l4", "count": 2}]),
            {("nodeConfig.guestAccelerators[0].count", "UPDATE", True)},
        ),
        (node(guestAccelerators=[]), {("nodeConfig.guestAccelerators[0]", "DELETE", True)}),
        (node(taints=[]), {("nodeConfig.taints[0]", "DELETE", False)}),
        (node(tags=["ssh"]), {("nodeConfig.tags", "ADD", False)}),
        (BASE | {"queuedProvisioning": {"enabled": True}}, {("queuedProvisioning", "ADD", True)}),
        (BASE | {"nodeLocations": ["us-central1-a"]}, {("nodeLocations[1]", "DELETE", False)}),
    ],
)
def test_a_change_is_shown_where_it_is_and_replaces_only_what_is_immutable(news: dict, expected: set) -> None:
    assert changes(diff(news)) == expected


def test_a_set_has_no_order() -> None:
    assert diff(BASE | {"nodeLocations": ["us-central1-b", "us-central1-a"]}).changes == ()


def test_a_list_has_an_order() -> None:
    old = node(tags=["a", "b"])

    assert changes(diff(node(tags=["b", "a"]), old)) == {
        ("nodeConfig.tags[0]", "UPDATE", False),
        ("nodeConfig.tags[1]", "UPDATE", False),
    }


def test_a_removed_value_that_google_computes_is_no_change() -> None:
    without = {key: value for key, value in BASE.items() if key != "nodeLocations"}

    assert diff(without).changes == ()
    assert diff(node(machineType=None)).changes == ()


def test_a_removed_value_that_google_does_not_compute_is_a_change() -> None:
    without = {key: value for key, value in BASE.items() if key != "autoscaling"}

    assert changes(diff(without)) == {("autoscaling", "DELETE", False)}


def test_the_providers_default_equals_an_absent_value() -> None:
    subnetwork = {"network": "n", "ipCidrRange": "10.0.0.0/20", "logConfig": {"flowSampling": 0.5}}
    spelled = subnetwork | {"logConfig": {"flowSampling": 0.5, "aggregationInterval": "INTERVAL_5_SEC"}}

    assert diff(spelled, subnetwork, "gcp:compute/subnetwork:Subnetwork").changes == ()


def test_an_empty_value_is_a_change_where_the_providers_default_is_another() -> None:
    cluster = {"name": "dev", "location": "us-central1"}
    unprotected = cluster | {"deletionProtection": False}

    for olds, news in ((cluster, unprotected), (unprotected, cluster)):
        found = diff(news, olds, "gcp:container/cluster:Cluster")
        assert changes(found) == {("deletionProtection", "UPDATE", False)}


def test_an_empty_value_equals_an_absent_one() -> None:
    assert diff(node(tags=[], spot=False, resourceLabels={})).changes == ()


def test_an_unknown_value_is_a_change_and_replaces_where_it_may_be_a_new_one() -> None:
    assert changes(diff(node(serviceAccount=UNKNOWN), node(serviceAccount="a@b"))) == {
        ("nodeConfig.serviceAccount", "UPDATE", True)
    }


def test_a_secret_mark_is_no_change() -> None:
    assert diff(BASE | {"cluster": Secret("dev")}).changes == ()


def test_a_given_name_deletes_before_it_replaces_be_it_changed_or_not() -> None:
    """As nameRequiresDeleteBeforeReplace of the official bridge has it."""
    given = BASE | {DEFAULTS_KEY: []}

    assert diff(node(spot=True) | {DEFAULTS_KEY: []}, given).delete_before_replace
    assert diff(given | {"name": "l4-b"}, given).delete_before_replace


def test_an_automatic_name_creates_before_it_deletes() -> None:
    made = {DEFAULTS_KEY: ["name"]}

    assert not diff(node(spot=True) | made, BASE | made).delete_before_replace


def test_nothing_is_deleted_first_without_a_replacement() -> None:
    assert not diff(BASE | {"autoscaling": {"maxNodeCount": 5}, DEFAULTS_KEY: []}).delete_before_replace


def test_a_binding_in_a_project_deletes_before_it_replaces() -> None:
    old = {"project": "acme-dev", "role": "roles/viewer", "member": "user:a@acme.example"}
    found = diff(old | {"role": "roles/editor"}, old, "gcp:projects/iAMMember:IAMMember")

    assert (found.replaces, found.delete_before_replace) == (("role",), True)


def test_a_map_of_metadata_is_immutable_key_by_key() -> None:
    assert changes(diff(node(metadata={"a": "2"}), node(metadata={"a": "1"}))) == {
        ("nodeConfig.metadata.a", "UPDATE", True)
    }


def test_new_default_labels_are_an_update_of_the_merged_labels() -> None:
    assert [change.path for change in diff_labels({"a": "1"}, {"a": "2"})] == ["pulumiLabels"]
    assert diff_labels({"a": "1"}, {"a": "1"}) == ()
    assert diff_labels(None, {"a": "1"}) == ()


@given(st.permutations(["a", "b", "c", "d"]), st.integers(0, 3))
def test_a_set_differs_by_exactly_what_was_taken_out(order: list[str], kept: int) -> None:
    old = BASE | {"nodeLocations": ["a", "b", "c", "d"]}
    news = BASE | {"nodeLocations": order[: kept + 1]}

    assert len(diff(news, old).changes) == 3 - kept
