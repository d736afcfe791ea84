"""What Google or its provider would refuse is refused, with the path and the way out."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.google.check import DEFAULTS_KEY, Naming, auto_name, check_inputs, fill_inputs
from sandbox.google.facts import load_facts
from sandbox.google.schema import load_resource_type
from sandbox.provider.wire import UNKNOWN, Secret

POOL = "gcp:container/nodePool:NodePool"
NETWORK = "gcp:compute/network:Network"
L4 = {"type": "nvidia-l4", "count": 1}


def failures(token: str, **inputs: Any) -> dict[str, str]:
    found = check_inputs(load_resource_type(token), load_facts(token), inputs)
    return {failure.path: failure.reason for failure in found}


def fill(token: str, news: dict, olds: dict | None = None, seed: bytes = b"seed") -> dict:
    return fill_inputs(load_resource_type(token), load_facts(token), olds or {}, news, "Thing", seed)


def test_a_plain_pool_is_accepted() -> None:
    assert failures(POOL, cluster="dev", nodeConfig={"machineType": "g2-standard-4"}) == {}


def test_an_unknown_property_is_refused_with_the_nearest_name() -> None:
    found = failures(POOL, cluster="dev", nodeConfig={"machinetype": "g2-standard-4"})

    assert found == {
        "nodeConfig.machinetype": "unexpected property 'machinetype'; did you mean 'machineType'?"
    }


def test_a_missing_required_property_is_refused_at_any_depth() -> None:
    found = failures(POOL, nodeConfig={"guestAccelerators": [{"type": "nvidia-l4"}]})

    assert set(found) == {"cluster", "nodeConfig.guestAccelerators[0].count"}
    assert found["cluster"] == "missing required property 'cluster'"


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"cluster": 7}, "cluster", "expected string, got number"),
        ({"cluster": "dev", "initialNodeCount": "1"}, "initialNodeCount", "expected int, got string"),
        ({"cluster": "dev", "initialNodeCount": 1.5}, "initialNodeCount", "expected int, got number"),
        ({"cluster": "dev", "initialNodeCount": True}, "initialNodeCount", "expected int, got bool"),
        ({"cluster": "dev", "nodeLocations": "us-central1-a"}, "nodeLocations", "expected list, got string"),
        ({"cluster": "dev", "nodeConfig": [1]}, "nodeConfig", "expected object, got list"),
        ({"cluster": "dev", "nodeConfig": {"spot": "true"}}, "nodeConfig.spot", "expected bool, got string"),
        (
            {"cluster": "dev", "nodeConfig": {"labels": {"team": 1}}},
            'nodeConfig.labels["team"]',
            "expected string, got number",
        ),
    ],
)
def test_a_wrong_kind_is_refused(inputs: dict, path: str, reason: str) -> None:
    assert failures(POOL, **inputs) == {path: reason}


def test_a_number_for_a_string_that_looks_like_one_is_refused() -> None:
    found = failures(
        "gcp:cloudquota/sQuotaPreference:SQuotaPreference",
        quotaConfig={"preferredValue": 8},
        contactEmail="a@acme.example",
    )

    assert found == {"quotaConfig.preferredValue": "expected string, got number"}


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"autoscaling": {"locationPolicy": "any"}}, "autoscaling.locationPolicy"),
        ({"upgradeSettings": {"strategy": "BLUEGREEN"}}, "upgradeSettings.strategy"),
        ({"placementPolicy": {"type": "SPREAD"}}, "placementPolicy.type"),
        (
            {"nodeConfig": {"workloadMetadataConfig": {"mode": "GKE"}}},
            "nodeConfig.workloadMetadataConfig.mode",
        ),
        (
            {"nodeConfig": {"taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}]}},
            "nodeConfig.taints[0].effect",
        ),
        (
            {
                "nodeConfig": {
                    "guestAccelerators": [
                        L4
                        | {
                            "gpuSharingConfig": {
                                "gpuSharingStrategy": "time-sharing",
                                "maxSharedClientsPerGpu": 2,
                            }
                        }
                    ]
                }
            },
            "nodeConfig.guestAccelerators[0].gpuSharingConfig.gpuSharingStrategy",
        ),
    ],
)
def test_a_value_outside_a_closed_list_is_refused_with_the_list(inputs: dict, path: str) -> None:
    found = failures(POOL, cluster="dev", **inputs)

    assert list(found) == [path]
    assert found[path].startswith("expected one of [")


def test_the_nearest_value_of_a_closed_list_is_offered() -> None:
    found = failures(POOL, cluster="dev", autoscaling={"locationPolicy": "any"})

    assert found["autoscaling.locationPolicy"].endswith("got 'any'; did you mean ANY?")


def test_a_number_out_of_range_is_refused_at_both_ends() -> None:
    inputs = {"network": "n", "allows": [{"protocol": "tcp"}]}

    assert failures("gcp:compute/firewall:Firewall", priority=65535, **inputs) == {}
    assert (
        "in the range (0 - 65535)"
        in failures("gcp:compute/firewall:Firewall", priority=65536, **inputs)["priority"]
    )
    assert "priority" in failures("gcp:compute/firewall:Firewall", priority=-1, **inputs)


def test_a_name_that_breaks_the_types_pattern_is_refused() -> None:
    assert failures(NETWORK, name="a" * 63) == {}
    assert "name" in failures(NETWORK, name="a" * 64)
    assert "doesn't match regexp" in failures(NETWORK, name="Net")["name"]


def test_a_principal_without_its_kind_is_refused() -> None:
    inputs = {"project": "acme-dev", "role": "roles/viewer"}
    token = "gcp:projects/iAMMember:IAMMember"

    assert failures(token, member="serviceAccount:a@acme-dev.iam.gserviceaccount.com", **inputs) == {}
    assert "member" in failures(token, member="a@acme-dev.iam.gserviceaccount.com", **inputs)


def test_properties_that_exclude_each_other_are_refused_together() -> None:
    inputs = {"network": "n", "allows": [{"protocol": "tcp"}], "denies": [{"protocol": "udp"}]}

    assert "exactly one of" in failures("gcp:compute/firewall:Firewall", **inputs)["allows"]


@pytest.mark.parametrize("wrap", [lambda value: value, Secret], ids=["plain", "secret"])
def test_unknown_values_are_accepted_anywhere(wrap: Callable[[Any], Any]) -> None:
    inputs = {"cluster": wrap(UNKNOWN), "nodeConfig": {"spot": wrap(UNKNOWN)}, "nodeLocations": wrap(UNKNOWN)}

    assert failures(POOL, **inputs) == {}


def test_a_secret_of_a_wrong_kind_is_refused() -> None:
    assert failures(POOL, cluster=Secret(7)) == {"cluster": "expected string, got number"}


def test_an_unnamed_resource_is_named_after_itself_with_seven_hexadecimal_digits() -> None:
    name = fill(POOL, {"cluster": "dev"})["name"]

    assert name[:6] == "Thing-"
    assert len(name) == 13
    assert int(name[6:], 16) >= 0


def test_preview_and_update_give_the_same_name_for_the_same_seed() -> None:
    assert fill(POOL, {"cluster": "dev"})["name"] == fill(POOL, {"cluster": "dev"})["name"]
    assert fill(POOL, {"cluster": "dev"})["name"] != fill(POOL, {"cluster": "dev"}, seed=b"other")["name"]


def test_compute_names_are_lower_case() -> None:
    assert fill(NETWORK, {})["name"].startswith("thing-")


def test_an_automatic_name_fits_into_the_types_limit() -> None:
    assert len(auto_name(Naming("name", "-", 63), "n" * 100, b"seed")) == 63


def test_an_update_keeps_the_automatic_name() -> None:
    olds = fill(POOL, {"cluster": "dev"})

    assert fill(POOL, {"cluster": "dev"}, olds, seed=b"later")["name"] == olds["name"]


def test_a_name_that_is_taken_out_of_the_program_becomes_automatic() -> None:
    olds = fill(POOL, {"cluster": "dev", "name": "chosen"})

    assert olds[DEFAULTS_KEY] == []
    assert fill(POOL, {"cluster": "dev"}, olds)["name"].startswith("Thing-")


def test_defaults_of_the_provider_appear_as_inputs_and_are_listed() -> None:
    inputs = fill(NETWORK, {})

    assert inputs["autoCreateSubnetworks"] is True
    assert "autoCreateSubnetworks" in inputs[DEFAULTS_KEY]
    assert "autoCreateSubnetworks" not in fill(NETWORK, {"autoCreateSubnetworks": False})[DEFAULTS_KEY]


def test_filled_inputs_pass_the_check() -> None:
    assert (
        failures("gcp:container/cluster:Cluster", **fill("gcp:container/cluster:Cluster", {"name": "dev"}))
        == {}
    )
