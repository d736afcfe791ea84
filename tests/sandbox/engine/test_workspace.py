import os
import signal
import stat
import subprocess
import sys
import threading
from importlib.metadata import version

import pytest

from sandbox.engine.errors import SandboxError
from sandbox.engine.install import HANDOVER, HANDOVER_VARIABLE, LANGUAGE_HOST, PulumiCli
from sandbox.engine.workspace import SOURCE_ROOT, Sandbox, find_project

# A CLI that creates stacks as the file backend does, and records its calls beside itself.
FAKE_CLI = """\
import os, pathlib, sys
here = pathlib.Path(__file__)
with here.with_name("calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
words = [each for each in sys.argv[1:] if not each.startswith("-")]
if words[:2] == ["stack", "init"]:
    folder = pathlib.Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi/stacks/small"
    folder.mkdir(parents=True)
    (folder / f"{words[2]}.json").write_text("{}")
    file = pathlib.Path(f"Pulumi.{words[2]}.yaml")
    file.write_text("encryptionsalt: v1:mine\\n" + file.read_text())
if words[:2] == ["config", "set"]:
    file = pathlib.Path("Pulumi.dev.yaml")
    file.write_text(file.read_text() + f"  small:{words[2]}: {words[3]}\\n")
sys.exit(4 if words[:1] == ["up"] else 0)
"""


@pytest.fixture
def cli(tmp_path):
    folder = tmp_path / "cli"
    folder.mkdir()
    path = folder / "pulumi"
    path.write_text(f"#!{sys.executable}\n{FAKE_CLI}")
    path.chmod(0o755)
    return PulumiCli(path, "3.259.0", "built", None, folder / "exec")


@pytest.fixture
def sandbox(project, tmp_path):
    return Sandbox(project, tmp_path / "state")


def calls(cli):
    return cli.path.with_name("calls").read_text().splitlines()


def test_stack_is_created_when_first_named_and_only_then(sandbox, cli):
    sandbox.capture(cli, ["preview", "--stack", "dev"])
    sandbox.capture(cli, ["preview", "--stack", "dev"])
    assert [each for each in calls(cli) if "init" in each] == [
        "--non-interactive stack init dev --secrets-provider passphrase --no-select"
    ]
    assert sandbox.list_stacks() == ["dev"]


def test_stack_named_by_the_environment_is_created(sandbox, cli, monkeypatch):
    monkeypatch.setenv("PULUMI_STACK", "prod")
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    sandbox.capture(cli, ["preview"])
    assert sandbox.list_stacks() == ["prod"]
    assert sandbox.environment(cli)["PULUMI_STACK"] == "prod"
    assert sandbox.environment(cli)["PULUMI_K8S_DELETE_UNREACHABLE"] == "true"


def test_salt_stays_in_the_copy_while_edits_of_the_project_arrive(sandbox, cli):
    sandbox.capture(cli, ["preview", "--stack", "dev"])
    (sandbox.project / "Pulumi.dev.yaml").write_text("config:\n  small:size: 2\n")
    sandbox.capture(cli, ["preview", "--stack", "dev"])
    copy = (sandbox.working_copy / "Pulumi.dev.yaml").read_text()
    assert copy == "encryptionsalt: v1:mine\nconfig:\n  small:size: 2\n"


def test_config_command_is_carried_back_and_others_are_not(sandbox, cli):
    sandbox.capture(cli, ["config", "set", "--stack=dev", "name", "x"])
    assert (sandbox.project / "Pulumi.dev.yaml").read_text() == "config:\n  small:size: 1\n  small:name: x\n"
    assert (sandbox.project / "Pulumi.prod.yaml").read_text() == "config:\n  small:size: 9\n"


def test_exit_code_of_the_cli_is_passed_on(sandbox, cli):
    assert sandbox.run(cli, ["up", "--stack", "dev"]) == 4
    assert sandbox.run(cli, ["preview", "--stack", "dev"]) == 0


def test_state_is_the_user_s_alone_and_the_passphrase_is_kept(sandbox, cli):
    sandbox.capture(cli, ["preview"])
    passphrase = (sandbox.state / "passphrase").read_text()
    sandbox.capture(cli, ["preview"])
    assert (sandbox.state / "passphrase").read_text() == passphrase
    assert len(passphrase) == 32
    assert stat.S_IMODE(sandbox.state.stat().st_mode) == 0o700
    assert stat.S_IMODE((sandbox.state / "passphrase").stat().st_mode) == 0o600


def test_imitation_of_google_is_installed_under_the_version_of_the_package(sandbox, cli):
    sandbox.capture(cli, ["preview"])
    launcher = sandbox.home / "plugins" / f"resource-gcp-v{version('pulumi-gcp')}" / "pulumi-resource-gcp"
    assert os.access(launcher, os.X_OK)
    assert f"{sys.executable} -P -m sandbox.google" in launcher.read_text()
    assert str(SOURCE_ROOT) in launcher.read_text()


def test_built_cli_is_handed_the_sandbox_s_language_host(sandbox, cli):
    sandbox.capture(cli, ["preview"])
    assert cli.path.with_name(LANGUAGE_HOST).read_text() == HANDOVER
    assert os.access(sandbox.environment(cli)[HANDOVER_VARIABLE], os.X_OK)


def test_official_host_is_left_alone(sandbox, cli, tmp_path):
    official = PulumiCli(cli.path, "3.300.0", "PATH", cli.path.with_name(LANGUAGE_HOST), None)
    sandbox.capture(official, ["preview"])
    assert not (sandbox.state / "bin").exists()
    assert not cli.path.with_name(LANGUAGE_HOST).exists()


def test_environment_has_local_state_and_no_credentials(sandbox, cli, monkeypatch):
    foreign = {"PULUMI_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_CORE_PROJECT"}
    foreign |= {
        "AWS_SECRET_ACCESS_KEY",
        "AZURE_CLIENT_SECRET",
        "ARM_CLIENT_SECRET",
        "VAULT_TOKEN",
        "KUBECONFIG",
    }
    for name in foreign:
        monkeypatch.setenv(name, "x")
    environment = sandbox.environment(cli)
    assert foreign.isdisjoint(environment)
    assert environment["CLOUDSDK_CONFIG"] == str(sandbox.state / "no-credentials")
    assert environment["PULUMI_BACKEND_URL"] == f"file://{sandbox.state}/backend"
    assert environment["HEADROOM_CLOUD"] == str(sandbox.state / "cloud.sqlite")
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"


def test_reset_forgets_the_state_and_leaves_the_project(sandbox, cli):
    sandbox.capture(cli, ["preview", "--stack", "dev"])
    sandbox.reset()
    assert sandbox.list_stacks() == []
    assert {each.name for each in sandbox.state.iterdir()} == {"sandbox.lock"}
    assert (sandbox.project / "infra").is_dir()


def test_folder_that_holds_nothing_but_a_cloud_is_a_sandbox(sandbox, cli):
    sandbox.state.mkdir()
    (sandbox.state / "cloud.sqlite").touch()
    sandbox.make_folder()
    assert (sandbox.state / "sandbox.lock").exists()


def test_folder_that_holds_other_things_is_neither_used_nor_emptied(sandbox, cli):
    sandbox.state.mkdir()
    (sandbox.state / "thesis.txt").touch()
    for call in (lambda: sandbox.capture(cli, ["preview"]), sandbox.reset):
        with pytest.raises(SandboxError, match="holds other things"):
            call()
    assert [each.name for each in sandbox.state.iterdir()] == ["thesis.txt"]


def test_stack_file_that_is_no_text_is_an_error_and_hinders_no_other_stack(sandbox, cli):
    (sandbox.project / "Pulumi.dev.yaml").write_bytes(b"\xff\xfe\x00binary")
    (sandbox.project / "Pulumi.qa.yaml").mkdir()
    assert sandbox.run(cli, ["preview", "--stack", "prod"]) == 0
    for stack, message in (("dev", "not UTF-8"), ("qa", "cannot be read")):
        with pytest.raises(SandboxError, match=rf"Pulumi\.{stack}\.yaml .*{message}"):
            sandbox.run(cli, ["preview", "--stack", stack])


def test_project_file_that_is_no_yaml_is_an_error(sandbox, cli):
    (sandbox.project / "Pulumi.yaml").write_text("name: [\n")
    with pytest.raises(SandboxError, match="not valid YAML"):
        sandbox.capture(cli, ["preview", "--stack", "dev"])


def test_failed_creation_of_a_stack_says_why(sandbox, cli):
    text = cli.path.read_text()
    cli.path.write_text(text.replace("words = ", 'if "init" in sys.argv: sys.exit("no room")\nwords = '))
    with pytest.raises(SandboxError, match="no room"):
        sandbox.capture(cli, ["preview", "--stack", "dev"])


def test_project_without_a_name_is_an_error_with_the_remedy(sandbox, cli):
    (sandbox.project / "Pulumi.yaml").write_text("[]\n")
    with pytest.raises(SandboxError, match="`name` is missing"):
        sandbox.capture(cli, ["preview", "--stack", "dev"])


def test_project_is_found_from_a_folder_inside_it(project, tmp_path):
    assert find_project(project / "infra") == project
    with pytest.raises(SandboxError, match=r"no Pulumi\.yaml"):
        find_project(tmp_path)


def test_termination_reaches_the_cli_and_its_end_is_awaited(tmp_path):
    program = (
        "import sys; from pathlib import Path; from sandbox.engine.workspace import _run_attached\n"
        "sys.exit(_run_attached(['sh', '-c', 'trap \"exit 9\" TERM; echo on; while :; do sleep 0.05; done'],"
        " Path('.'), {'PATH': '/usr/bin:/bin'}))\n"
    )
    command = [sys.executable, "-c", program]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(SOURCE_ROOT)}
    )
    with process:
        assert process.stdout.readline() == "on\n"
        threading.Timer(0.1, process.send_signal, [signal.SIGTERM]).start()
        assert process.wait(10) == 9
