"""D3, D5, D6: the pages say what the plan says, and their commands are such that there are."""

import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from headroom.cli.main import app
from headroom.delivery.commands import name_release
from headroom.delivery.page import render_pages
from headroom.planning.plan import Plan
from tests.conftest import ROOT
from tests.delivery.conftest import plan_of

PAGES = [("prod", model) for model in ("assistant", "feed", "fraud", "shelf")] + [("dev", "feed")]
GCLOUD = Path(__file__).parent / "published" / "gcloud-deploy.yaml"


@cache
def gcloud() -> dict[str, tuple[set[str], set[str]]]:
    """For each command of `gcloud deploy` the flags that it needs, and all that it takes."""
    return {
        row["command"]: (
            set(row["required"].split()),
            set(row["required"].split()) | set(row["optional"].split()) | {group["wide"]},
        )
        for group in yaml.safe_load(GCLOUD.read_text())
        for row in group["commands"]
    }


def commands_in(page: str) -> Iterator[list[str]]:
    """The commands of a page's blocks, each as a shell takes it apart."""
    for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip():
                yield shlex.split(line)


def page_of(stack: str, model: str) -> str:
    return render_pages(plan_of(stack))[model]


@pytest.mark.parametrize(("stack", "model"), PAGES)
def test_the_committed_page_is_what_the_stack_file_says(stack: str, model: str) -> None:
    """D3. Where it fails: headroom docs -s STACK."""
    assert (ROOT / "docs" / "delivery" / stack / f"{model}.md").read_text() == page_of(stack, model)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_there_is_a_page_for_each_delivered_model_and_no_other(stack: str) -> None:
    """D3."""
    assert {path.stem for path in (ROOT / "docs" / "delivery" / stack).iterdir()} == set(
        render_pages(plan_of(stack))
    )
    assert len(render_pages(plan_of("prod"))) == 4


@pytest.mark.parametrize(("stack", "model"), PAGES)
def test_every_command_of_gcloud_is_one_that_there_is(stack: str, model: str) -> None:
    """D3, D6: in its reference, with the flags that it needs and none that it does not take."""
    found = [command for command in commands_in(page_of(stack, model)) if command[0] == "gcloud"]
    assert found
    for command in found:
        assert command[:2] == ["gcloud", "deploy"]
        required, taken = gcloud()[" ".join(command[2:4])]
        flags = {argument.partition("=")[0] for argument in command[4:] if argument.startswith("--")}
        assert required <= flags <= taken
        positional = [argument for argument in command[4:] if not argument.startswith("--")]
        assert len(positional) == (0 if command[2:4] == ["rollouts", "list"] else 1)


@pytest.mark.parametrize(("stack", "model"), PAGES)
def test_every_command_of_headroom_parses(stack: str, model: str) -> None:
    """D3: by the very command line that people use."""
    found = [command for command in commands_in(page_of(stack, model)) if command[0] == "headroom"]
    asked = {"approve"} if stack == "prod" else set()
    asked |= {"advance"} if " let it go on after " in page_of(stack, model) else set()
    assert {command[1] for command in found} == {"release"}
    assert {command[2] for command in found} == {"render", "check", "status", "rollback"} | asked
    for command in found:
        parse(command[1:])


def parse(arguments: list[str]) -> None:
    """Parse a command line without running it; it raises where it does not parse."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        _, command, arguments = command.resolve_command(command.context_class(command), list(arguments))
    command.make_context(command.name, list(arguments))


def test_a_command_that_there_is_not_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    for arguments in (["release", "rendre"], ["release", "render", "--stak", "prod"], ["docs"]):
        with pytest.raises(Exception, match=r"No such|Missing parameter"):
            parse(arguments)


def test_who_approves_what_is_said() -> None:
    """D1, D2, D3."""
    page = page_of("prod", "fraud")
    assert "| approve that a release begins in production | ml-approvers@acme.example |" in page
    assert "| let it go on after 1 %, 5 %, 25 % of the users | risk-approvers@acme.example |" in page
    assert "Nobody may approve what they released themselves" in page
    assert "--phase-id=canary-5 " in page
    assert "| approve that a release begins in production | nobody is asked |" in page_of("dev", "feed")
    assert "rollouts approve" not in page_of("dev", "feed")


def test_where_it_runs_is_said() -> None:
    """D4."""
    page = page_of("prod", "feed")
    assert (
        "| staging | none | `prod-feed-serving-staging` | `feed-serving-staging` | `prod-staging` | 1 |"
        in page
    )
    assert "| canary | 5 %, 25 %, 50 % | `prod-feed-serving` | `feed-serving` | `prod` |" in page


def test_which_images_run_where_is_said() -> None:
    """D4, D7."""
    page = " ".join(page_of("prod", "feed").split())
    registry = "europe-west4-docker.pkg.dev/acme-ml-prod"
    assert f"Production runs copies alone, `{registry}/prod-validated/NAME`" in page
    assert f"`{registry}/prod-models/NAME:VERSION`" in page


def test_every_alert_that_judges_is_linked_to_its_runbook() -> None:
    """D5."""
    links = re.findall(r"\]\(\.\./\.\./\.\./(.*?)\)", page_of("prod", "feed"))
    assert len(links) == 5
    for link in links:
        assert (ROOT / link).is_file()


@pytest.mark.parametrize(("stack", "model"), PAGES)
def test_each_kind_of_failure_has_what_happens_and_what_to_do(stack: str, model: str) -> None:
    """D5."""
    page = page_of(stack, model)
    section = page.partition("## When something goes wrong")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 9
    assert "a release comes to production that staging did not validate" in section
    assert all(len([cell for cell in row.split(" | ") if cell.strip("| ")]) == 3 for row in rows)
    assert ("nobody approves" in section) == (stack == "prod")
    assert ("it is frozen" in section) == (stack == "prod")


def test_retries_are_those_of_the_plan(replan: Callable[..., Plan]) -> None:
    """D5."""

    def never(config: dict[str, Any]) -> None:
        config["headroom:pipelines"]["feed-serving"]["delivery"]["retries"] = 0

    assert "the phase fails, and it is rolled back at once" in render_pages(replan(never))["feed"]
    assert "after one more try" in page_of("prod", "feed")
    assert "after 2 more tries" in page_of("prod", "shelf")


def test_what_the_first_release_skips_is_said() -> None:
    """D3, D8: nobody is told of a canary that there is not."""
    section = page_of("prod", "feed").partition("## The very first release")[2].partition("\n## ")[0]
    assert "**all users at once**" in section
    assert "There is nothing to roll back to" in section


def test_rolling_back_is_possible_in_a_freeze_and_said_so() -> None:
    """D6."""
    page = page_of("prod", "feed")
    section = page.partition("## How to roll back by hand")[2].partition("\n## ")[0]
    assert "gcloud deploy targets rollback prod-feed-serving" in section
    assert "in freezes too" in section
    freezes = page.partition("## Freezes")[2]
    assert (
        "Refused meanwhile: going on, approving, beginning and passing over a failed job. Rolling back is"
        in freezes
    )
    assert "- weekend: Saturday, Sunday, 00:00 to 24:00, Europe/Amsterdam" in freezes
    assert "- year-end: from 2026-12-18 17:00 to 2027-01-04 07:00 UTC" in freezes
    assert "None: releases go on at all times." in page_of("dev", "feed")


def test_a_rollback_that_waits_for_an_approval_is_said_with_who_can_give_it(
    replan: Callable[..., Plan],
) -> None:
    """D5, D6, D8: who is on call knows beforehand whom to wake."""

    def have_on_call(config: dict[str, Any]) -> None:
        config["headroom:pipelines"]["feed-serving"]["delivery"]["approvals"] = {
            "roll_back": ["user:oncall@acme.dev"]
        }

    page = page_of("prod", "feed")
    assert "**A rollback may wait for an approval, one that is begun by itself too:**" in page
    assert (
        "ml-approvers@acme.example can approve it, in a freeze too. feed-ml@acme.example may release" in page
    )
    assert (
        "| a rollback waits for an approval | until somebody approves it the canary keeps its share" in page
    )
    on_call = render_pages(replan(have_on_call))["feed"]
    assert "ml-approvers@acme.example or oncall@acme.dev can approve it, in a freeze too. `status`" in on_call
    assert "wait for an approval" not in page_of("dev", "feed")


def test_the_diagram_goes_through_every_phase_in_turn() -> None:
    """D3."""
    page = page_of("prod", "feed")
    assert "staging --> validated --> begin --> p5 --> p25 --> h25 --> p50 --> stable\n" in page
    assert "p5 & p25 & p50 -. an alert fires .-> back" in page
    nodes = set(re.findall(r"^    (\w+)[\[({]", page, re.MULTILINE))
    edges = set(
        re.findall(r"\b(?:staging|validated|begin|stable|stopped|back|[ph]\d+)\b", page.split("```")[1])
    )
    assert edges <= nodes


def test_a_stack_without_deliveries_has_no_pages(replan: Callable[..., Plan]) -> None:
    def none(config: dict[str, Any]) -> None:
        for pipeline in config["headroom:pipelines"].values():
            pipeline.pop("delivery", None)

    assert render_pages(replan(none)) == {}


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("7", "v7"),
        ("2026-11-21-a", "v2026-11-21-a"),
        ("V1.2", "vv1-2-27f3d8"),
        ("_", "v-d2e2ad"),
        ("a" * 62, "v" + "a" * 62),
        ("a" * 63, "v" + "a" * 55 + "-7d3e74"),
    ],
)
def test_releases_are_called_as_cloud_deploy_takes_it(version: str, name: str) -> None:
    assert name_release(version) == name
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", name)


def test_no_two_versions_are_released_under_one_name() -> None:
    versions = ("1.0", "1-0", "1_0", "1--0", "v1", "V1", "a" * 63, "a" * 64)
    assert len({name_release(version) for version in versions}) == len(versions)
