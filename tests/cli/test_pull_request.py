"""`.ci/pull-request`, as the workflows run it: on the merge of a change, against the branch it goes to."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from headroom.report.comment import MARKER

Run = Callable[..., CompletedProcess[str]]


def git(project: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.co", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)


@pytest.fixture
def repository(project: Path, root: Path) -> Path:
    (project / "Pulumi.prod.yaml").unlink()
    for folder, name in ((".ci", "pull-request"), ("policies", "settings.yaml")):
        (project / folder).mkdir()
        shutil.copy(root / folder / name, project / folder)
    (project / ".venv").symlink_to(sys.prefix)
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "--all", ":!.venv")
    git(project, "commit", "--quiet", "--message=as it was")
    return project


@pytest.fixture
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    def run(*arguments: str) -> CompletedProcess[str]:
        command = [repository / ".ci" / "pull-request", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)

    return run


def test_a_record_changed_along_with_the_stack_file_does_not_help(run: Run, repository: Path) -> None:
    """Job 2, Q5: promises are those of the branch that the change goes to."""
    path = repository / "Pulumi.dev.yaml"
    path.write_text(path.read_text().replace("gpus: {guarantee: 8, cap: 8}", "gpus: {guarantee: 0, cap: 8}"))
    (repository / "quotas" / "dev.promises.json").write_text('{"promises": []}')
    git(repository, "commit", "--all", "--quiet", "--message=take it")
    report = repository / "report"
    done = run("HEAD^1", str(report))
    assert done.returncode == 1, done.stderr
    assert "title=promises-are-kept (refused)" in done.stdout
    comment = (report / "comment.md").read_text()
    assert comment.startswith(MARKER)
    assert "### Refused in `dev`" in comment
    assert "| assistant-training | h100 | gpus | 8 → 0 |" in comment
    assert json.loads((report / "check-dev.json").read_text())["exit_code"] == 1


def test_a_stack_file_that_is_wrong_makes_a_comment_too(run: Run, repository: Path) -> None:
    path = repository / "Pulumi.dev.yaml"
    path.write_text(path.read_text().replace("a3-highgpu-8g", "a3-highgpu-9g"))
    report = repository / "report"
    done = run("HEAD", str(report))
    assert done.returncode == 2
    assert "title=usable (refused)" in done.stdout
    assert "did you mean a3-highgpu-8g?" in (report / "comment.md").read_text()


def test_a_preview_that_is_not_there_is_not_taken_for_none(run: Run, repository: Path) -> None:
    previews = repository / "previews"
    previews.mkdir()
    done = run("HEAD", str(repository / "report"), str(previews))
    assert done.returncode == 1
    assert "::error title=preview::there is no preview of dev" in done.stdout


def test_a_preview_that_deletes_a_cluster_is_refused(run: Run, repository: Path) -> None:
    previews = repository / "previews"
    previews.mkdir()
    urn = "urn:pulumi:dev::headroom::gcp:container/cluster:Cluster::dev-cluster"
    step = {"op": "delete", "urn": urn, "oldState": {"urn": urn, "inputs": {}}}
    (previews / "dev.json").write_text(json.dumps({"steps": [step]}))
    done = run("HEAD", str(repository / "report"), str(previews))
    assert done.returncode == 1
    assert "title=nothing-is-lost (refused)" in done.stdout
    assert "**deleted** `dev-cluster`" in (repository / "report" / "comment.md").read_text()


@pytest.mark.parametrize("arguments", [(), ("HEAD",), ("gone", "report")])
def test_what_is_missing_is_said(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode != 0
    assert "BASE" in done.stderr or "FOLDER" in done.stderr or "there is no commit gone" in done.stderr
