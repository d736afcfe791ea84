"""Estimates as people and jobs see them."""

import json
import re

import pytest

from headroom.planning.comparison import Comparison, Line
from headroom.planning.estimates import AmountEstimate, Estimate, Evidence
from headroom.report.estimate_table import print_estimates, render_estimates

GIB = 2**30
GPUS = AmountEstimate("gpus", 2, 3, 4, 6)
MEMORY = AmountEstimate("memory", 8 * GIB, 8 * GIB, 24 * GIB + GIB // 2, 48 * GIB)
DETAIL = "M/M/c: 60 queries/s, of which [red]99 %[/red] are answered in 80 ms by two replicas or, in a burst, by four"
KNOWN = Comparison(
    "feed-serving",
    "serving",
    (Line("l4", "gpus", GPUS, (2, 2)), Line("l4", "memory", MEMORY, (8 * GIB, 64 * GIB))),
    (Estimate("l4", (GPUS, MEMORY), (Evidence("formula", DETAIL), Evidence("observed", "9 days"))),),
    (),
)
TAKEN = Comparison("taken", "serving", (Line("l4", "gpus", GPUS, None),), KNOWN.estimates, ())
SAME = Comparison("same", "serving", (Line("l4", "gpus", GPUS, (2, 4)),), KNOWN.estimates, ())
UNKNOWN = Comparison("shelf-data", "data", (Line("cpu", "cpu", None, (16_000, 48_000)),), (), ())
ALL = (KNOWN, TAKEN, SAME, UNKNOWN)


def cells(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    text = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_a_row_has_estimate_limits_change_and_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    """Q4."""
    print_estimates("dev", ALL)
    rows = cells(capsys)
    evidence = f"formula {DETAIL}; observed 9 days"
    assert ["feed-serving", "l4", "gpus", "2", "4", "3-6", "2-2", "0, +2", evidence] in rows
    assert ["l4", "memory", "8Gi", "24.5Gi", "8Gi-48Gi", "8Gi-64Gi", "0, -39.5Gi"] in rows
    assert ["taken", "l4", "gpus", "2", "4", "3-6", "none", "taken", evidence] in rows
    assert ["same", "l4", "gpus", "2", "4", "3-6", "2-4", "none", evidence] in rows


def test_what_is_not_known_is_a_question_mark(capsys: pytest.CaptureFixture[str]) -> None:
    print_estimates("dev", ALL)
    assert ["shelf-data", "cpu", "cpu", "?", "?", "?", "16-48", "unknown"] in cells(capsys)


def test_evidence_stands_below_its_row_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    print_estimates("dev", ALL)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(len(line) for line in lines) <= 100
    assert any(line.startswith("    evidence formula M/M/c") for line in lines)


def test_json_has_base_units_and_null_for_unknown() -> None:
    found = json.loads(render_estimates("dev", ALL, ["careful"]))
    assert (found["environment"], found["warnings"]) == ("dev", ["careful"])
    first, last = found["pipelines"][0], found["pipelines"][-1]
    assert first["resources"][0] == {
        "pool": "l4",
        "resource": "gpus",
        "guarantee": 2,
        "cap": {"low": 3, "likely": 4, "high": 6},
        "limit": {"guarantee": 2, "cap": 2},
        "difference": {"guarantee": 0, "cap": 2},
        "standing": "short",
    }
    assert first["evidence"][1] == {"pool": "l4", "kind": "observed", "detail": "9 days"}
    assert (last["resources"][0]["cap"], last["resources"][0]["standing"]) == (None, "unknown")
