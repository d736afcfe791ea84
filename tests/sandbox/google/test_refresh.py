"""Drift shows in the inputs that a refresh gives back."""

from typing import Any

import pytest

from sandbox.google.facts import load_facts, load_table
from sandbox.google.refresh import project_inputs
from sandbox.google.schema import load_resource_type
from tests.sandbox.google.conftest import Engine

CLUSTER = "gcp:container/cluster:Cluster"


def test_drift_of_a_given_property_shows_in_the_projected_inputs() -> None:
    token = "gcp:container/nodePool:NodePool"
    olds = {"cluster": "dev", "autoscaling": {"maxNodeCount": 3}, "__defaults": []}
    live = {
        "cluster": "dev",
        "autoscaling": {"maxNodeCount": 9, "totalMaxNodeCount": 0},
        "maxPodsPerNode": 110,
    }

    projected = project_inputs(load_resource_type(token), load_facts(token), olds, live)
    assert projected == {"cluster": "dev", "autoscaling": {"maxNodeCount": 9}, "__defaults": []}


def test_a_property_that_somebody_set_behind_pulumis_back_shows_too() -> None:
    token = "gcp:compute/firewall:Firewall"
    olds = {"network": "vpc", "allows": [{"protocol": "tcp"}]}

    projected = project_inputs(load_resource_type(token), load_facts(token), olds, olds | {"disabled": True})
    assert projected["disabled"] is True


def changes_after_an_import(engine: Engine, token: str, given: dict[str, Any]) -> dict[str, bool]:
    """Path of each change that the next preview shows, and whether it replaces."""
    inputs, failures = engine.check(token, given)
    assert failures == {}
    identity, _ = engine.create(token, inputs)
    _, state, imported = engine.read(token, identity)
    answer = engine.diff(token, state, imported, inputs)
    return {path: path in answer.replaces for path in answer.detailedDiff}


@pytest.mark.parametrize("protected", [True, False])
def test_an_import_of_a_cluster_shows_labels_and_the_providers_own_switches_and_nothing_that_google_made(
    engine: Engine, protected: bool
) -> None:
    given = {
        "name": "ml",
        "location": "us-central1",
        "removeDefaultNodePool": True,
        "initialNodeCount": 1,
        "deletionProtection": protected,
        "resourceLabels": {"environment": "dev"},
        "masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}},
        "privateClusterConfig": {"enablePrivateNodes": True},
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
    }

    switches = {"removeDefaultNodePool"} if protected else {"removeDefaultNodePool", "deletionProtection"}
    changes = changes_after_an_import(engine, CLUSTER, given)
    assert {path.split(".")[0] for path in changes} == {"resourceLabels", "pulumiLabels"} | switches
    assert not any(changes.values())


def test_an_import_of_what_has_neither_labels_nor_switches_shows_nothing(engine: Engine) -> None:
    pool = {"cluster": "dev", "name": "l4", "nodeConfig": {"machineType": "g2-standard-4"}}

    assert changes_after_an_import(engine, "gcp:container/nodePool:NodePool", pool) == {}
    assert changes_after_an_import(engine, "gcp:compute/network:Network", {"name": "vpc"}) == {}


def test_every_type_with_switches_of_the_providers_own_has_them() -> None:
    for token, row in load_table("imports").items():
        assert set(row["set"]) <= set(load_resource_type(token).inputs)
