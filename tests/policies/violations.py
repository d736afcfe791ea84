"""Seeded violations: each one change to the resources of a clean stack, read from corpus/*.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from policies.resources import UNKNOWN
from tests.policies.scenes import Scene, open_scene

CORPUS = Path(__file__).parent / "corpus"
Row = Mapping[str, Any]


def load_violations() -> tuple[Row, ...]:
    """Return all rows of the corpus."""
    return tuple(row for name in ("security", "operations") for row in _load(name))


def describe(row: Row) -> str:
    """Return what a test of the row is called."""
    path = row.get("path", "")
    where = path if isinstance(path, str) else ".".join(path)
    how = next((key for key in ("unknown", "drop", "add", "cut", "options") if key in row), "")
    return f"{row['rule']}: {row['resource']} {where} {how or row['to']}"


def expected(row: Row) -> str:
    """Return how the finding must begin: with the name of what is to be changed."""
    return f"{row.get('found', row['resource']).rpartition(' ')[2]}: "


def seed(row: Row) -> Scene:
    """Return the clean stack with the one change of the row."""
    scene = open_scene(row.get("stack", "dev"))
    for each in _load(row["base"]) if "base" in row else ():
        scene.add(each["type"], each["name"], _copy(each["inputs"]))
    if "add" in row:
        scene.add(row["add"], row["resource"], _copy(row["inputs"]))
    for change in (row, *([row["also"]] if "also" in row else [])):
        _apply(scene, change)
    return scene


def _apply(scene: Scene, change: Row) -> None:
    name, path = change["resource"], _path(change.get("path", ()))
    if "options" in change:
        scene.find(name).setdefault("options", {}).update(change["options"])
    elif "cut" in change:
        text = scene.value(name, *path)
        assert change["cut"] in text
        scene.put(name, *path, to=text.replace(change["cut"], ""))
    elif change.get("drop"):
        scene.drop(name, *path)
    elif change.get("unknown"):
        scene.put(name, *path, to=UNKNOWN)
    elif "to" in change:
        scene.put(name, *path, to=change["to"])


def _path(given: str | list[str]) -> tuple[str | int, ...]:
    keys = given.split(".") if isinstance(given, str) else given
    return tuple(int(key) if key.isdigit() else key for key in keys)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


@cache
def _load(name: str) -> tuple[Row, ...]:
    return tuple(yaml.safe_load((CORPUS / f"{name}.yaml").read_text()))
