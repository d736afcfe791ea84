"""The series that rollouts are simulated on are those of the contract, and what they say is what is meant."""

import re

import pytest

from headroom.alerts.contract import load_contract
from headroom.delivery.simulation import Trial, plan_traffic
from headroom.delivery.traffic import FAULTS, LEAD_SECONDS, SOUND, Traffic, describe_samples
from headroom.planning.rollouts import RolloutPlan
from tests.delivery.conftest import plan_of

_SERIES = re.compile(r"(\w+)\{(.*)\}$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@pytest.fixture
def rollout() -> RolloutPlan:
    """The feed's, of 1200 queries a second, in the preset `standard`."""
    delivery = plan_of("prod").delivery
    assert delivery is not None
    found = delivery.find_rollout("feed-serving")
    assert found is not None
    return found


def series_of(traffic: tuple[Traffic, ...]) -> dict[tuple[str, frozenset[tuple[str, str]]], str]:
    found = {}
    for row in describe_samples(traffic):
        match = _SERIES.match(row["series"])
        assert match, row
        found[match[1], frozenset(_LABEL.findall(match[2]))] = row["values"]
    return found


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_every_series_is_of_the_contract_and_there_once(rollout: RolloutPlan, fault: str | None) -> None:
    traffic = plan_traffic(rollout, Trial(fault=fault, sick_other=True))
    contract, rows = load_contract(), describe_samples(traffic)
    for name, labels in series_of(traffic):
        known = contract.labels_of(name)
        assert known is not None, name
        assert {label for label, _ in labels} <= known, name
    assert len({row["series"] for row in rows}) == len(rows)


def test_the_canary_counts_the_share_of_each_phase_and_what_is_stable_the_rest(rollout: RolloutPlan) -> None:
    counts = {
        dict(labels)["track"]: values
        for (name, labels), values in series_of(plan_traffic(rollout, Trial())).items()
        if name == "ml_prediction_duration_seconds_count"
    }
    # A minute of 1200 queries a second: 5, 25 and 50 per cent of 72,000 requests.
    assert counts["canary"].startswith(f"_x{LEAD_SECONDS // 60} 0+3600x")
    assert "+18000x" in counts["canary"]
    assert "+36000x" in counts["canary"]
    assert [
        text for text in ("0+72000x", "+68400x", "+54000x", "+36000x") if text not in counts["stable"]
    ] == []


def test_a_fault_changes_one_thing() -> None:
    for fault, behaviour in FAULTS.items():
        changed = [
            key for key in SOUND.__dataclass_fields__ if getattr(behaviour, key) != getattr(SOUND, key)
        ]
        assert len(changed) == (0 if fault == "starved" else 1), fault


def test_a_starved_canary_is_one_that_the_plan_calls_starved(rollout: RolloutPlan) -> None:
    (traffic,) = plan_traffic(rollout, Trial(fault="starved"))
    assert traffic.qps < rollout.least_qps
