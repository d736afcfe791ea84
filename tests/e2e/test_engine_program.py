"""How a program runs under the engine of the sandbox."""

import json
import subprocess
import textwrap
import time
from pathlib import Path

RECORD = """
import json, os, sys, pathlib, pulumi
class Group(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:groups:Group", name)
        self.register_outputs({})
Group("one")
"""


def test_up_then_nothing_changes_then_destroy_leaves_no_resources(make_project):
    """Proves Q1 for the engine: real state, and a second update that changes nothing."""
    sandbox = make_project(RECORD, dev="config: {}\n")
    assert sandbox.up("dev").require_success().changes == {"create": 2}
    assert {each["type"] for each in sandbox.export("dev")} == {"pulumi:pulumi:Stack", "test:groups:Group"}
    assert sandbox.up("dev", "--expect-no-changes").require_success().changes == {"same": 2}
    assert sandbox.destroy("dev").require_success().changes == {"delete": 2}
    assert sandbox.export("dev") == []


def test_preview_names_the_resource_that_an_edit_of_the_program_adds(make_project):
    sandbox = make_project(RECORD, dev="config: {}\n")
    sandbox.up("dev").require_success()
    program = sandbox.project / "infra" / "__main__.py"
    program.write_text(program.read_text() + 'Group("two")\n')
    preview = sandbox.preview("dev").require_success()
    assert {urn.rsplit("::", 1)[1]: op for urn, op in preview.steps.items()} == {"two": "create"}


def test_program_sees_a_configuration_of_300_kib_and_its_children_inherit_none_of_it(make_project):
    program = textwrap.dedent("""
        import os, subprocess, pulumi
        pulumi.export("length", len(pulumi.Config().require("big")))
        pulumi.export("child", subprocess.run(["env"], capture_output=True, text=True, check=True).stdout)
        """)
    sandbox = make_project(program, dev="config: {headroom:big: " + "x" * 300 * 1024 + "}\n")
    sandbox.up("dev").require_success()
    outputs = sandbox.outputs("dev")
    assert outputs["length"] == 300 * 1024
    assert "PULUMI_CONFIG=" not in outputs["child"]


def test_secret_reaches_the_program_and_stands_in_no_argument_and_no_file(make_project):
    program = textwrap.dedent("""
        import pathlib, sys, pulumi
        token = pulumi.Config().require_secret("token")
        pulumi.export("token", token)
        pulumi.export("argv", pathlib.Path("/proc/self/cmdline").read_text())
        """)
    sandbox = make_project(program, dev="config: {}\n")
    assert (
        sandbox.pulumi("config", "set", "--stack", "dev", "--secret", "headroom:token", "hush-9f2").returncode
        == 0
    )
    sandbox.up("dev").require_success()
    assert sandbox.outputs("dev")["token"] == "[secret]"
    outputs = sandbox.outputs("dev", "--show-secrets")
    assert outputs["token"] == "hush-9f2"
    assert "hush-9f2" not in outputs["argv"]
    for folder in (sandbox.sandbox.state, sandbox.project):
        holders = [path for path in folder.rglob("*") if path.is_file() and b"hush-9f2" in path.read_bytes()]
        assert holders == []


def test_exception_of_the_program_is_one_error_and_the_exit_code_is_not_zero(make_project):
    sandbox = make_project("raise KeyError('pools.h100')\n", dev="config: {}\n")
    preview = sandbox.preview("dev")
    assert preview.exit_code != 0
    assert len(preview.errors) == 1
    assert preview.errors[0].count("KeyError: 'pools.h100'") == 1


def test_error_that_the_program_shows_itself_is_shown_once(make_project):
    program = "import sys, pulumi\npulumi.log.error('Pulumi.dev.yaml: no pools')\nsys.exit(32)\n"
    preview = make_project(program, dev="config: {}\n").preview("dev")
    assert preview.exit_code != 0
    assert preview.errors == ["error: Pulumi.dev.yaml: no pools\n"]


def test_exit_code_of_a_program_that_says_nothing_is_the_error(make_project):
    preview = make_project("import sys\nsys.exit(7)\n", dev="config: {}\n").preview("dev")
    assert any("exit code: 7" in error for error in preview.errors)


def test_what_a_program_prints_arrives_and_standard_input_is_empty(make_project):
    program = "import sys\nprint('read', repr(sys.stdin.read()))\nprint('warned', file=sys.stderr)\n"
    done = make_project(program, dev="config: {}\n").pulumi("preview", "--stack", "dev")
    assert done.returncode == 0
    assert "read ''" in done.stdout
    assert "warned" in done.stdout


def test_environment_that_is_not_there_is_named_with_the_remedy(make_project):
    sandbox = make_project(RECORD, dev="config: {}\n")
    (sandbox.project / ".venv").unlink()
    done = sandbox.pulumi("preview", "--stack", "dev")
    assert done.returncode != 0
    assert "make setup" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_stack_whose_update_was_killed_is_locked_until_it_is_cancelled(make_project):
    waiting = (
        "import os, pathlib, time\npathlib.Path(os.environ['HEADROOM_CLOUD']).write_text(str(os.getpid()))\n"
    )
    sandbox = make_project(waiting + "time.sleep(60)\n", dev="config: {}\n")
    sandbox.sandbox.prepare(sandbox.cli, ["up", "--stack", "dev"])
    command = [sandbox.cli.path, "up", "--stack", "dev", "--yes", "--skip-preview"]
    folder, environment = sandbox.sandbox.working_copy, sandbox.sandbox.environment(sandbox.cli)
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE) as engine:
        while not sandbox.sandbox.cloud.exists() or not sandbox.sandbox.cloud.read_text():
            time.sleep(0.05)
        engine.kill()
        engine.communicate()
    program = Path("/proc") / sandbox.sandbox.cloud.read_text()
    while program.exists():
        time.sleep(0.05)
    (sandbox.project / "infra" / "__main__.py").write_text(RECORD)
    locked = sandbox.pulumi("up", "--stack", "dev", "--yes", "--skip-preview")
    assert locked.returncode != 0
    assert "locked" in locked.stderr
    assert sandbox.pulumi("cancel", "--stack", "dev", "--yes").returncode == 0
    sandbox.up("dev").require_success()


def test_about_lists_the_interpreter_and_the_packages(make_project):
    done = make_project(RECORD, dev="config: {}\n").pulumi("about", "--stack", "dev", "--json")
    about = json.loads(done.stdout)
    assert about["runtime"]["executable"].endswith(".venv/bin/python")
    assert "pulumi" in {each["name"] for each in about["dependencies"]}
