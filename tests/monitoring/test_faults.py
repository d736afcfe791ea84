"""A fault in a pipeline reaches a firing alert, and no other pipeline's: through real scrapes and real rules."""

from typing import Any

import pytest

from tests.monitoring.conftest import CASES, FAULTY, HEALTHY, Case, World
from tests.monitoring.servers import wait_for

PATIENCE_SECONDS = 150


def _fires(world: World, case: Case) -> bool | None:
    return case.alerts <= world.prometheus.firing().get(case.pipeline, set()) or None


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: case.pipeline)
def test_fault_reaches_its_alerts(world: World, case: Case) -> None:
    """M1 to M8, M10 to M16, Q3: each is detected from what a pipeline exports."""
    wait_for(
        lambda: _fires(world, case),
        PATIENCE_SECONDS,
        lambda: f"{case.pipeline}: expected {sorted(case.alerts)}, firing {world.prometheus.firing()}",
    )


def test_no_alert_fires_that_is_not_the_faults_own(world: World) -> None:
    """Silence too: sound pipelines, and the other alerts of sick ones."""
    for case in FAULTY:
        wait_for(lambda case=case: _fires(world, case), PATIENCE_SECONDS, lambda case=case: case.pipeline)
    expected = {case.pipeline: set(case.alerts) for case in FAULTY}
    assert world.prometheus.fired(world.age) == expected


def test_every_rule_is_evaluated_and_every_pipeline_scraped(world: World, rule_files: dict[str, Any]) -> None:
    prometheus = world.prometheus
    alerts = {
        rule["alert"] for file in rule_files.values() for group in file["groups"] for rule in group["rules"]
    }
    assert prometheus.rule_names() == alerts
    assert prometheus.broken_rules() == {}
    assert len(prometheus.broken_targets()) == 1, "only the one that was killed"
    seen = {each["metric"]["pipeline"] for each in prometheus.query("ml_pipeline_info")}
    assert {case.pipeline for case in CASES} - seen == {"killed-serving"}


def test_what_is_batch_is_pushed_and_what_serves_is_scraped(world: World) -> None:
    found = {
        each["metric"]["pipeline"]: each["metric"] for each in world.prometheus.query("ml_pipeline_info")
    }
    for case in HEALTHY:
        assert found[case.pipeline]["environment"] == "prod"
        assert found[case.pipeline]["job"] == (case.pipeline if case.kind == "serving" else case.kind)
