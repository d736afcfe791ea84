from collections.abc import Callable
from typing import Any

import pytest

MAINTENANCE = {"days": ["sat", "sun"], "start": "22:30", "hours": 8}


def test_production_needs_zones_and_a_maintenance_window(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:environment"]["tier"] = "production"
    config["headroom:cluster"]["zones"] = ["us-central1-a"]
    assert [problem.split(": ")[0] for problem in refused()] == [
        "headroom:cluster.maintenance",
        "headroom:cluster.zones",
    ]


def test_a_window_that_crosses_midnight_ends_on_the_next_day(
    config: dict[str, Any], plan_whole: Callable[[], Any]
) -> None:
    config["headroom:cluster"]["maintenance"] = MAINTENANCE
    window = plan_whole().cluster.maintenance
    assert (window.start, window.end) == ("2026-01-05T22:30:00Z", "2026-01-06T06:30:00Z")
    assert window.recurrence == "FREQ=WEEKLY;BYDAY=SA,SU"


@pytest.mark.parametrize(("hours", "accepted"), [(12, True), (11, False)])
def test_gke_wants_48_hours_of_maintenance_in_32_days(
    config: dict[str, Any], plan_whole: Callable[[], Any], refused: Callable[[], list[str]], hours: int, accepted: bool
) -> None:  # fmt: skip
    config["headroom:cluster"]["maintenance"] = {"days": ["sun"], "start": "03:00", "hours": hours}
    if accepted:
        plan_whole()
    else:
        assert "is open 44 hours in 32 days" in refused()[0]


def test_the_system_pool_runs_on_plain_machines(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:cluster"]["system_pool"] = {"machine": "g2-standard-4", "nodes": {"min": 3, "max": 3}}
    assert refused()[0].startswith("headroom:cluster.system_pool.machine: must be an x86 machine")
    config["headroom:cluster"]["system_pool"]["nodes"] = {"min": 4, "max": 3}
    assert "headroom:cluster.system_pool.nodes: min is 4, above max, which is 3" in refused()


def test_the_system_pools_machine_is_offered_in_the_clusters_zones(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["gcp:region"] = "europe-west10"
    config["headroom:cluster"] = {
        "zones": ["europe-west10-b"],
        "system_pool": {"machine": "c3-standard-4", "nodes": {"min": 1, "max": 3}},
    }
    assert any(
        problem.startswith("headroom:cluster.system_pool.machine: is not offered in europe-west10-b")
        for problem in refused()
    )


def test_the_system_pool_is_not_for_pipelines(plan_whole: Callable[[], Any]) -> None:
    assert plan_whole().system_pool.taints == (
        ("components.gke.io/gke-managed-components", "true", "NO_SCHEDULE"),
    )


def test_its_name_is_taken(config: dict[str, Any], refused: Callable[[], list[str]]) -> None:
    config["headroom:pools"]["system"] = config["headroom:pools"]["cpu"]
    assert refused() == ["headroom:pools.system: is the name of the cluster's own pool; choose another"]


def test_zones_lie_in_the_region(config: dict[str, Any], refused: Callable[[], list[str]]) -> None:
    config["headroom:cluster"]["zones"] = ["us-central1-a", "us-east1-b"]
    assert refused()[0].startswith("headroom:cluster.zones[1]: is not in us-central1")


@pytest.mark.parametrize("name", ["Prod", "1a", "a" * 21, "a_b", "", "-a", "prod-"])
def test_a_stacks_name_must_be_able_to_begin_resource_names(config: dict[str, Any], name: str) -> None:
    from headroom.planning.plan import plan_config
    from headroom.spec.errors import StackFileError

    with pytest.raises(StackFileError, match="the stack's name begins the names of its resources"):
        plan_config(config, name, "f")


def test_labels_of_headrooms_own_cannot_be_taken(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:environment"]["labels"] = {"environment": "mine"}
    assert refused()[0].startswith("headroom:environment.labels.environment: is a label that headroom sets")
