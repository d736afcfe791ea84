"""Every row of the requirements has an alert, and every alert answers one."""

import pytest

from headroom.alerts.requirements import KNOWN, MONITORED, find_unanswered, map_requirements
from headroom.alerts.rules import load_rules

SHOULD = {
    "M1": "ServingDataDrift",
    "M2": "ServingPredictionDrift",
    "M3": "ServingDataIssues",
    "M4": "PipelineQuotaNearCap",
    "M5": "ServingQuality",
    "M6": "DataFeatureDrift",
    "M7": "DataLabelDrift",
    "M8": "DataIssues",
    "M9": "PipelineQuotaUsageRate",
    "M10": "PipelineQuotaForecast",
    "M11": "TrainingSlow",
    "M12": "TrainingFailed",
    "M13": "PipelineQuotaAtCap",
    "M14": "ValidationDataDrift",
    "M15": "PredictionLatency",
    "M16": "ServingOutage",
    "Q3": "PipelineQuotaAboveCap",
}


@pytest.mark.parametrize(("requirement", "alert"), SHOULD.items())
def test_a_requirement_is_answered_by_its_alert(requirement: str, alert: str) -> None:
    """M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12, M13, M14, M15, M16, Q3."""
    assert alert in map_requirements(load_rules())[requirement]


def test_no_requirement_is_left_over() -> None:
    assert set(SHOULD) == {*MONITORED, "Q3"}
    assert find_unanswered(load_rules()) == ()
    assert find_unanswered(()) == (*MONITORED, "Q3")


def test_every_alert_answers_a_known_requirement() -> None:
    for rule in load_rules():
        assert rule.requirements, rule.name
        assert set(rule.requirements) <= KNOWN, rule.name
