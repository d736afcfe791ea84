"""Drift shows in the inputs that a refresh gives back."""

from sandbox.google.facts import load_facts
from sandbox.google.refresh import project_inputs
from sandbox.google.schema import load_resource_type


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
