"""Hardware advice as people and jobs see it."""

import json
import re
from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter

from headroom.planning.advice import Advice, advise
from headroom.planning.architecture import explain_architecture
from headroom.planning.hardware_options import Serving, Training
from headroom.report.advice_json import render_advice
from headroom.report.advice_table import best_by_accelerator, describe_sources, print_advice
from headroom.spec.models import Model

Capture = pytest.CaptureFixture[str]
MODEL: Model = TypeAdapter(Model).validate_python({"architecture": "transformer", "parameters": "8B"})
WORKLOADS: dict[str, Any] = {"serving": Serving(20, 1_000, 250, None), "training": Training(10**12, 336)}
TODAY = date(2026, 8, 1)


def advice(phase: str = "serving", region: str = "us-central1") -> Advice:
    return advise(MODEL, WORKLOADS[phase], region, {})


def shown(capsys: Capture, phase: str = "serving", *, every: bool = False) -> list[str]:
    found = advice(phase)
    reasons = explain_architecture(MODEL, WORKLOADS[phase], found.fastest)
    print_advice(found, "the title", reasons, TODAY, every=every)
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("phase", ["serving", "training"])
@pytest.mark.parametrize("width", [100, 140])
def test_the_advice_fits_the_terminal(
    phase: str, width: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(width)}.items():
        monkeypatch.setenv(name, value)
    lines = shown(capsys, phase)
    assert [line for line in lines if len(line) > width] == []
    assert "…" not in "".join(lines)


@pytest.mark.parametrize(
    ("phase", "last"),
    [("serving", "Is there cheaper hardware?"), ("training", "Can it train on cheaper hardware?")],
)
def test_the_four_questions_are_answered_in_order(phase: str, last: str, capsys: Capture) -> None:
    """Q6."""
    lines = shown(capsys, phase)
    asked = [line for line in lines if line.endswith("?")]
    assert asked == [
        "How large is it, and what holds it?",
        "Which hardware suits its architecture?",
        "Does other hardware perform better?",
        last,
    ]
    assert all(lines[lines.index(question) + 1].startswith("  ") for question in asked)


def test_the_best_machine_with_each_accelerator_is_shown_and_the_rest_on_request(capsys: Capture) -> None:
    few, every = shown(capsys), shown(capsys, every=True)
    names = {option.candidate.machine.name for option in advice().options}
    best = {option.candidate.machine.name for option in best_by_accelerator(advice().options)}
    assert {line.split()[0] for line in every if line} >= names
    assert f"{len(names) - len(best)} more machine types: --all" in "\n".join(few)
    assert "--all" not in "\n".join(every)


def test_an_unknown_price_is_a_question_mark_and_one_that_is_not_offered_a_dash(capsys: Capture) -> None:
    """Q6: unknown is not zero."""
    rows = {line.split()[0]: line.split() for line in shown(capsys) if line}
    assert rows["tpu7x-standard-4t"][6:9] == ["?", "?", "?"]
    assert rows["a4-highgpu-8g"][7:9] == ["spot", "-"], (
        "its price an hour is not compared with others on demand"
    )


def test_sources_are_named_with_their_days_and_old_prices_with_their_age() -> None:
    """Q6."""
    lines = list(describe_sources(advice(), TODAY))
    assert any(line.startswith("decode: 0.6 of the peak") and "58 published" in line for line in lines)
    assert any("pricing.yml" in line and "2026-07-30" in line for line in lines)
    assert any("NVIDIA data sheets" in line for line in lines)
    assert not any("days old" in line for line in lines)
    assert any("78 days old" in line for line in describe_sources(advice(), date(2026, 10, 2)))


def test_what_is_not_measured_says_so() -> None:
    assert any(
        line.startswith("link: 0.6 of the peak, not measured") for line in describe_sources(advice(), TODAY)
    )


def test_json_has_every_option_and_null_for_what_is_not_known() -> None:
    """Q6."""
    found = json.loads(render_advice(advice(), ["because"], TODAY))
    assert (found["phase"], found["unit"], found["architecture"]) == (
        "serving",
        "million tokens",
        ["because"],
    )
    assert len(found["options"]) == len(advice().options)
    machines = {option["machine"]: option for option in found["options"]}
    assert machines["tpu7x-standard-4t"]["costs"]["on-demand"] is None
    assert machines["a3-highgpu-8g"]["costs"]["on-demand"]["hourly"] == pytest.approx(88.49)
    assert found["need"]["fixed_bytes"] == 16e9
    assert found["cheapest"]["spot"]["machine"] == "ct6e-standard-1t"
    assert found["sources"]


def test_a_region_without_prices_says_what_to_do(capsys: Capture) -> None:
    found = advice(region="us-west4")
    print_advice(found, "t", [], TODAY, every=False)
    assert (
        "no price is known in us-west4 of what holds it; state prices in headroom:prices"
        in capsys.readouterr().out
    )
