"""Every step of the runbooks for recovery is tried by a test that names it, and they name tests that there are."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

RUNBOOKS = ("half-failed-up", "stuck-lock", "drift", "state-backup", "destroy-production")
NO_STEPS = {"Meaning", "Impact", "Diagnosis", "Mitigation"}


def steps(runbook: Path) -> list[str]:
    headings = re.findall(r"^##+ (.+)$", runbook.read_text(encoding="utf-8"), re.MULTILINE)
    return [heading.removeprefix("Diagnosis: ") for heading in headings if heading not in NO_STEPS]


@cache
def documented(folder: Path) -> tuple[tuple[str, str], ...]:
    """Name and docstring of each test, and of each step of recovery that a test or another step calls."""
    return tuple(_read_documented(folder))


def _read_documented(folder: Path) -> Iterator[tuple[str, str]]:
    modules = [*folder.glob("test_*.py"), folder / "recovery.py"]
    texts = {path: path.read_text(encoding="utf-8") for path in modules}
    everything = "\n".join(texts.values())
    for text in texts.values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                is_called = len(re.findall(rf"\b{node.name}\(", everything)) > 1
                if node.name.startswith("test_") or is_called:
                    yield node.name, ast.get_docstring(node) or ""


@pytest.mark.parametrize("name", RUNBOOKS)
def test_each_step_is_tried_by_a_test_that_names_it(root: Path, name: str) -> None:
    docstrings = [
        " ".join(text.split()) for _, text in documented(root / "tests" / "e2e") if f"{name}.md" in text
    ]
    wanted = steps(root / "docs" / "runbooks" / f"{name}.md")
    assert wanted
    untried = [step for step in wanted if not any(f'"{step}"'.lower() in text.lower() for text in docstrings)]
    assert untried == []


@pytest.mark.parametrize("name", RUNBOOKS)
def test_each_test_that_a_runbook_names_is_there(root: Path, name: str) -> None:
    text = (root / "docs" / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
    folder = root / "tests" / "e2e"
    named = text.partition("Tried by")[2]
    files = re.findall(r"\b(test_\w+\.py)", named)
    assert files
    assert [each for each in files if not (folder / each).exists()] == []
    tests = {test for test, _ in documented(folder)}
    assert [each for each in re.findall(r"`(test_\w+)`|::(test_\w+)", named) if not set(each) & tests] == []


@pytest.mark.parametrize("name", RUNBOOKS)
def test_each_section_that_a_runbook_refers_to_is_in_it(root: Path, name: str) -> None:
    path = root / "docs" / "runbooks" / f"{name}.md"
    referred = re.findall(r'(?:\| |: |where |to )"([A-Z][a-z ]+)"', path.read_text(encoding="utf-8"))
    known = {step for each in RUNBOOKS for step in steps(path.with_name(f"{each}.md"))}
    assert set(referred) <= known
