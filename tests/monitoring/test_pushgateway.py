"""The library and a real Pushgateway: what one run leaves is what the next one takes up."""

from typing import Any
from urllib.request import urlopen

from headroom_metrics import DataCheck, Exporter, Gateway, Identity, NumberField, TrainingMonitor
from prometheus_client.parser import text_string_to_metric_families

from tests.monitoring.conftest import World


def read_group(world: World, pipeline: str) -> dict[str, Any]:
    with urlopen(f"{world.gateway}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = [sample for family in families for sample in family.samples]
    return {each.name: each.value for each in samples if each.labels.get("pipeline") == pipeline}


def build(world: World, kind: Any, pipeline: str) -> Exporter:
    identity = Identity("test", pipeline, kind, "group:ads@acme.example", "development")
    return Exporter(identity, gateway=Gateway(world.gateway, job="nightly"))


def test_counters_of_a_batch_job_rise_from_run_to_run(world: World) -> None:
    """M8"""
    for expected in (3, 6, 9):
        exporter = build(world, "data", "restarted-data")
        DataCheck(exporter, [NumberField("age", 0, 120)]).check_columns({"age": [1, 2, 3]})
        exporter.push()
        assert read_group(world, "restarted-data")["ml_data_values_total"] == expected


def test_training_run_that_begins_keeps_the_last_success_and_drops_the_last_end(world: World) -> None:
    """M11, M12"""
    with TrainingMonitor(
        build(world, "training", "restarted-training"), baseline_seconds=9, schedule_seconds=9
    ).run("1"):
        pass
    ended = read_group(world, "restarted-training")
    second = TrainingMonitor(
        build(world, "training", "restarted-training"), baseline_seconds=9, schedule_seconds=9
    )
    with second.run("2"):
        running = read_group(world, "restarted-training")
    success = "ml_training_last_success_timestamp_seconds"
    assert running[success] == ended[success]
    assert "ml_training_run_end_timestamp_seconds" not in running
    start = "ml_training_run_start_timestamp_seconds"
    assert running[start] > ended[start]
