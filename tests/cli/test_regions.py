"""D3, D4, D6: two stacks of one model, as a user runs the commands on them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from headroom.live.connection import ENDPOINT_VARIABLE
from tests.cloud_deploy import PRODUCTION, STAGING, CloudDeploy, serve

Headroom = Callable[..., CompletedProcess[str]]

FRAUD = ("-p", "fraud-serving")
FAR = "prod-us"
FAR_TARGET = f"{FAR}-fraud-serving"


def edit(project: Path, stack: str, change: Callable[[dict[str, Any]], object]) -> None:
    path = project / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(path.read_text())
    change(content["config"])
    path.write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.fixture(autouse=True)
def far(project: Path) -> Path:
    """The file of a second region, to which `prod` releases."""
    config = yaml.safe_load((project / "Pulumi.prod.yaml").read_text())["config"]
    zones = ["us-east4-a", "us-east4-b", "us-east4-c"]
    serving = config["headroom:pipelines"]["fraud-serving"]
    kept = ("headroom:environment", "headroom:alerting", "headroom:encryption")
    wanted = {key: config[key] for key in kept if key in config} | {
        "gcp:project": "acme-ml-prod-us",
        "gcp:region": "us-east4",
        "headroom:cluster": config["headroom:cluster"] | {"zones": zones},
        "headroom:pools": {"cpu": {"machine": "n2-standard-32", "nodes": {"min": 3, "max": 40}}},
        "headroom:delivery": {"follows": "prod", "wait_minutes": 240},
        "headroom:pipelines": {"fraud-serving": serving | {"delivery": {"preset": "standard"}}},
    }
    path = project / f"Pulumi.{FAR}.yaml"
    path.write_text(yaml.safe_dump({"config": wanted}, sort_keys=False))
    edit(project, "prod", lambda config: config["headroom:delivery"].update(regions=[FAR]))
    return path


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudDeploy]:
    """Both regions have v7, and had v6."""
    cloud = CloudDeploy()
    for name, day in (("v6", "02"), ("v7", "09")):
        cloud.release(name, f"2026-11-{day}T09:00:00Z")
        for hour, target in ((9, STAGING), (10, PRODUCTION), (14, FAR_TARGET)):
            cloud.rollout(name, f"to-{target}", target, "SUCCEEDED", f"2026-11-{day}T{hour:02}:30:00Z")
    with serve(cloud) as url:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield cloud


def test_the_plan_of_either_stack_shows_the_region(headroom: Headroom) -> None:
    """D4."""
    leading = headroom("plan", "-s", "prod")
    assert leading.returncode == 0, leading.stderr
    assert f"canary in {FAR}" in leading.stdout
    assert (
        f"fraud-serving in {FAR}: begun by ml-approvers@acme.example 4h after the region before"
        in leading.stdout
    )
    following = headroom("plan", "-s", FAR)
    assert following.returncode == 0, following.stderr
    assert f"canary in {FAR}" in following.stdout
    assert "fraud-serving-staging" not in following.stdout


def test_a_rollback_is_of_all_regions_that_have_the_model_or_of_the_one_that_is_named(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    """D6."""
    everywhere = headroom("release", "rollback", "-s", "prod", *FRAUD, "--dry-run", "--json")
    assert everywhere.returncode == 0, everywhere.stderr
    steps = json.loads(everywhere.stdout)
    assert [step["request"]["body"]["targetId"] for step in steps] == [PRODUCTION, FAR_TARGET]
    assert cloud.changes == []
    one = headroom("release", "rollback", "-s", "prod", *FRAUD, "--region", FAR)
    assert one.returncode == 0, one.stderr
    assert [body["targetId"] for _, body in cloud.changes] == [FAR_TARGET]
    none = headroom("release", "rollback", "-s", "prod", *FRAUD, "--region", "prod-eu")
    assert none.returncode == 2
    assert none.stderr.startswith("--region: fraud-serving is not released to prod-eu; did you mean prod-us?")


def test_a_region_that_refuses_does_not_keep_the_other_from_going_back(
    headroom: Headroom, cloud: CloudDeploy
) -> None:
    """D6: what was not done is named."""
    refusal = {"error": {"code": 409, "status": "ABORTED", "message": "another operation is under way"}}
    cloud.failures.append((":rollbackTarget", 409, refusal))
    done = headroom("release", "rollback", "-s", "prod", *FRAUD)
    assert done.returncode == 1
    assert [body["targetId"] for _, body in cloud.changes] == [PRODUCTION, FAR_TARGET]
    assert "not done: gives all users of production v6 in the place of v7" in done.stderr
    assert f"done: gives all users of {FAR} v6 in the place of v7" in done.stdout


@pytest.mark.parametrize("verb", ["status", "approve", "advance", "rollback", "audit"])
def test_releases_are_asked_for_where_they_begin(headroom: Headroom, verb: str) -> None:
    """D3."""
    done = headroom("release", verb, "-s", FAR, *FRAUD)
    assert done.returncode == 2
    assert "headroom:delivery.follows: is prod, which releases of all regions come from" in done.stderr
    assert "-s prod" in done.stderr


def test_pages_are_written_where_releases_begin(headroom: Headroom, project: Path) -> None:
    """D3."""
    assert headroom("docs", "-s", "prod").returncode == 0
    page = (project / "docs" / "delivery" / "prod" / "fraud.md").read_text()
    assert f"| canary in {FAR} |" in page
    done = headroom("docs", "-s", FAR)
    assert done.returncode == 0
    assert "whose pages tell of this region: headroom docs -s prod" in done.stderr
    assert not (project / "docs" / "delivery" / FAR).exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("config: [", f"Pulumi.{FAR}.yaml: "),
        ("config: {headroom:pools: {}}", f"Pulumi.{FAR}.yaml: gcp:project: is required"),
        ("\x00", f"Pulumi.{FAR}.yaml: "),
    ],
)
def test_a_file_of_another_region_that_cannot_be_used_is_named(
    headroom: Headroom, far: Path, text: str, said: str
) -> None:
    far.write_text(text)
    for command in (("plan",), ("check",), ("docs", "--check"), ("estimate",), ("alerts", "list")):
        done = headroom(*command, "-s", "prod")
        assert done.returncode == 2, (command, done.stdout)
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_region_without_a_file_is_refused(headroom: Headroom, far: Path) -> None:
    far.unlink()
    done = headroom("plan", "-s", "prod")
    assert done.returncode == 2
    assert f"headroom:delivery.regions[0]: names no stack: there is no Pulumi.{FAR}.yaml" in done.stderr


def test_the_policies_judge_both_stacks_offline(headroom: Headroom) -> None:
    """D1, D8: what they find is of other rules: nothing is granted to the new project yet."""
    for stack in ("prod", FAR):
        found = json.loads(headroom("check", "-s", stack, "--format", "json").stdout)["findings"]
        rules = {each["rule"] for each in found}
        assert not rules & {
            "approvers-are-planned",
            "canaries-come-first",
            "deliveries-are-approved",
            "models-are-delivered",
            "rollbacks-are-automated",
            "targets-are-the-stacks-own",
        }


def test_a_change_shows_what_it_does_beside_the_other_region(headroom: Headroom, project: Path) -> None:
    """Job 2: the file before is planned beside the regions that it names."""
    before = project / "before.yaml"
    before.write_text((project / "Pulumi.prod.yaml").read_text())
    done = headroom("diff", "-s", "prod", "--base", str(before))
    assert done.returncode == 0, done.stderr
