"""`.ci/earlier-audits`: history comes from the last run of the repository's own main branch, and from no fork's."""

import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Answers as GitHub's command line does, from files: the list through jq, an artifact as it is.
GH = """#!/usr/bin/env bash
set -euo pipefail
case $2 in
  */zip) echo "$2" >> "$ASKED"; cat "$ZIP" ;;
  *) jq -r "$4" "$LISTED" ;;
esac
"""


def artifact(
    number: int, created: str, branch: str = "main", head: int = 1, expired: bool = False
) -> dict[str, Any]:
    run = {"head_branch": branch, "repository_id": 1, "head_repository_id": head}
    return {"id": number, "created_at": created, "expired": expired, "workflow_run": run}


@pytest.fixture
def earlier(tmp_path: Path):
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("prod/2026-11-20T05-23-00Z.jsonl", "{}\n")
        archive.writestr("prod/2026-11-20T05-23-00Z.html", "<p>")
        archive.writestr("dev/2026-11-20T05-23-00Z.jsonl", "{}\n")

    def run(*artifacts: dict[str, Any]) -> tuple[list[str], str]:
        (tmp_path / "listed").write_text(json.dumps({"artifacts": list(artifacts)}))
        (tmp_path / "asked").write_text("")
        env = {
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "GITHUB_REPOSITORY": "acme/ml-platform",
            "LISTED": str(tmp_path / "listed"),
            "ASKED": str(tmp_path / "asked"),
            "ZIP": str(tmp_path / "zip"),
        }
        folder = tmp_path / "audits"
        done = subprocess.run(
            [ROOT / ".ci" / "earlier-audits", "prod", folder],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        return found, (tmp_path / "asked").read_text()

    return run


def test_the_lines_of_the_latest_artifact_are_there_and_its_pages_are_not(earlier) -> None:
    """Q8: two audits can be compared, whichever run made them."""
    found, asked = earlier(artifact(7, "2026-11-19T05:23:00Z"), artifact(8, "2026-11-20T05:23:00Z"))
    assert found == ["prod/2026-11-20T05-23-00Z.jsonl"]
    assert asked == "repos/acme/ml-platform/actions/artifacts/8/zip\n"


def test_an_artifact_of_a_fork_of_another_branch_or_gone_is_left(earlier) -> None:
    created = "2026-11-20T05:23:00Z"
    others = (
        artifact(1, created, head=2),
        artifact(2, created, "feature"),
        artifact(3, created, expired=True),
    )
    assert earlier(*others) == ([], "")


def test_before_the_first_audit_there_is_nothing(earlier) -> None:
    assert earlier() == ([], "")
