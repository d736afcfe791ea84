from pathlib import Path

import pytest

from sandbox.engine.arguments import read_invocation, resolve_paths
from sandbox.engine.errors import SandboxError


@pytest.mark.parametrize(
    ("arguments", "stack"),
    [
        (["up", "-s", "dev"], "dev"),
        (["up", "-sdev", "--yes"], "dev"),
        (["up", "--stack", "dev"], "dev"),
        (["up", "--stack=organization/headroom/dev"], "dev"),
        (["--color", "never", "--stack", "prod", "preview"], "prod"),
        (["stack", "select", "dev"], "dev"),
        (["up"], None),
        (["config", "set", "key", "--", "-s"], None),
        (["up", "--stack"], None),
        (["up", "--skip-preview"], None),
        (["up", "-ys", "dev"], "dev"),
        (["up", "-yfsdev"], "dev"),
        (["up", "-s=dev"], "dev"),
        (["up", "-ds", "dev"], "dev"),
        (["stack", "select", "-cs", "dev"], "dev"),
        (["whoami", "-vs", "dev"], "dev"),
        (["up", "-v9", "-s", "dev"], "dev"),
        (["up", "-m", "-sprod", "-s", "dev"], "dev"),
        (["up", "-ysprod", "-tsome"], "prod"),
        (["-v", "3", "up", "--stack", "dev"], "dev"),
    ],
)
def test_stack_is_found_in_whatever_way_it_is_named(arguments, stack):
    assert read_invocation(arguments).stack == stack


@pytest.mark.parametrize(
    ("arguments", "edits"),
    [
        (["config", "set", "a", "b"], True),
        (["config", "-s", "dev", "rm", "a"], True),
        (["config", "set-all", "--plaintext", "a=b"], True),
        (["config", "get", "a"], False),
        (["config"], False),
        (["up"], False),
        (["stack", "init", "dev"], False),
    ],
)
def test_only_commands_that_edit_settings_count_as_edits(arguments, edits):
    assert read_invocation(arguments).edits_config is edits


def test_init_and_rm_of_a_stack_are_left_to_the_command_itself():
    assert read_invocation(["stack", "init", "dev"]).makes_stack
    assert read_invocation(["stack", "rm", "dev"]).makes_stack
    assert not read_invocation(["stack", "export", "-s", "dev"]).makes_stack


@pytest.mark.parametrize(
    "option",
    [
        "-C",
        "-C/real",
        "-C=/real",
        "-yC",
        "-yC/real",
        "-dyC",
        "--cwd",
        "--cwd=/elsewhere",
        "--config-file",
        "--config-file=o.yaml",
    ],
)
def test_options_that_lead_out_of_the_working_copy_are_refused_with_the_remedy(option):
    with pytest.raises(SandboxError, match=r"does not work in the sandbox: .+: (change|put)"):
        read_invocation(["up", option, "x"])


@pytest.mark.parametrize(
    "arguments", [["up", "-mC"], ["up", "-ymC /real"], ["up", "-sC"], ["up", "-cgcp:C=x"], ["up", "-m", "-C"]]
)
def test_letters_of_a_value_are_no_options(arguments):
    assert read_invocation(arguments).words == ("up",)


def test_files_that_the_arguments_name_are_relative_to_the_folder_of_the_caller():
    folder = Path("/home/ml")
    arguments = [
        "stack",
        "export",
        "--file",
        "state.json",
        "--policy-pack=policies",
        "--plan",
        "/abs/plan.json",
    ]
    assert resolve_paths(arguments, folder) == [
        "stack",
        "export",
        "--file",
        "/home/ml/state.json",
        "--policy-pack=/home/ml/policies",
        "--plan",
        "/abs/plan.json",
    ]


def test_standard_input_and_other_arguments_stay_as_they_are():
    arguments = ["stack", "import", "--file", "-", "file", "state.json"]
    assert resolve_paths(arguments, Path("/home/ml")) == arguments
