"""What the tree promises: imports go one way, generated files are current, names match."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from headroom.spec.schema import stack_file_schema


def test_imports_go_one_way(root: Path) -> None:
    """The library knows neither program nor sandbox, the program knows no sandbox (docs/decisions)."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter], cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_committed_schema_is_current(root: Path) -> None:
    committed = json.loads((root / "stack.schema.json").read_text())
    assert committed == stack_file_schema(), "run `make schema`"


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_stack_files_point_their_editors_at_the_schema(root: Path, stack: str) -> None:
    first = (root / f"Pulumi.{stack}.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=./stack.schema.json"


def test_every_requirement_is_pinned_by_hash_and_names_no_index(root: Path) -> None:
    for name in ("requirements.txt", "requirements-setup.txt", "requirements-dev.txt"):
        text = (root / name).read_text()
        assert "index-url" not in text
        assert "://" not in text
        pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.MULTILINE)
        assert pins
        assert len(re.findall(r"--hash=sha256:", text)) >= len(pins)


def commands(text: str, name: str) -> set[str]:
    """Words that follow `name` where a document shows a command: after a prompt or a backtick."""
    return set(re.findall(rf"(?:^\$ |`|\./|bin/){name} ([a-z-]+)", text, re.MULTILINE))


def test_the_make_targets_of_the_documents_exist(root: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    readme = (root / "README.md").read_text()
    assert {"demo", "test"} <= commands(readme, "make")
    for document in (root / "README.md", root / "CONTRIBUTING.md"):
        assert commands(document.read_text(), "make") <= targets


def test_ci_runs_the_commands_of_the_readme(root: Path) -> None:
    (line,) = re.findall(r"^make ([a-z -]+)$", (root / ".ci" / "run").read_text(), re.MULTILINE)
    run = set(line.split())
    assert {"check", "test"} <= run
    assert run <= commands((root / "README.md").read_text(), "make")


def test_every_command_of_the_documents_is_a_command(root: Path) -> None:
    import typer

    from headroom.cli.main import app

    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {str(group.name) for group in app.registered_groups}
    known |= {option for each in typer.main.get_command(app).params for option in each.opts}
    documents = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "sandbox").glob("*.md")]
    named = {word for document in documents for word in commands(document.read_text(), "headroom")}
    assert {"plan", "sandbox"} <= named
    assert named <= known


def test_no_tracked_file_names_a_registry_or_a_machine(root: Path) -> None:
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    pattern = re.compile(
        r"--(extra-)?index-url |://[^ \"]*/simple/|GOPROXY=htt[p]|(?<![A-Za-z.`])/(work|root)/"
    )
    for name in filter(None, files.split("\0")):
        path = root / name
        if path.is_file() and path.suffix not in {".sum"} and path != Path(__file__):
            assert not pattern.search(path.read_text(errors="replace")), name
