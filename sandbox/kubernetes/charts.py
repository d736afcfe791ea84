"""Checks what a Helm release asks for against the published chart, and by rendering it where helm is."""

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.kubernetes.kinds import load_file
from sandbox.kubernetes.validation import Problem
from sandbox.provider.wire import UNKNOWN, is_known

_ADVICE: Final = "check the chart name and repository configuration."
_RENDER_SECONDS: Final = 60


@dataclass(frozen=True)
class Chart:
    """A published chart: what it is called, its version, and the values that it has."""

    name: str
    version: str
    app_version: str
    groups: tuple[str, ...]
    values: Mapping[str, Any]


def find_chart(reference: str, version: str) -> Chart | None:
    """The chart that a release means, by its name or the end of its address; any version if none is given."""
    name = reference.rstrip("/").rpartition("/")[2]
    found = (chart for chart in _load_charts() if chart.name == name and version in ("", chart.version))
    return next(found, None)


@cache
def _load_charts() -> tuple[Chart, ...]:
    return tuple(
        Chart(row["name"], row["version"], row["appVersion"], tuple(row["groups"]), row["values"])
        for row in load_file("charts")["releases"]
    )


def check_chart(reference: str, version: str) -> Iterator[Problem]:
    """Why there is no such chart here."""
    if find_chart(reference, version) is None:
        known = ", ".join(f"{chart.name} {chart.version}" for chart in _load_charts())
        wanted = f"{reference} {version}".strip()
        yield Problem("chart", f"chart {wanted} is not known to the sandbox, which has {known}; {_ADVICE}")


def check_values(chart: Chart, values: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the values of a release: keys that the chart does not have, and other shapes."""
    yield from _check(chart.values, values, "values", chart)


def _check(known: Mapping[str, Any], given: Mapping[str, Any], path: str, chart: Chart) -> Iterator[Problem]:
    for name, value in given.items():
        here = f"{path}.{name}"
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            yield Problem(here, f"chart {chart.name} {chart.version} has no such value{hint}")
        elif value is not UNKNOWN and value is not None:
            yield from _check_value(known[name], value, here, chart)


def _check_value(known: Any, value: Any, path: str, chart: Chart) -> Iterator[Problem]:
    if isinstance(known, Mapping) and known:
        if isinstance(value, Mapping):
            yield from _check(known, value, path, chart)
        else:
            yield Problem(path, "must be an object, as in the chart")
    elif known is not None and known != "" and _shape(known) != _shape(value):
        yield Problem(path, f"must be {_shape(known)}, as in the chart")
    elif isinstance(known, str) and "\n" in known:
        yield from _check_document(known, value, path)


def _shape(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list) else "a text"


def _check_document(known: str, text: str, path: str) -> Iterator[Problem]:
    """A value that is a document: it has to be YAML, of the kind of the chart's own."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        yield Problem(path, f"is no YAML: {' '.join(str(error).split())}")
        return
    own = yaml.safe_load(known)
    if not isinstance(document, dict):
        yield Problem(path, "must be YAML that holds an object")
        return
    for key in ("apiVersion", "kind"):
        if key in own and document.get(key) != own[key]:
            yield Problem(path, f"{key} must be {own[key]}, not {document.get(key)}")


def check_rendering(chart: Chart, name: str, namespace: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    """What helm says of the values, where helm and the chart are there; nothing where they are not."""
    tools = _find_tools() if is_known(values) else None
    if tools and (error := _render(*tools, name, namespace, json.dumps(values, sort_keys=True))):
        yield Problem("values", f"chart {chart.name} {chart.version} cannot be rendered: {error}")


@cache
def _find_tools() -> tuple[Path, Path] | None:
    """The helm that was built and the folder of the chart; None where one of them is not there."""
    from sandbox.engine.errors import SandboxError
    from sandbox.tools.catalog import find_binary, find_module_folder

    about = load_file("charts")
    try:
        helm = find_binary("helm")
        return (helm, find_module_folder(about["module"]) / about["chart"]) if helm else None
    except SandboxError:
        return None


@cache
def _render(helm: Path, chart: Path, name: str, namespace: str, values: str) -> str:
    """The error of rendering a chart; empty if there is none."""
    digest = hashlib.sha256(values.encode()).hexdigest()[:8]
    with tempfile.NamedTemporaryFile("w", prefix=f"values-{digest}-", suffix=".json") as file:
        file.write(values)
        file.flush()
        command = [str(helm), "template", name, str(chart), "--namespace", namespace, "--values", file.name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_RENDER_SECONDS)
        except subprocess.TimeoutExpired:
            return f"helm did not end within {_RENDER_SECONDS} s"
    return done.stderr.strip() if done.returncode else ""
