"""Policy packs under the engine of the sandbox."""

import sys
from pathlib import Path

import pytest

PROGRAM = """
import pulumi
class Group(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:groups:Group", name)
        self.register_outputs({})
Group("one")
"""
PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

def count(args, report):
    groups = [each for each in args.resources if each.resource_type == "test:groups:Group"]
    if len(groups) != LIMIT:
        report(f"groups: {len(groups)}, allowed LIMIT")

RULE = StackValidationPolicy("groups", "Count groups.", count)
PolicyPack("tests", [RULE], EnforcementLevel.MANDATORY)
"""


@pytest.fixture
def make_pack(tmp_path):
    def make(limit: int) -> Path:
        folder = tmp_path / "policies"
        folder.mkdir()
        (folder / "PulumiPolicy.yaml").write_text(
            "runtime: {name: python, options: {virtualenv: ../pack-env}}\n"
        )
        (folder / "__main__.py").write_text(PACK.replace("LIMIT", str(limit)))
        (tmp_path / "pack-env").symlink_to(Path(sys.prefix))
        return folder

    return make


def test_pack_that_is_content_lets_the_preview_pass(make_project, make_pack):
    sandbox = make_project(PROGRAM, dev="config: {}\n")
    sandbox.preview("dev", "--policy-pack", str(make_pack(1))).require_success()


def test_mandatory_violation_fails_the_preview_with_the_message_of_the_rule(make_project, make_pack):
    sandbox = make_project(PROGRAM, dev="config: {}\n")
    done = sandbox.pulumi("preview", "--stack", "dev", "--policy-pack", str(make_pack(0)))
    assert done.returncode != 0
    assert "groups: 1, allowed 0" in done.stdout
