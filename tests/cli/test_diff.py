"""`headroom diff`, as a user and as a pull request runs it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from headroom.report.check_json import render_json
from headroom.report.comment import LIMIT, MARKER
from headroom.report.findings import CheckResult, Finding, Place

Headroom = Callable[..., CompletedProcess[str]]


def git(project: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.co", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)


@pytest.fixture
def repository(project: Path) -> Path:
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=as it was")
    return project


def edit(project: Path, old: str, new: str, stack: str = "dev") -> None:
    path = project / f"Pulumi.{stack}.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def take(project: Path) -> None:
    edit(project, "h100: {gpus: {guarantee: 8, cap: 8}}", "h100: {gpus: {guarantee: 4, cap: 8}}")


def test_what_is_not_committed_yet_is_compared_with_what_is(headroom: Headroom, repository: Path) -> None:
    """Job 2: a guarantee that is cut shows with its owner's pipeline, and what all share grows."""
    assert "nobody's quota changes" in headroom("diff", "-s", "dev").stdout
    take(repository)
    done = headroom("diff", "-s", "dev")
    assert done.returncode == 0, done.stderr
    assert "assistant-training loses 4 of 8 gpus of its guarantee in h100" in done.stdout
    assert "8 → 4" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_is_not_let_in_any_more_and_what_is_delivered_otherwise_is_told(
    headroom: Headroom, repository: Path
) -> None:
    """Job 2: nobody's amounts change, and yet somebody's work does not start."""
    edit(repository, "    fraud-training:\n", "    fraud-training:\n      admission: held\n")
    edit(repository, "{percent: 10,", "{percent: 5,")
    done = headroom("diff", "-s", "dev")
    assert done.returncode == 0, done.stderr
    assert "fraud-training is held: nothing of it starts any more" in done.stdout
    assert "delivered in another way: feed-serving" in done.stdout
    assert "nobody's quota changes" not in done.stdout
    assert "training, held" in headroom("plan", "-s", "dev").stdout


def test_a_commit_can_be_the_base_with_its_own_grants_and_baselines(
    headroom: Headroom, repository: Path
) -> None:
    git(repository, "tag", "before")
    for name in ("baselines.yaml", "quotas/dev.json"):
        (repository / name).unlink()
    edit(repository, "demand: {pool: v5e, similar_to: shelf-2024-training, scale: 0.5}", LIMITS)
    edit(
        repository, "      demand: {pool: cpu, similar_to: [fraud-2024-data, loans-data], scale: 0.25}\n", ""
    )
    git(repository, "commit", "--all", "--quiet", "--message=after")
    done = headroom("diff", "-s", "dev", "--base", "before", "--json")
    (change,) = json.loads(done.stdout)
    assert change["unknown"] == []
    assert {row["standing"] for row in change["quotas"]} == {"unknown"}


LIMITS = "limits: {v5e: {chips: {guarantee: 16, cap: 16}}}"


def test_a_stack_file_can_be_the_base(headroom: Headroom, project: Path, tmp_path: Path) -> None:
    base = tmp_path / "before.yaml"
    base.write_text((project / "Pulumi.dev.yaml").read_text())
    take(project)
    (change,) = json.loads(headroom("diff", "-s", "dev", "--base", str(base), "--format", "json").stdout)
    (row,) = [row for row in change["pipelines"] if row["changed"] and row["resource"] == "gpus"]
    assert (row["pipeline"], row["before"]["guarantee"], row["after"]["guarantee"]) == (
        "assistant-training",
        8,
        4,
    )


def test_a_new_stack_is_new_and_one_that_cannot_be_read_is_not_known(
    headroom: Headroom, repository: Path
) -> None:
    (repository / "Pulumi.new.yaml").write_text((repository / "Pulumi.dev.yaml").read_text())
    assert "the stack is new" in headroom("diff", "-s", "new").stdout
    git(repository, "commit", "--all", "--quiet", "--allow-empty", "--message=x")
    edit(repository, "headroom:pools:", "headroom:pols:")
    git(repository, "commit", "--all", "--quiet", "--message=broken")
    edit(repository, "headroom:pols:", "headroom:pools:")
    done = headroom("diff", "-s", "dev")
    assert done.returncode == 0
    assert "nothing is known of it before the change: headroom:" in done.stdout
    assert "? →" in done.stdout


def test_the_comment_has_findings_preview_and_both_stacks(
    headroom: Headroom, repository: Path, tmp_path: Path
) -> None:
    take(repository)
    found = Finding("kept", "refused", "high", "q", "takes 50%", "leave it", Place("Pulumi.dev.yaml", "k", 3))
    checked, previewed = tmp_path / "check.json", tmp_path / "preview.json"
    checked.write_text(render_json(CheckResult("dev", 1, (), (found,))))
    urn = "urn:pulumi:prod::headroom::gcp:container/nodePool:NodePool::prod-pool-l4"
    previewed.write_text(json.dumps({"steps": [{"op": "replace", "urn": urn}]}))
    done = headroom(
        *("diff", "-s", "dev", "-s", "prod", "--format", "markdown"),
        *("--findings", str(checked), "--preview", str(previewed)),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(MARKER)
    assert len(done.stdout) <= LIMIT
    for part in ("1 refused", "not checked: `prod`", "takes 50%", "**replaced** `prod-pool-l4`", "| 8 → 4 |"):
        assert part in done.stdout


def test_the_comment_is_made_of_a_stack_file_that_cannot_be_used_too(
    headroom: Headroom, repository: Path
) -> None:
    edit(repository, "a3-highgpu-8g", "a3-highgpu-9g")
    done = headroom("diff", "-s", "dev", "--format", "markdown")
    assert done.returncode == 2
    assert "did you mean a3-highgpu-8g?" in done.stdout
    assert headroom("diff", "-s", "dev").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--base", "gone"), "--base: is neither a file nor a commit that git knows here"),
        (("--base", "--output=x"), "--base: is neither a file nor a commit"),
        (("--findings", "gone.json"), "gone.json: cannot be read: No such file"),
        (("--findings", "Pulumi.yaml"), "Pulumi.yaml: is not what `headroom check --format json` writes"),
        (("--preview", "Pulumi.yaml"), "Pulumi.yaml: is not what `pulumi preview --json` writes"),
        (("--preview", "prod.json"), "prod.json: is of a stack that is not asked for"),
        (("--preview", "dev.json", "--preview", "dev.json"), "dev.json: is of a stack that is there twice"),
    ],
)
def test_what_cannot_be_used_is_named(
    headroom: Headroom, repository: Path, arguments: tuple[str, ...], said: str
) -> None:
    for stack in ("dev", "prod"):
        step = {"op": "same", "urn": f"urn:pulumi:{stack}::headroom::t::n"}
        (repository / f"{stack}.json").write_text(json.dumps({"steps": [step]}))
    done = headroom("diff", "-s", "dev", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (repository / "x").exists()


def test_outside_a_repository_a_file_is_asked_for(headroom: Headroom) -> None:
    done = headroom("diff", "-s", "dev")
    assert done.returncode == 2
    assert "is neither a file nor a commit" in done.stderr


def test_the_comment_says_which_file_is_missing_in_it(headroom: Headroom, repository: Path) -> None:
    """A preview that failed is not taken for one without changes."""
    (repository / "dev.json").write_text('{"steps": []}')
    done = headroom("diff", "-s", "dev", "--format", "markdown", "--preview", "dev.json")
    assert done.returncode == 2
    assert "### Not known" in done.stdout
    assert "dev.json: is not what" in done.stdout
