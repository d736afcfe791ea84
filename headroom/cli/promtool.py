"""Finds promtool, Prometheus's own checker of rules, and runs it on scenarios."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer
import yaml

from headroom.alerts.rules import Rule, render_rules
from headroom.alerts.scenarios import build_tests, load_scenarios

PROMTOOL_VARIABLE = "HEADROOM_PROMTOOL"

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_REPORT = re.compile(r"^Unit Testing:\s+(\S+)\n(.*?)(?=^Unit Testing:|\Z)", re.MULTILINE | re.DOTALL)
_NO_PROMTOOL = """hint: python -m sandbox.tools promtool builds it in this project (with Go, about 2 minutes);
or install Prometheus (https://prometheus.io/download/), which has it, and put it on PATH or name it in
HEADROOM_PROMTOOL."""


def require_promtool(undone: str) -> Path:
    """Return promtool, or say what could not be done without it and end with exit code 3."""
    promtool = find_promtool()
    if promtool is None:
        typer.echo(f"error: {undone}: there is no promtool", err=True)
        typer.echo(_NO_PROMTOOL, err=True)
        raise typer.Exit(3)
    return promtool


def find_promtool() -> Path | None:
    """Return promtool: the one HEADROOM_PROMTOOL names, one on PATH, or one built earlier; None without."""
    from sandbox.tools.catalog import find_binary

    for candidate in (os.environ.get(PROMTOOL_VARIABLE), shutil.which("promtool")):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    return find_binary("promtool")


def check_syntax(promtool: Path, rules: str) -> str:
    """Return what promtool finds wrong with a rule file's text; empty where it finds nothing."""
    with tempfile.TemporaryDirectory(prefix="headroom-alerts-") as name:
        path = Path(name) / "rules.yaml"
        path.write_text(rules, encoding="utf-8")
        command = [promtool, "check", "rules", path.name]
        done = subprocess.run(command, cwd=name, capture_output=True, text=True, check=False)  # noqa: S603 - a file
    return "" if done.returncode == 0 else (done.stderr + done.stdout).strip()


def run_scenarios(promtool: Path, rules: Iterable[Rule]) -> dict[str, str]:
    """Run the scenarios of each rule; return by alert what failed, empty where nothing did.

    An alert without a scenario fails.
    """
    scenarios = {scenario.alert: scenario for scenario in load_scenarios()}
    found, rule_files, test_files = {}, {}, {}
    for rule in rules:
        found[rule.name] = "there is no scenario for it"
        if rule.name in scenarios:
            rule_files[f"{rule.name}.rules.yaml"] = render_rules([rule])
            test_files[f"{rule.name}.yaml"] = build_tests(
                scenarios[rule.name], rule, f"{rule.name}.rules.yaml"
            )
    failures = run_tests(promtool, rule_files, test_files) if test_files else {}
    return found | {name.removesuffix(".yaml"): failure for name, failure in failures.items()}


def run_tests(
    promtool: Path, rule_files: Mapping[str, str], test_files: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Run test files against rule files, all by name; return what failed in each test file, empty: nothing.

    Raises OSError where promtool cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="headroom-alerts-") as folder:
        for name, text in rule_files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        for name, data in test_files.items():
            (Path(folder) / name).write_text(
                yaml.dump(data, Dumper=_DUMPER, sort_keys=False), encoding="utf-8"
            )
        output = _run(promtool, test_files, folder)
    reports = {Path(file).name: text.strip() for file, text in _REPORT.findall(output)}
    return {
        name: "" if reports.get(name) == "SUCCESS" else reports.get(name, output.strip() or "no report")
        for name in test_files
    }


def _run(promtool: Path, names: Iterable[str], folder: str) -> str:
    command = [promtool.resolve(), "test", "rules", *names]
    # Reports and failures go to different streams; only together do they stand in order.
    done = subprocess.run(  # noqa: S603 - a file
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout
