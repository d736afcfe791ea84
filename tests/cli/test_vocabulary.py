"""What all commands have in common: the same options, exit codes that are told, quiet, completion."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import typer

from headroom.cli.asides import add_quiet
from headroom.cli.help import reflow_help
from headroom.cli.main import app

PASSES_ON = {"sandbox pulumi", "sandbox run"}
"""Hand what follows to another command."""
PRINTS_DATA = {"schema", "alerts export", "alerts metrics", "sandbox path"}
"""Print a file or a line for a machine already."""
TELLS_WHAT_IT_DID = {
    "docs", "demo", "quota pull", "quota show", "quota accept", "release init", "release render",
    "release check", "sandbox engine", "sandbox reset", "sandbox drift", "sandbox remove", "sandbox quota",
    "sandbox fault", "sandbox calm", "sandbox pace", "sandbox enable", "sandbox bucket",
}  # fmt: skip
"""Do one thing and say so."""


def list_commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for each, found in getattr(command, "commands", {}).items():
        path = f"{name} {each}".strip()
        if hasattr(found, "commands"):
            yield from list_commands(found, path)
        else:
            yield path, found


def list_options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


ROOT_COMMAND = typer.main.get_command(app)
add_quiet(ROOT_COMMAND)
reflow_help(ROOT_COMMAND)
COMMANDS = dict(list_commands(ROOT_COMMAND))
Run = Callable[..., CompletedProcess[str]]


def test_the_commands_that_people_come_for_are_there() -> None:
    asked = ["plan", "check", "diff", "preflight", "estimate", "advise", "audit", "docs", "schema", "demo"]
    groups = {"quota pull", "alerts list", "release status", "sandbox show"}
    assert {*asked, *groups} <= COMMANDS.keys()


TAKES_NOTHING = {"demo", "sandbox path", "sandbox engine", "sandbox reset"}


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - TAKES_NOTHING))
def test_every_command_has_an_example_that_is_a_command(name: str) -> None:
    text = COMMANDS[name].help
    assert re.search(rf"Examples?:\s+.*?headroom {name}\b", text, re.DOTALL), text


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stack_is_named_the_same_way_everywhere(name: str) -> None:
    options = list_options(COMMANDS[name])
    assert ("--stack" in options) == ("-s" in options)
    assert ("--pipeline" in options) == ("-p" in options)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_table_is_there_as_json_too(name: str) -> None:
    has = "--json" in list_options(COMMANDS[name])
    assert has != (name in PASSES_ON | PRINTS_DATA | TELLS_WHAT_IT_DID)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_quiet_but_those_that_pass_their_arguments_on(name: str) -> None:
    assert ("--quiet" in list_options(COMMANDS[name])) == (name not in PASSES_ON)


@pytest.mark.parametrize("name", [name for name in COMMANDS if "--stack" in list_options(COMMANDS[name])])
def test_what_reads_a_stack_file_says_its_exit_codes(name: str) -> None:
    """Exit code 2 is a stack file that cannot be used, whatever the command; 3 a source that was not there."""
    text = COMMANDS[name].help
    assert re.search(r"Exit code 0: .*\b2:\s", text, re.DOTALL), text


def test_help_is_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line ends where the next word does not fit, and no list of choices is cut in two."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in COMMANDS:
        ROOT_COMMAND.main([*name.split(), "--help"], standalone_mode=False)
        text = capsys.readouterr().out
        prose = [line.rstrip() for line in text.partition("╭")[0].splitlines()]
        for line, after in pairwise(prose):
            set_in = (line.startswith("  "), after.startswith("  "))
            if line and after and not any(set_in) and not re.match(r" (headroom|Examples?:) ?", line):
                assert len(line) + 1 + len(after.split()[0]) > 79, f"{name}: {line}"
        assert not re.search(r"\|\w+ {2}", text), name


def test_quiet_leaves_out_what_is_no_result_and_keeps_the_exit_code(headroom: Run, project: Path) -> None:
    shutil.rmtree(project / "quotas")
    loud, quiet = headroom("plan", "-s", "prod"), headroom("plan", "-s", "prod", "--quiet")
    assert loud.stderr
    assert (quiet.stdout, quiet.stderr) == (loud.stdout, "")
    assert quiet.returncode == loud.returncode


def test_quiet_leaves_no_error_out(headroom: Run) -> None:
    done = headroom("plan", "-s", "nowhere", "-q")
    assert done.returncode == 2
    assert "the stacks here: dev, prod" in done.stderr


def test_check_has_json_by_the_word_that_others_have(headroom: Run, root: Path) -> None:
    done = headroom("check", "-s", "dev", "--json", cwd=root)
    assert json.loads(done.stdout) == json.loads(
        headroom("check", "-s", "dev", "--format", "json", cwd=root).stdout
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("headroom plan -s ", ["dev", "prod"]),
        ("headroom audit --stack p", ["prod"]),
        ("headroom estimate -s dev -p feed-s", ["feed-serving"]),
        ("headroom release status -s nowhere -p ", []),
        ("headroom qu", ["quota"]),
    ],
)
def test_a_shell_completes_commands_stacks_and_pipelines(
    project: Path, line: str, expected: list[str]
) -> None:
    command = Path(sys.executable).with_name("headroom")
    words = line.split(" ")
    asked = {
        "_HEADROOM_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [command],
        cwd=project,
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert sorted(done.stdout.split()) == expected


def test_the_version_is_that_of_the_distribution(headroom: Run) -> None:
    from importlib.metadata import version

    assert headroom("--version").stdout == f"headroom {version('headroom')}\n"
