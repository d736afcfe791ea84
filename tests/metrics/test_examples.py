"""The examples do what their documents say, and so does the first one of the library."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from headroom_metrics import Exporter

from examples.clicks import World, draw, measure_auc
from tests.metrics.conftest import SOURCE

KINDS = ("data", "training", "validation", "serving")


def run_example(root: Path, kind: str, *options: str, pipeline: str = "clicks") -> Any:
    variables = {"PYTHONPATH": str(SOURCE), "HEADROOM_ENVIRONMENT": "dev", "HEADROOM_PIPELINE": pipeline}
    command = [sys.executable, "-W", "error", "-m", f"examples.{kind}_pipeline", *options]
    return subprocess.run(command, cwd=root, env=os.environ | variables, capture_output=True, text=True)


def test_console_of_the_readme_is_what_the_commands_print(root: Path) -> None:
    text = (root / "examples" / "README.md").read_text()
    shown = re.findall(r"^\$ python -m examples\.(\w+)_pipeline(.*)\n((?:[^$`].*\n)+)", text, re.MULTILINE)
    assert len(shown) == 2
    for kind, options, printed in shown:
        done = run_example(root, kind, *options.split())
        assert (done.stdout, done.returncode) == (printed, 0), done.stderr


def test_readme_lists_every_fault_of_every_pipeline(root: Path) -> None:
    rows = re.findall(
        r"^\| (?:`(\w+)_pipeline` )?.*?\| `([a-z-]+)`:", (root / "examples" / "README.md").read_text(), re.M
    )
    listed: dict[str, list[str]] = {}
    kind = ""
    for name, fault in rows:
        kind = name or kind
        listed.setdefault(kind, []).append(fault)
    assert listed == {kind: list(import_module(f"examples.{kind}_pipeline").FAULTS) for kind in KINDS}


@pytest.mark.parametrize(
    ("kind", "options", "phrase"),
    [
        ("data", ["--fault", "label-drift"], "drifted: clicked"),
        ("data", ["--fault", "missing"], "6.5 % of the values unsound, drifted: nothing"),
        ("training", [], "run 0: AUC 0.7"),
        ("training", ["--fault", "fail"], "run 0 failed: training diverged"),
        ("validation", [], "set 0: passed"),
        ("validation", ["--fault", "drift"], "set 0: refused"),
        ("validation", ["--fault", "worse"], "set 0: refused"),
        ("serving", ["--every", "1"], "not known: age, price, device, score"),
    ],
)
def test_example_says_what_it_sees(root: Path, kind: str, options: list[str], phrase: str) -> None:
    done = run_example(root, kind, *options)
    assert phrase in done.stdout, done.stderr
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "pipeline", "phrase"),
    [
        ([], "", "HEADROOM_PIPELINE is not set"),
        (["--port", "65536"], "clicks", "is no port"),
        (["--every", "0"], "clicks", "is no duration"),
        (["--gateway", "pushgateway:9091"], "clicks", "is no address"),
    ],
)
def test_mistake_on_the_command_line_is_one_message_and_exit_code_2(
    root: Path, options: list[str], pipeline: str, phrase: str
) -> None:
    done = run_example(root, "data", *options, pipeline=pipeline)
    assert done.returncode == 2
    assert phrase in done.stderr
    assert "Traceback" not in done.stderr


def test_data_pipeline_goes_on_without_its_gateway(root: Path) -> None:
    done = run_example(root, "data", "--rounds", "1", "--gateway", "http://127.0.0.1:1")
    assert done.returncode == 0
    assert "cannot be read" in done.stdout
    assert "day 0: kept" in done.stdout


def test_auc_of_perfect_guessed_and_reversed_scores() -> None:
    clicked = np.array([0, 0, 1, 1])
    scores = np.array([0.1, 0.2, 0.3, 0.4])
    assert (measure_auc(scores, clicked), measure_auc(-scores, clicked)) == (1, 0)
    assert measure_auc(np.array([0.1, 0.4, 0.2, 0.3]), clicked) == 0.5


def test_world_grown_older_moves_ages_and_not_labels() -> None:
    known, older = (
        draw(world, 20_000, np.random.default_rng(1)) for world in (World(), World.grown_older(25))
    )
    assert older["age"].mean() > known["age"].mean() + 20
    assert older["clicked"].mean() == pytest.approx(known["clicked"].mean(), abs=0.02)


def test_first_example_of_the_library_runs_as_printed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (root / "metrics" / "README.md").read_text(), re.DOTALL)
    monkeypatch.setenv("HEADROOM_ENVIRONMENT", "prod")
    monkeypatch.setenv("HEADROOM_PIPELINE", "clicks-serving")
    ports: list[int] = []
    monkeypatch.setattr(Exporter, "serve", lambda self, port: ports.append(port))
    names: dict[str, Any] = {
        "training_ages": [float(number % 100) for number in range(2_000)],
        "model": lambda row: row["age"] / 100,
    }
    exec(blocks[0], names)
    assert (names["predict"]({"age": 50}), ports) == (0.5, [8000])
    assert names["drift"].check()[0].samples == 1
