"""Rules of the house: none is broken, and each is noticed when it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from headroom.alerts.contract import load_contract
from headroom.alerts.linting import check_rule, check_rules, check_runbooks, kebab_case
from headroom.alerts.rules import Rule, load_rules

CONTRACT = load_contract()
GOOD = Rule(
    name="ModelPoor",
    group="serving",
    file="serving.yaml",
    expr='max by (environment, pipeline) (ml_model_quality{metric="auc"}) < 0.5',
    for_seconds=300,
    interval_seconds=60,
    labels=(("severity", "error"), ("notify", "ticket")),
    annotations=(
        ("summary", "{{ $labels.pipeline }} is poor"),
        ("description", "auc is {{ $value | humanize }}"),
        ("runbook_url", "docs/runbooks/alerts/model-poor.md"),
        ("requirements", "M5"),
    ),
)


def with_pair(pairs: tuple[tuple[str, str], ...], key: str, value: str) -> tuple[tuple[str, str], ...]:
    return tuple({**dict(pairs), key: value}.items())


def find(rule: Rule) -> str:
    return "\n".join(str(problem) for problem in check_rule(rule, CONTRACT))


def test_no_rule_breaks_any(root: Path) -> None:
    """M1 to M16, Q3."""
    assert check_rules(load_rules(), CONTRACT, root) == []


def test_a_good_rule_passes() -> None:
    assert find(GOOD) == ""


@pytest.mark.parametrize(
    ("expr", "phrase"),
    [
        (
            "max by (environment, pipeline) (ml_quality) < 1",
            "ml_quality is not in contract.yaml; did you mean",
        ),
        ('max by (environment, pipeline) (ml_model_quality{auc="x"}) < 1', "has no label auc"),
        ("max by (pipeline) (ml_model_quality) < 1", "max by (pipeline) loses environment"),
        ("max by (environment, metric) (ml_model_quality) < 1", "loses pipeline"),
        (
            "max by (environment, pipeline, metric) (ml_model_quality) < on (pipeline, metric) group_left () "
            "max by (pipeline, metric) (ml_model_quality_bound)",
            "loses environment",
        ),
        (
            "max by (environment, pipeline) (ml_model_quality) and on (pipeline) "
            "max by (environment, pipeline) (ml_pipeline_info)",
            "on (pipeline) loses environment",
        ),
        ("absent(ml_model_quality)", "its result has no environment and pipeline"),
        ("max by (environment, pipeline) (last_over_time(ml_model_quality[25h])) < 1", "looks back 1d1h"),
        ("max by (environment, pipeline) (last_over_time(ml_model_quality[45s])) < 1", "no multiple of 30s"),
        ("max by (environment, pipeline) (ml_prediction_requests_total) > 5", "take its rate or increase"),
        ("max by (environment, pipeline) (rate(ml_model_quality[5m])) > 5", "it has no rate"),
        ("sum by (environment, pipeline) (ml_model_quality", "ends where"),
    ],
)
def test_an_expression_that_breaks_a_rule_is_named(expr: str, phrase: str) -> None:
    message = find(replace(GOOD, expr=expr))
    assert message.startswith("serving.yaml: ModelPoor.expr: ")
    assert phrase in message


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"name": "modelPoor"}, "alert: must be of words"),
        ({"name": "Model-Poor"}, "alert: must be of words"),
        ({"group": "Serving"}, "group: must be of lower-case"),
        ({"for_seconds": 90_000}, "for: is longer than a day"),
        ({"for_seconds": 45}, "for: 45s is no multiple of 30s"),
        ({"interval_seconds": 10}, "interval: must be 30s or longer"),
        ({"labels": with_pair(GOOD.labels, "severity", "fatal")}, "labels.severity: must be one of critical"),
        ({"labels": with_pair(GOOD.labels, "notify", "fax")}, "labels.notify: must be page or ticket"),
        ({"labels": with_pair(GOOD.labels, "team", "ml")}, "labels.team: is none of"),
        (
            {"labels": (("severity", "warning"), ("notify", "page"))},
            "nobody is woken for a warning",
        ),
        ({"labels": with_pair(GOOD.labels, "gate", "canary")}, "needs the label track"),
        ({"annotations": GOOD.annotations[1:]}, "annotations.summary: is missing"),
        ({"annotations": with_pair(GOOD.annotations, "note", "x")}, "annotations.note: is none of"),
        ({"annotations": with_pair(GOOD.annotations, "requirements", "M99")}, "must be ids of requirements"),
        ({"annotations": with_pair(GOOD.annotations, "requirements", "")}, "must be ids of requirements"),
        (
            {"annotations": with_pair(GOOD.annotations, "runbook_url", "x.md")},
            "must be docs/runbooks/alerts/model-poor.md",
        ),
        (
            {"annotations": with_pair(GOOD.annotations, "description", "{{ $labels.track }}")},
            "names track, which the result of the expression has not",
        ),
        (
            {"annotations": with_pair(GOOD.annotations, "description", "{{ printf $value }}")},
            "is neither a label nor the value",
        ),
        (
            {"annotations": with_pair(GOOD.annotations, "description", "{{ $value | title }}")},
            "is neither a label nor the value",
        ),
        ({"annotations": with_pair(GOOD.annotations, "summary", "s" * 256)}, "longer than 255"),
        ({"annotations": with_pair(GOOD.annotations, "description", "s" * 8193)}, "longer than 8192"),
    ],
)
def test_a_rule_that_breaks_a_rule_is_named(change: dict, phrase: str) -> None:
    assert phrase in find(replace(GOOD, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"for_seconds": 86_400},
        {"interval_seconds": 30},
        {"annotations": with_pair(GOOD.annotations, "summary", "s" * 255)},
        {"annotations": with_pair(GOOD.annotations, "description", "s" * 8192)},
        {"labels": (("severity", "error"), ("notify", "page"))},
    ],
)
def test_what_is_just_allowed_passes(change: dict) -> None:
    assert find(replace(GOOD, **change)) == ""


def test_window_and_duration_together_stay_within_25_hours() -> None:
    day = "max by (environment, pipeline) (last_over_time(ml_model_quality[1d])) < 1"
    assert find(replace(GOOD, expr=day, for_seconds=3_600)) == ""
    assert "more than 25 hours" in find(replace(GOOD, expr=day, for_seconds=3_630))


def test_a_gate_gives_its_verdict_within_half_an_hour() -> None:
    gate = replace(
        GOOD,
        expr="max by (environment, pipeline, track) (max_over_time(ml_model_quality[20m])) < 1",
        labels=with_pair(GOOD.labels, "gate", "canary"),
    )
    assert find(replace(gate, for_seconds=540)) == ""
    assert "longer than half an hour" in find(replace(gate, for_seconds=600))


def test_flags_are_written_so_that_the_cloud_can_be_told(rules: dict[str, Rule]) -> None:
    rule = rules["CloudQuotaExceeded"]
    first = rule.expr.split("\nor\n")[0]
    assert "is true or false in the cloud" in find(replace(rule, expr=first.replace("> 0", "> 1")))
    seven = replace(rule, expr="\nor\n".join([first] * 7))
    assert "has more than 6 flags" in find(seven)


def test_two_alerts_of_one_name_are_one_too_many(rules: dict[str, Rule]) -> None:
    problems = check_rules([*rules.values(), rules["ServingOutage"]], CONTRACT)
    assert [str(problem) for problem in problems] == ["ServingOutage: is the name of more than one alert"]


def test_a_requirement_without_an_alert_is_named(rules: dict[str, Rule]) -> None:
    kept = [rule for rule in rules.values() if "M11" not in rule.requirements]
    assert "requirements: M11 has no alert; name it in the annotation of one" in [
        str(problem) for problem in check_rules(kept, CONTRACT)
    ]


def test_runbooks_and_alerts_belong_together(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "runbooks" / "alerts"
    folder.mkdir(parents=True)
    (folder / "other.md").touch()
    messages = [str(problem) for problem in check_runbooks([GOOD], tmp_path)]
    assert messages == [
        "serving.yaml: ModelPoor.annotations.runbook_url: is a file that is not there; write it",
        "docs/runbooks/alerts/other.md: is the runbook of no alert; remove it",
    ]
    (folder / "other.md").rename(folder / "model-poor.md")
    assert check_runbooks([GOOD], tmp_path) == []


def test_names_of_files_follow_names_of_alerts() -> None:
    assert kebab_case("PipelineQuotaAtCap") == "pipeline-quota-at-cap"
