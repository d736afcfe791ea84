"""Use over a window, by servers that answer as Prometheus does, or not at all."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.audit.snapshot import QuotaUse
from headroom.catalog.quotas import QuotaLine
from headroom.live import prometheus
from headroom.live.connection import UnansweredError
from headroom.live.metrics import Window, open_window, read_queue_use, read_quota_use
from headroom.live.prometheus import Prometheus, open_prometheus
from tests.live.servers import Answer, Asked, answering

REGION = "us-central1"
L4 = QuotaLine("NVIDIA-L4-GPUS-per-project-region", REGION)
CPUS = QuotaLine("CPUS-ALL-REGIONS-per-project", None)
H100 = QuotaLine("GPUS-PER-GPU-FAMILY-per-project-region", REGION, (("gpu_family", "NVIDIA_H100"),))


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "_PAUSES_S", (0.0, 0.0))


def said(*series: tuple[dict[str, str], Any]) -> Answer:
    key = "values" if series and isinstance(series[0][1][0], list) else "value"
    return 200, {
        "status": "success",
        "data": {"result": [{"metric": held, key: points} for held, points in series]},
    }


def clock(skew: float = 0.0) -> Answer:
    now = time.time() + skew
    return said(({}, [now, str(now)]))


WINDOW = Window(10_000.0, 100, 4)


def ask(answer: Callable[[Asked], Answer], read: Callable[[Prometheus], Any]) -> Any:
    with answering(answer) as (url, _):
        return read(open_prometheus(url, "acme"))


def test_a_window_ends_by_the_clock_of_the_prometheus_and_has_at_most_240_steps() -> None:
    for days, step in ((1, 360), (14, 5_040), (30, 10_800), (90, 32_400)):
        window = ask(lambda _: clock(), lambda source, days=days: open_window(source, days))
        assert window.step_s == step
        assert window.count == days * 86_400 // step <= 240
        assert window.end == pytest.approx(time.time(), abs=5)
        assert window.start == pytest.approx(time.time() - days * 86_400, abs=step + 5)


@pytest.mark.parametrize("skew", [-4_000, 4_000])
def test_clocks_that_differ_are_said_to(skew: float) -> None:
    with pytest.raises(UnansweredError, match=r"differ by (3999|4000|4001) s"):
        ask(lambda _: clock(skew), lambda source: open_window(source, 14))


@pytest.mark.parametrize("answer", [said(), said(({}, [1, "NaN"])), said(({}, ["x"]))])
def test_a_clock_that_is_none_is_refused(answer: Answer) -> None:
    with pytest.raises(UnansweredError):
        ask(lambda _: answer, lambda source: open_window(source, 14))


def test_queues_are_read_by_their_peaks_and_means() -> None:
    """Q8: of each step the highest, so that a peak between two points is not lost."""
    labels = {"cluster_queue": "rank", "flavor": "l4", "resource": "nvidia.com/gpu"}
    cores = labels | {"resource": "cpu"}
    odd = labels | {"resource": "pods"}

    def answer(asked: Asked) -> Answer:
        query = asked.values["query"]
        assert 'kueue_cluster_queue_resource_reservation{environment="prod"}[100s]' in query
        assert (asked.values["start"], asked.values["end"], asked.values["step"]) == ("9700", "10000", "100")
        if "max_over_time" in query:
            return said((labels, [[9_700, "3"], [9_800, "NaN"], [9_900, "+Inf"], [10_000, "8"]]), (cores, [[9_700, "1.5"]]), (odd, [[9_700, "1"]]))  # fmt: skip
        return said((labels, [[9_700, "2"]]))

    found = ask(answer, lambda source: read_queue_use(source, WINDOW, 'environment="prod"'))
    assert [(each.queue, each.pool, each.resource) for each in found] == [
        ("rank", "l4", "gpus"),
        ("rank", "l4", "cpu"),
    ]
    assert found[0].peaks.values == (3.0, None, None, 8.0)
    assert found[0].means.values == (2.0, None, None, None)
    assert found[1].peaks.values[0] == 1_500.0


def quota_answer(asked: Asked) -> Answer:
    query = asked.values["query"]
    if "quota/limit" in query:
        return said(
            ({"limit_name": L4.quota_id, "quota_metric": "compute.googleapis.com/nvidia_l4_gpus"}, [0, "1"])
        )
    if "allocation/usage" in query:
        service = {"service": "compute.googleapis.com"}
        return said(
            (service | {"quota_metric": "compute.googleapis.com/nvidia_l4_gpus", "location": REGION}, [[10_000, "5"]]),
            (service | {"quota_metric": "compute.googleapis.com/nvidia_l4_gpus", "location": "us-east1"}, [[10_000, "9"]]),
            (service | {"quota_metric": "compute.googleapis.com/cpus_all_regions", "location": "global"}, [[10_000, "70"]]),
        )  # fmt: skip
    if "gpus_per_gpu_family" in query and "preemptible" not in query:
        labels = {"limit_name": H100.quota_id, "location": REGION, "gpu_family": "NVIDIA_H100"}
        return said((labels, [[10_000, "16"]]))
    return said()


def test_cloud_quotas_are_found_by_their_metrics_regions_and_families() -> None:
    """Ids are told by QuotaInfo where it says the metric, and else by the series of limits."""
    metrics = {CPUS.quota_id: "compute.googleapis.com/cpus_all_regions", L4.quota_id: ""}
    found = ask(quota_answer, lambda source: read_quota_use(source, WINDOW, (L4, CPUS, H100), metrics))
    assert {(each.quota_id, each.region, each.dimensions): each.series.now for each in found} == {
        (L4.quota_id, REGION, ()): 5.0,
        (CPUS.quota_id, None, ()): 70.0,
        (H100.quota_id, REGION, H100.dimensions): 16.0,
    }


def test_a_quota_without_a_series_is_not_there_rather_than_zero() -> None:
    found: tuple[QuotaUse, ...] = ask(
        quota_answer, lambda source: read_quota_use(source, WINDOW, (CPUS, H100), {})
    )
    assert [each.quota_id for each in found] == [H100.quota_id]


def test_sparse_use_holds_for_a_day() -> None:
    queries = []

    def answer(asked: Asked) -> Answer:
        queries.append(asked.values["query"])
        return said()

    ask(answer, lambda source: read_quota_use(source, WINDOW, (L4,), {}))
    usage = [query for query in queries if "quota/limit" not in query]
    assert len(usage) == 6
    assert all(re.search(r"max_over_time\(\{__name__=.*\}\[1d\]\)", query) for query in usage)


def test_a_busy_prometheus_is_asked_again_and_not_for_ever() -> None:
    left = [2]

    def recovers(_: Asked) -> Answer:
        left[0] -= 1
        return (429, b"") if left[0] >= 0 else clock()

    assert ask(recovers, lambda source: open_window(source, 14)).count == 240
    with pytest.raises(UnansweredError, match="the answer was 503"):
        ask(lambda _: (503, b""), lambda source: open_window(source, 14))


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: tuple[Path, Path]) -> None:
    with answering(lambda _: clock(), certificate) as (url, asked):
        with pytest.raises(UnansweredError, match="certificate is not to be trusted"):
            open_window(open_prometheus(url, "acme"), 14)
        assert asked == []
