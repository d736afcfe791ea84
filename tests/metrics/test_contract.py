"""What the library exports is the contract that the alerts are written against."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from headroom_metrics import (
    FAMILIES,
    CategoryField,
    DataCheck,
    DriftMonitor,
    Exporter,
    Identity,
    MetricsError,
    NumberField,
    QualityBound,
    QualityMonitor,
    ServingMonitor,
    TrainingMonitor,
    watch_numbers,
)
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

NUMBERS = [float(number % 100) for number in range(2_000)]


@pytest.fixture(scope="module")
def contract(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The metrics that pipelines export, by name."""
    file = request.config.rootpath / "headroom" / "alerts" / "contract.yaml"
    groups = yaml.safe_load(file.read_text())["metrics"]
    rows = [
        row | {"labels": group["common"] + row["labels"]}
        for group in groups
        if group["exporter"] == "pipeline"
        for row in group["metrics"]
    ]
    return {row["name"]: row for row in rows}


def exercise_data(exporter: Exporter) -> None:
    DataCheck(exporter, [NumberField("age", 0, 120)]).check_row({"age": 3})
    exercise_drift(exporter)


def exercise_drift(exporter: Exporter) -> None:
    monitor = DriftMonitor(exporter, [watch_numbers("age", NUMBERS)], interval_seconds=60)
    monitor.observe({"age": NUMBERS})
    monitor.check()


def exercise_training(exporter: Exporter) -> None:
    monitor = TrainingMonitor(exporter, baseline_seconds=60, schedule_seconds=3600)
    with monitor.run("1"):
        pass
    with pytest.raises(RuntimeError), monitor.run("2"):
        raise RuntimeError


def exercise_serving(exporter: Exporter) -> None:
    exercise_data(exporter)
    QualityMonitor(exporter, QualityBound("auc", minimum=0.7)).measure("auc", 0.8)
    with ServingMonitor(exporter, latency_bound_seconds=0.1).request():
        pass


EXERCISES = {
    "data": exercise_data,
    "training": exercise_training,
    "validation": exercise_drift,
    "serving": exercise_serving,
}


def exercised(kind: Any) -> Exporter:
    served = ("7", "stable") if kind == "serving" else ()
    identity = Identity("prod", "clicks", kind, "group:ads@acme.example", "production", *served)
    exporter = Exporter(identity)
    EXERCISES[kind](exporter)
    return exporter


def test_names_types_and_labels_are_those_of_the_contract(contract: dict[str, Any]) -> None:
    ours = {each.name: (each.type, {"environment", "pipeline", *each.labels}) for each in FAMILIES}
    assert ours == {name: (row["type"], set(row["labels"])) for name, row in contract.items()}


@pytest.mark.parametrize("kind", EXERCISES)
def test_exposition_parses_and_holds_nothing_beside_the_contract(kind: str) -> None:
    exporter = exercised(kind)
    families = {each.name.removesuffix("_total"): each for each in FAMILIES}
    texts = (
        text_string_to_metric_families(generate_latest(exporter.registry).decode()),
        parse_openmetrics(generate_openmetrics(exporter.registry).decode()),
    )
    for text in texts:
        for metric in text:
            family = families[metric.name]
            assert metric.type == family.type
            for sample in metric.samples:
                assert not sample.name.endswith("_created")
                assert set(sample.labels) - {"le"} == {"environment", "pipeline", *family.labels}
                assert (sample.labels["environment"], sample.labels["pipeline"]) == ("prod", "clicks")


@pytest.mark.parametrize("kind", EXERCISES)
def test_each_kind_can_export_all_that_the_contract_requires_of_it(
    kind: str, contract: dict[str, Any]
) -> None:
    """M1 to M3, M5 to M8, M11, M12, M14 to M16: what their alerts read is exported."""
    exported = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in exercised(kind).registry.collect()
    }
    required = {name for name, row in contract.items() if kind in row.get("required_of", ())}
    assert required
    assert required <= exported


def test_labels_hold_the_values_that_the_contract_allows(contract: dict[str, Any]) -> None:
    exporter = exercised("serving")
    for metric in exporter.registry.collect():
        for sample in metric.samples:
            assert sample.labels.get("stage", "serving") == "serving"
            assert sample.labels.get("method", "psi") in ("psi", "jsd")
            assert sample.labels.get("track", "stable") == "stable"
            assert sample.labels.get("reason", "type") in ("missing", "type", "range", "corrupt")


def test_two_exporters_in_one_registry_are_refused(data: Exporter) -> None:
    with pytest.raises(ValueError, match="Duplicated"):
        Exporter(data.identity, registry=data.registry)


@pytest.mark.parametrize(
    ("name", "labels", "phrase"),
    [
        ("ml_pipelines", {}, "not in the contract"),
        ("ml_model_quality", {"feature": "age"}, "has the labels"),
        ("ml_data_values_total", {"stage": "data", "feature": "age"}, "is a counter"),
    ],
)
def test_series_that_the_contract_has_not_are_refused(
    data: Exporter, name: str, labels: dict[str, str], phrase: str
) -> None:
    with pytest.raises(MetricsError, match=phrase):
        data.set(name, 1, **labels)


def test_more_features_than_the_limit_are_refused(data: Exporter) -> None:
    DataCheck(data, [NumberField(f"f{number}") for number in range(200)])
    with pytest.raises(MetricsError, match="201 values are more than the 200"):
        data.claim("feature", ["f201"])
    data.claim("feature", ["f0"])


def test_label_that_is_empty_or_too_long_is_refused(data: Exporter) -> None:
    data.claim("feature", ["x" * 128])
    for wrong in ("", "x" * 129, "a\nb"):
        with pytest.raises(MetricsError, match="is no label"):
            data.claim("feature", [wrong])


def test_second_monitor_of_a_kind_is_refused_in_a_process(data: Exporter) -> None:
    DataCheck(data, [CategoryField("country", frozenset({"DE"}))])
    with pytest.raises(MetricsError, match="there is one already"):
        DataCheck(data, [NumberField("age")])


def test_library_stands_alone() -> None:
    source = Path(sys.modules["headroom_metrics"].__file__ or "").parents[1]
    program = (
        "import sys, headroom_metrics; print([m for m in sys.modules if m.partition('.')[0] == 'headroom'])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
