"""What the policy pack takes for a stack, against a pack whose policies do nothing, in their own hosts.

A host is asked what the engine asks it: each resource, then all of them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.growth import measure_growth
from benchmarks.processes import BenchmarkError
from benchmarks.recording import STACK, record_apart, record_registrations
from benchmarks.report import Figure, Report
from benchmarks.stack_files import build_contended_config

ROOT = Path(__file__).resolve().parents[1]
SIZES, QUICK_SIZES = (1_000, 2_500, 5_000), (300, 600, 1_000)
ROUNDS, PIPELINE_RESOURCES = 3, 8
PACKS = ("headroom", "empty")
TARGET_RATIO, TARGET_EXPONENT = 2.0, 1.1
COLUMNS = ("resources", "pack", "s", "processor s")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds by the clock from the first question to the last answer, and the host's processor seconds, its
    start with them."""

    seconds: float
    cpu_seconds: float


def run(quick: bool, progress: Progress) -> Report:
    """Ask both hosts about stacks of several sizes, in turn."""
    sizes, found = QUICK_SIZES if quick else SIZES, {}
    config = build_contended_config(sizes[-1] // PIPELINE_RESOURCES)
    progress(f"policies: recording {sizes[-1]:,} resources")
    rows = record_apart(record_registrations, config)
    for number in range(1 if quick else ROUNDS):
        for size in sizes:
            for pack in sorted(PACKS, reverse=bool(number % 2)):
                sample = ask(pack, rows[:size])
                found.setdefault((pack, min(size, len(rows))), []).append(sample)
                progress(f"policies: {size:,} resources, {pack}: {sample.cpu_seconds:.1f} processor s")
    return summarize({key: _median(samples) for key, samples in found.items()})


def summarize(medians: dict[tuple[str, int], Sample]) -> Report:
    """Return the report of samples by pack and number of resources, three numbers at least."""
    ordered = sorted(medians.items(), key=lambda item: (item[0][1], item[0][0]))
    rows = tuple((f"{size:,}", pack, each.seconds, each.cpu_seconds) for (pack, size), each in ordered)
    most = max(size for _, size in medians)
    ours, empty = (medians[pack, most] for pack in PACKS)
    growth = measure_growth({size: each.cpu_seconds for (pack, size), each in ordered if pack == PACKS[0]})
    return Report(
        "The policy pack against one whose policies do nothing",
        COLUMNS,
        rows,
        (
            Figure(
                "processor time, of the empty pack's", ours.cpu_seconds / empty.cpu_seconds, "", TARGET_RATIO
            ),
            Figure("time by the clock, of the empty pack's", ours.seconds / empty.seconds, ""),
            Figure("for each resource", growth.slope * 1_000, "ms"),
            Figure("growth exponent", growth.exponent, "", TARGET_EXPONENT),
        ),
    )


def ask(pack: str, rows: Sequence[dict[str, Any]]) -> Sample:
    """Return what the host of a pack takes for the resources of these registrations.

    Raises BenchmarkError where it does not start.
    """
    requests = [_request(row) for row in rows]
    command = [sys.executable, "-m", "benchmarks.policy_host", pack]
    host = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = host.stdout.readline().strip() if host.stdout else b""
        if not port:
            raise BenchmarkError(f"{' '.join(command)} did not start")
        seconds = _ask(int(port), requests)
    finally:
        host.send_signal(signal.SIGKILL)
        _, _, usage = os.wait4(host.pid, 0)
        host.returncode = -signal.SIGKILL
        if host.stdout:
            host.stdout.close()
    return Sample(seconds, usage.ru_utime + usage.ru_stime)


def _ask(port: int, requests: Sequence[Any]) -> float:
    import grpc
    from pulumi.runtime.proto import analyzer_pb2 as messages
    from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

    together = messages.AnalyzeStackRequest(
        resources=[
            messages.AnalyzerResource(
                type=each.type, properties=each.properties, urn=each.urn, name=each.name, options=each.options
            )
            for each in requests
        ]
    )
    unlimited = [(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=unlimited) as channel:
        host, started = AnalyzerStub(channel), perf_counter()
        for request in requests:
            host.Analyze(request)
        host.AnalyzeStack(together)
        return perf_counter() - started


def _request(row: dict[str, Any]) -> Any:
    from google.protobuf import json_format
    from pulumi.runtime.proto import analyzer_pb2 as messages

    request = messages.AnalyzeRequest(
        type=row["token"],
        name=row["name"],
        urn=f"urn:pulumi:{STACK}::headroom::{row['token']}::{row['name']}",
    )
    json_format.ParseDict(row["arguments"], request.properties)
    return request


def _median(samples: Sequence[Sample]) -> Sample:
    return Sample(
        median(sample.seconds for sample in samples), median(sample.cpu_seconds for sample in samples)
    )
