"""What the sandbox changes in the project, and what one sandbox knows of another."""

import pytest
import yaml

from sandbox.engine.errors import SandboxError

PROGRAM = (
    "import pulumi\npulumi.export('max', pulumi.Config().require_object('pools')['cpu']['nodes']['max'])\n"
)
STACK_FILE = """\
# yaml-language-server: $schema=stack.schema.json
config:
  gcp:project: acme-ml-dev
  # room for the largest pipeline
  headroom:pools:
    cpu: {machine: n2-standard-16, nodes: {min: 1, max: 12}}
"""
KEYED = """\
secretsprovider: gcpkms://projects/acme/locations/us/keyRings/state/cryptoKeys/pulumi
encryptedkey: CiQAx0aB
"""
SECRET = """\
  headroom:token:
    secure: AAABAK7d0e4fQ2hhbmdl
"""


@pytest.mark.parametrize("text", [STACK_FILE, KEYED + STACK_FILE, KEYED + STACK_FILE + SECRET])
def test_update_preview_and_stack_init_leave_the_stack_file_as_it_is(make_project, text):
    sandbox = make_project(PROGRAM, dev=text)
    assert sandbox.pulumi("stack", "init", "dev").returncode == 0
    sandbox.preview("dev").require_success()
    sandbox.up("dev").require_success()
    assert (sandbox.project / "Pulumi.dev.yaml").read_text() == text
    assert sorted(path.name for path in sandbox.project.iterdir()) == [
        ".venv",
        "Pulumi.dev.yaml",
        "Pulumi.yaml",
        "infra",
    ]


def test_secret_of_another_key_has_a_stand_in_that_is_secret(make_project):
    program = "import pulumi\npulumi.export('token', pulumi.Config().require_secret('token'))\n"
    sandbox = make_project(program, dev=KEYED + STACK_FILE + SECRET)
    sandbox.up("dev").require_success()
    assert sandbox.outputs("dev") == {"token": "[secret]"}
    assert sandbox.outputs("dev", "--show-secrets") == {"token": "sandbox-stand-in"}


def test_stack_that_was_removed_comes_up_again_with_its_secrets(make_project):
    sandbox = make_project(PROGRAM, dev=KEYED + STACK_FILE + SECRET)
    sandbox.up("dev").require_success()
    assert sandbox.pulumi("stack", "rm", "--stack", "dev", "--yes", "--force").returncode == 0
    assert (sandbox.project / "Pulumi.dev.yaml").read_text() == KEYED + STACK_FILE + SECRET
    sandbox.up("dev").require_success()


def test_config_set_is_carried_back_and_nothing_else_changes(make_project):
    sandbox = make_project(PROGRAM, dev=KEYED + STACK_FILE + SECRET)
    done = sandbox.pulumi("config", "set", "--stack", "dev", "--path", "headroom:pools.cpu.nodes.max", "16")
    assert done.returncode == 0, done.stderr
    edited = (KEYED + STACK_FILE + SECRET).replace("max: 12", "max: 16")
    carried = (sandbox.project / "Pulumi.dev.yaml").read_text()
    assert yaml.safe_load(carried) == yaml.safe_load(edited)
    assert "# room for the largest pipeline" in carried
    sandbox.up("dev").require_success()
    assert sandbox.outputs("dev") == {"max": 16}


def test_config_rm_is_carried_back(make_project):
    sandbox = make_project(PROGRAM, dev=STACK_FILE)
    assert sandbox.pulumi("config", "rm", "--stack", "dev", "gcp:project").returncode == 0
    assert "gcp:project" not in (sandbox.project / "Pulumi.dev.yaml").read_text()


def test_secret_is_refused_where_the_file_has_a_real_key(make_project):
    from sandbox.engine.errors import SandboxError

    sandbox = make_project(PROGRAM, dev=KEYED + STACK_FILE)
    with pytest.raises(SandboxError, match="as it was"):
        sandbox.pulumi("config", "set", "--stack", "dev", "--secret", "headroom:token", "hush")
    assert (sandbox.project / "Pulumi.dev.yaml").read_text() == KEYED + STACK_FILE
    sandbox.preview("dev").require_success()


def test_two_sandboxes_do_not_see_each_other(make_project):
    first = make_project(PROGRAM, name="first", dev=STACK_FILE)
    second = make_project(PROGRAM, name="second", dev=STACK_FILE)
    first.up("dev").require_success()
    assert len(first.export("dev")) == 1
    assert second.export("dev") == []
    assert second.preview("dev").require_success().changes == {"create": 1}


def test_stack_without_a_stack_file_is_not_created_by_its_name(make_project):
    sandbox = make_project(PROGRAM, dev=STACK_FILE)
    with pytest.raises(SandboxError, match=r"no stack file Pulumi\.dve\.yaml; the stacks here: dev"):
        sandbox.pulumi("preview", "--stack", "dve")


def test_credentials_and_other_backends_do_not_reach_the_program(make_project, monkeypatch):
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-0000")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "gs://elsewhere")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "key.json")
    program = "import os, pulumi\npulumi.export('names', dict(os.environ))\n"
    sandbox = make_project(program, dev=STACK_FILE)
    sandbox.up("dev").require_success()
    names = sandbox.outputs("dev")["names"]
    assert "PULUMI_ACCESS_TOKEN" not in names
    assert names["GOOGLE_APPLICATION_CREDENTIALS"] != "key.json"
    assert "HEADROOM_CLOUD" in names
