"""`.ci/earlier-audits`: history comes from the runs of the repository's own main branch, and from no fork's."""

import json
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Earlier = Callable[..., CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[2]
LINE = "2026-11-20T05-23-00Z.jsonl"

# Answers as GitHub's command line does, from files: the list through jq, an artifact as it is.
GH = """#!/usr/bin/env bash
set -euo pipefail
case $2 in
  */zip) echo "$2" >> "$ASKED"; number=${2%/zip}; cat "$ZIPS/${number##*/}" ;;
  *) jq -r "$4" "$LISTED" ;;
esac
"""


def artifact(
    number: int, created: str, branch: str = "main", head: int = 1, expired: bool = False
) -> dict[str, Any]:
    run = {"head_branch": branch, "repository_id": 1, "head_repository_id": head}
    return {"id": number, "created_at": created, "expired": expired, "workflow_run": run}


def put(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "{}\n")


@pytest.fixture
def earlier(tmp_path: Path) -> Earlier:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    put(tmp_path / "8", f"prod/{LINE}", "prod/2026-11-20T05-23-00Z.html", f"dev/{LINE}")
    put(tmp_path / "9", "prod/2026-11-20T05-23-00Z.html", f"dev/{LINE}")
    (tmp_path / "10").write_text("no archive at all")

    def run(*artifacts: dict[str, Any]) -> CompletedProcess[str]:
        (tmp_path / "listed").write_text(json.dumps({"artifacts": list(artifacts)}))
        (tmp_path / "asked").write_text("")
        env = {
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "GITHUB_REPOSITORY": "acme/ml-platform",
            "LISTED": str(tmp_path / "listed"),
            "ASKED": str(tmp_path / "asked"),
            "ZIPS": str(tmp_path),
        }
        command = [ROOT / ".ci" / "earlier-audits", "prod", tmp_path / "audits"]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    return run


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def asked(tmp_path: Path) -> list[str]:
    start = "repos/acme/ml-platform/actions/artifacts/"
    lines = (tmp_path / "asked").read_text().splitlines()
    return [line.removeprefix(start).removesuffix("/zip") for line in lines]


def test_the_lines_of_the_latest_artifact_are_there_and_its_pages_are_not(
    earlier: Earlier, tmp_path: Path
) -> None:
    """Q8: two audits can be compared, whichever run made them."""
    done = earlier(artifact(7, "2026-11-19T05:23:00Z"), artifact(8, "2026-11-20T05:23:00Z"))
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "audits") == [f"prod/{LINE}"]
    assert asked(tmp_path) == ["8"]


@pytest.mark.parametrize("empty", [9, 10])
def test_where_an_artifact_has_no_line_the_one_before_is_taken_and_that_is_said(
    earlier: Earlier, tmp_path: Path, empty: int
) -> None:
    done = earlier(artifact(8, "2026-11-19T05:23:00Z"), artifact(empty, "2026-11-20T05:23:00Z"))
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "audits") == [f"prod/{LINE}"]
    assert asked(tmp_path) == [str(empty), "8"]
    assert f"Artifact {empty} has no line of an audit" in done.stdout


def test_where_no_artifact_has_a_line_that_is_said(earlier: Earlier, tmp_path: Path) -> None:
    done = earlier(artifact(9, "2026-11-20T05:23:00Z"))
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "audits") == []
    assert "::warning title=prod: earlier audits::No artifact has a line" in done.stdout


def test_an_artifact_that_cannot_be_fetched_ends_the_run_and_leaves_nothing_to_be_kept(
    earlier: Earlier, tmp_path: Path
) -> None:
    done = earlier(artifact(8, "2026-11-19T05:23:00Z"), artifact(11, "2026-11-20T05:23:00Z"))
    assert done.returncode != 0
    assert asked(tmp_path) == ["11"]
    assert files(tmp_path / "audits") == []


def test_an_artifact_of_a_fork_of_another_branch_or_gone_is_left(earlier: Earlier, tmp_path: Path) -> None:
    created = "2026-11-20T05:23:00Z"
    others = (
        artifact(1, created, head=2),
        artifact(2, created, "feature"),
        artifact(3, created, expired=True),
    )
    done = earlier(*others)
    assert (done.returncode, done.stdout) == (0, "no earlier audit of prod\n")
    assert (files(tmp_path / "audits"), asked(tmp_path)) == ([], [])


def test_before_the_first_audit_there_is_nothing(earlier: Earlier, tmp_path: Path) -> None:
    done = earlier()
    assert (done.returncode, done.stdout) == (0, "no earlier audit of prod\n")
    assert files(tmp_path / "audits") == []
