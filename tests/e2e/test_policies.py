"""The policy pack on the real engine: clean stacks pass, and what breaks a promise is refused at the preview."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from policies.quota_rules import QUOTA_RULES
from sandbox.engine.workspace import SOURCE_ROOT
from tests.e2e.conftest import EngineSandbox

# Runs the program with every resource passed through `change` first, as a program that was edited would.
CHANGED = """
import runpy, sys
sys.path.insert(0, {root!r})
import pulumi

def change(kind, name, props):
{change}

make = pulumi.CustomResource.__init__
def make_changed(self, kind, name, props=None, *others, **options):
    change(kind, name, props)
    make(self, kind, name, props, *others, **options)
pulumi.CustomResource.__init__ = make_changed
runpy.run_path({root!r} + "/infra", run_name="__main__")
"""

# One resource or field each, so that what one rule finds hides nothing from another.
EDIT = """
    def quota(flavor, resource):
        (group,) = props["spec"]["resourceGroups"]
        (found,) = [each for each in group["flavors"] if each["name"] == flavor]
        return next(each for each in found["resources"] if each["name"] == resource)

    if name == "dev-queue-experiments":
        quota("l4", "nvidia.com/gpu")["nominalQuota"] = "2"
        quota("h100", "nvidia.com/gpu")["lendingLimit"] = "1"
        props["spec"]["stopPolicy"] = "Hold"
    if name == "dev-queue-feed-training":
        quota("v5e", "google.com/tpu")["nominalQuota"] = "32"
    if name == "dev-queue-shelf-training":
        quota("v5e", "google.com/tpu")["borrowingLimit"] = "32"
        props["spec"]["preemption"]["reclaimWithinCohort"] = "Never"
    if name == "dev-queue-feed-data":
        del quota("cpu", "cpu")["borrowingLimit"]
        props["spec"]["namespaceSelector"] = {}
    if name == "dev-queue-fraud-data":
        props["spec"]["cohortName"] = "pipeline"
        props["spec"]["queueingStrategy"] = "StrictFIFO"
    if name == "dev-namespace-headroom-gateway":
        props["metadata"]["name"] = "side"
    if name == "dev-queue-fraud-serving":
        props["spec"]["resourceGroups"][0]["flavors"][0]["name"] = "gone"
    if name == "dev-quota-feed-data":
        props["spec"]["hard"]["count/jobs.batch"] = "100000"
        props["spec"]["hard"]["requests.cpu"] = "900"
    if name == "dev-limits-feed-data":
        props["metadata"]["namespace"] = "default"
    if name == "dev-policybinding-headroom-queue-name":
        props["spec"]["validationActions"] = ["Warn"]
    if name == "dev-statefulset-pushgateway":
        props["spec"]["replicas"] = 100
    if name == "dev-pool-v6e":
        props.__dict__["autoscaling"] = None
    if name == "dev-pool-cpu":
        props.__dict__["autoscaling"]["total_max_node_count"] = 40
    if name == "dev-flavor-v6e":
        props["spec"]["nodeLabels"] = {"headroom/pool": "v7"}
    if name == "dev-network":
        disk = {"zone": "us-central1-a", "project": "acme-ml-dev", "name": "aside", "size": 4000}
        pulumi.CustomResource("gcp:compute/disk:Disk", "aside", disk)
"""


@pytest.fixture
def preview(platform: EngineSandbox) -> Callable[..., CompletedProcess[str]]:
    """Preview a stack with the pack of the project."""
    pack = str(platform.project / "policies")
    return lambda stack: platform.pulumi("preview", "--stack", stack, "--policy-pack", pack)


def edit_program(platform: EngineSandbox, change: str) -> None:
    folder = platform.project / "infra"
    folder.unlink()
    folder.mkdir()
    (folder / "__main__.py").write_text(CHANGED.format(root=str(SOURCE_ROOT), change=change))


def own_policies(project: Path) -> Path:
    """A copy of the pack in the project, for settings of its own."""
    folder = project / "policies"
    shutil.copytree(SOURCE_ROOT / "policies", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def findings_of(shown: str) -> list[tuple[str, str]]:
    """What the engine prints of the pack's findings: the rules' names, and what they say."""
    return sorted(re.findall(r"^ +\[([a-z-]+)\] (.+)$", shown, re.MULTILINE))


def broken_rules(shown: str) -> set[str]:
    return {rule for rule, _ in findings_of(shown)}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_preview_of_the_stacks_of_the_project_is_clean(
    stack: str, platform: EngineSandbox, preview: Callable[..., CompletedProcess[str]]
) -> None:
    """Q2, Q3, Q5, job 2."""
    done = preview(stack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✅ headroom@v0.1.0" in done.stdout
    assert findings_of(done.stdout) == check_offline(platform, stack) == []


def test_a_first_preview_is_clean_where_owners_exist_and_the_platform_has_jobs(
    platform: EngineSandbox, preview: Callable[..., CompletedProcess[str]]
) -> None:
    """D1, M17: nothing is granted to owners at .example; of what is, much is not known before the update."""
    path = platform.project / "Pulumi.prod.yaml"
    config = yaml.safe_load(path.read_text().replace("@acme.example", "@acme.dev"))["config"]
    config["headroom:cluster"]["security_group"] = "gke-security-groups@acme.dev"
    image = f"europe-west4-docker.pkg.dev/acme-ml/tools/headroom@sha256:{64 * '0'}"
    config["headroom:operations"] = {"image": image, "audit": {}, "rollbacks": {}}
    path.unlink()
    path.write_text(yaml.safe_dump({"config": config}))
    done = preview("prod")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "prod-rollbacks-returner" in done.stdout
    assert findings_of(done.stdout) == []


def test_a_program_that_was_edited_is_refused_by_every_rule_that_it_breaks(
    platform: EngineSandbox, preview: Callable[..., CompletedProcess[str]]
) -> None:
    """Q2, Q3, Q5: the stack file is sound, so nobody but the pack sees what the program makes of it."""
    edit_program(platform, EDIT)
    done = preview("dev")
    assert done.returncode != 0
    told_elsewhere = {"serving-not-above-training", "grants-are-awaited", "requests-suffice"}
    assert broken_rules(done.stdout) == {rule.name for rule in QUOTA_RULES} - told_elsewhere
    assert platform.export("dev") == []


def break_promises(config: dict[str, Any]) -> None:
    """Headroom that is lent, headroom that shrinks, and a pipeline that takes what another was guaranteed."""
    config["headroom:quota"]["experiments"] = {"lend": True, "pools": {"cpu": 0.1}}
    pipelines = config["headroom:pipelines"]
    pipelines["fraud-training"]["limits"]["cpu"]["cpu"]["guarantee"] = 4
    pipelines["feed-data"]["limits"]["cpu"]["cpu"]["guarantee"] = 36


def test_a_stack_file_that_breaks_promises_is_refused_at_the_preview_as_by_the_check_without_an_engine(
    platform: EngineSandbox, preview: Callable[..., CompletedProcess[str]]
) -> None:
    """Q2, Q5: the stack file is well formed, and what it asks for is not agreed."""
    platform.edit_stack_file("dev", break_promises)
    done = preview("dev")
    assert done.returncode != 0
    found = findings_of(done.stdout)
    assert {rule for rule, _ in found} == {"headroom-never-lent", "headroom-kept", "promises-are-kept"}
    for said in (
        "lends",
        "for experiments, and the least of",
        "takes 75% of the guarantee of fraud-training in cpu",
    ):
        assert any(said in text for _, text in found), done.stdout
    assert found == check_offline(platform, "dev")
    assert platform.export("dev") == []


def check_offline(platform: EngineSandbox, stack: str) -> list[tuple[str, str]]:
    """What `headroom check` finds: the rules' names, and resource, message and remedy."""
    command = [Path(sys.executable).with_name("headroom"), "check", "-s", stack, "--format", "json"]
    done = subprocess.run(command, cwd=platform.project, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return sorted(
        (each["rule"], f"{each['resource']}: {each['message']}; {each['remedy']}")
        for each in json.loads(done.stdout)["findings"]
    )


SMALL = """
import pulumi
class Group(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:groups:Group", name)
Group("one")
"""


def test_settings_that_are_wrong_refuse_the_change_before_anything_is_created(
    make_project: Callable[..., EngineSandbox],
) -> None:
    """Of a form that is wrong a preview tells, of a rule that there is none of an update without one."""
    sandbox = make_project(SMALL, dev="config: {}\n")
    for name in ("headroom", "quotas"):
        (sandbox.project / name).symlink_to(SOURCE_ROOT / name)
    pack = own_policies(sandbox.project)
    (pack / "settings.yaml").write_text("headroom: {share: 7}")
    preview = sandbox.pulumi("preview", "--stack", "dev", "--policy-pack", str(pack))
    assert preview.returncode != 0
    assert "policies/settings.yaml: headroom.share: must be at most 0.9" in preview.stdout
    (pack / "settings.yaml").write_text("levels: {headroom-keept: mandatory}")
    up = sandbox.pulumi("up", "--stack", "dev", "--yes", "--skip-preview", "--policy-pack", str(pack))
    assert up.returncode != 0
    assert "levels.headroom-keept: names no rule; did you mean headroom-kept?" in up.stdout
    assert not [each for each in sandbox.export("dev") if each["type"] == "test:groups:Group"]
