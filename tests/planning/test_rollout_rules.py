"""D1, D2, D8: impossible deliveries, each refused with its key, beside one that just passes."""

from collections.abc import Callable
from typing import Any

import pytest

from headroom.planning.plan import Plan
from headroom.planning.rollouts import find_gates, least_watch_seconds

Refused = Callable[[], list[str]]
OWNERS, APPROVERS = "group:owners@acme.dev", "group:approvers@acme.dev"
LEAST = -(-least_watch_seconds(find_gates("test")) // 60)


def test_a_phase_shorter_than_its_gates_is_refused(
    delivered: dict[str, Any], refused: Refused, plan_whole: Callable[[], Plan]
) -> None:
    """D8: no alert counts as success."""
    delivered["delivery"] = {"phases": [{"percent": 5, "minutes": LEAST - 1}]}
    (problem,) = refused()
    assert problem.startswith(
        "headroom:pipelines.s.delivery.phases[0].minutes: is 23, and CanaryStarved takes 24"
    )
    delivered["delivery"]["phases"][0]["minutes"] = LEAST
    assert plan_whole().delivery


@pytest.mark.parametrize("second", [5, 10])
def test_phases_that_do_not_rise_are_refused(
    delivered: dict[str, Any], refused: Refused, second: int
) -> None:
    """D8."""
    delivered["delivery"] = {"phases": [{"percent": 10, "minutes": 30}, {"percent": second, "minutes": 30}]}
    (problem,) = refused()
    assert problem.startswith(
        f"headroom:pipelines.s.delivery.phases[1].percent: is {second}, after a phase of 10"
    )


def test_in_production_somebody_approves_the_beginning(
    config: dict[str, Any], delivered: dict[str, Any], refused: Refused, plan_whole: Callable[[], Plan]
) -> None:
    """D1."""
    config["headroom:delivery"]["approvals"] = {}
    delivered["delivery"] = {"preset": "fast"}
    assert plan_whole().delivery, "in development nobody has to"
    config["headroom:environment"]["tier"] = "production"
    config["headroom:cluster"]["maintenance"] = {"days": ["sat", "sun"], "start": "03:00", "hours": 8}
    (problem,) = refused()
    assert problem.startswith("headroom:pipelines.s.delivery.approvals.begin: is required in production")


def test_a_phase_that_holds_needs_somebody_who_lets_it_go_on(
    config: dict[str, Any], delivered: dict[str, Any], refused: Refused
) -> None:
    """D2."""
    config["headroom:delivery"]["approvals"] = {}
    (problem,) = refused()
    assert problem.startswith(
        "headroom:pipelines.s.delivery.approvals.increase: names nobody, and a phase holds"
    )


@pytest.mark.parametrize(
    ("approvals", "key"),
    [
        ({"begin": [OWNERS]}, "begin"),
        ({"begin": [APPROVERS, OWNERS]}, "begin"),
        ({"begin": [APPROVERS], "release": [APPROVERS]}, "begin"),
        ({"increase": [OWNERS]}, "increase"),
    ],
)
def test_nobody_approves_what_they_may_release(
    delivered: dict[str, Any], refused: Refused, approvals: dict[str, Any], key: str
) -> None:
    """D1, D2."""
    delivered["delivery"]["approvals"] = approvals
    (problem,) = refused()
    assert problem.startswith(
        f"headroom:pipelines.s.delivery.approvals.{key}: names somebody who may release too"
    )
    assert "@" not in problem.partition(": ")[2]


def test_a_canary_that_gets_too_few_requests_is_refused(
    delivered: dict[str, Any], refused: Refused, plan_whole: Callable[[], Plan]
) -> None:
    """D8: 100 requests in 10 minutes, of 2 queries per second, are 9 per cent."""
    delivered["demand"]["qps"] = 2
    (problem,) = refused()
    assert problem.startswith(
        "headroom:pipelines.s.delivery.preset: gives a canary of 5 % some 60 requests in 10 min"
    )
    assert "write 9 or more in phases of your own" in problem
    delivered["delivery"] = {"phases": [{"percent": 8, "minutes": 30}]}
    (problem,) = refused()
    assert problem.startswith("headroom:pipelines.s.delivery.phases[0].percent: gives a canary of 8 %")
    delivered["delivery"]["phases"][0]["percent"] = 9
    assert plan_whole().delivery


def test_where_no_share_is_enough_it_says_so(delivered: dict[str, Any], refused: Refused) -> None:
    """D8."""
    delivered["demand"]["qps"] = 0.01
    assert "no share is enough" in refused()[0]


def test_a_cap_below_stable_canary_and_surge_is_refused(
    delivered: dict[str, Any], refused: Refused, plan_whole: Callable[[], Plan]
) -> None:
    """D8: pods of the new model would wait for those of the old, for ever."""
    replicas = plan_whole().delivery.rollouts[0].peak_replicas
    limits = delivered["limits"]["cpu"]
    limits["cpu"], limits["memory"] = (
        {"guarantee": 2, "cap": replicas - 1},
        {"guarantee": "4Gi", "cap": "16Gi"},
    )
    (problem,) = refused()
    assert problem.startswith(
        f"headroom:pipelines.s.limits.cpu.cpu.cap: is {replicas - 1}, and a rollout takes {replicas}: "
    )
    limits["cpu"]["cap"] = replicas
    assert plan_whole().delivery


def test_an_estimated_cap_that_is_too_low_is_a_problem_of_the_demand(
    delivered: dict[str, Any], refused: Refused
) -> None:
    delivered["demand"]["burst"] = 1
    delivered["demand"]["survive_zone_loss"] = False
    del delivered["limits"]
    assert refused()[0].startswith("headroom:pipelines.s.demand: gives an estimated cap of cpu that is ")


def test_a_delivery_without_a_demand_is_refused(delivered: dict[str, Any], refused: Refused) -> None:
    """D8: what is unknown is not fine."""
    del delivered["demand"]
    (problem,) = refused()
    assert problem.startswith("headroom:pipelines.s.delivery: needs a demand beside it")


def test_validation_needs_an_image(
    config: dict[str, Any], delivered: dict[str, Any], refused: Refused
) -> None:
    """D7."""
    del config["headroom:delivery"]["validation_image"]
    (problem,) = refused()
    assert problem.startswith("headroom:pipelines.s.delivery.validation.image: is required")


def test_a_time_zone_that_there_is_not_is_refused(
    config: dict[str, Any], delivered: dict[str, Any], refused: Refused
) -> None:
    config["headroom:delivery"]["freezes"] = {
        "f": {"kind": "weekly", "days": ["fri"], "time_zone": "Europe/Berlim"}
    }
    (problem,) = refused()
    assert problem.startswith("headroom:delivery.freezes.f.time_zone: is no time zone")


def test_a_name_that_makes_too_long_a_target_is_refused(
    config: dict[str, Any], delivered: dict[str, Any]
) -> None:
    from headroom.planning.plan import plan_config
    from headroom.spec.errors import StackFileError

    config["headroom:pipelines"] = {"s" * 38: delivered}
    assert plan_config(config, "e" * 16, "f").delivery
    with pytest.raises(StackFileError, match=r"delivery: would make the target .* of 64 characters"):
        plan_config(config, "e" * 17, "f")


def test_a_staging_copy_that_does_not_fit_is_a_problem_of_the_delivery(
    delivered: dict[str, Any], refused: Refused
) -> None:
    """D4: the copy's queue is counted before anything is provisioned."""
    delivered["delivery"]["staging"] = {"replicas": 60}
    problems = refused()
    assert any(
        each.startswith("headroom:pipelines.s.delivery.staging.replicas: cpu.cpu.cap of the staging copy is ")
        for each in problems
    )
    assert any("headroom:pools.cpu: the guarantees of cpu add up" in each for each in problems)


def test_a_pipeline_called_as_anothers_staging_is_refused(
    config: dict[str, Any], delivered: dict[str, Any], refused: Refused
) -> None:
    config["headroom:pipelines"]["s-staging"] = {
        key: delivered[key] for key in delivered if key != "delivery"
    }
    assert "headroom:pipelines.s-staging: is the name of the staging of s; choose another" in refused()


def test_every_problem_of_a_delivery_comes_at_once(delivered: dict[str, Any], refused: Refused) -> None:
    delivered["delivery"] = {
        "phases": [{"percent": 10, "minutes": 1}, {"percent": 5, "minutes": 1}],
        "approvals": {"begin": [OWNERS]},
    }
    assert len(refused()) == 4
