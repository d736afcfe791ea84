"""The workflows: what runs a change's code has nothing to lose, and what can write runs none of it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headroom.spec.yaml_reader import read_yaml
from sandbox.engine.errors import SandboxError

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = {path.name: path.read_text() for path in sorted((ROOT / ".github" / "workflows").glob("*.yaml"))}
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
TRIGGERS = {"pull_request", "push", "schedule", "workflow_dispatch"}
PINNED = re.compile(r"uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
LOCAL = "uses: ./.github/actions/"
LOOKING = {"audit.yaml": "audit", "drift.yaml": "drift", "preview.yaml": "preview"}
"""Workflows that run as the account that can only look, and their job for each stack."""


def triggers(workflow: dict[str, Any]) -> set[str]:
    on = workflow["on"]
    return {on} if isinstance(on, str) else set(on)


def find_faults(text: str) -> Iterator[str]:
    """What is wrong with a workflow, or with an action of the project's own."""
    document = read_yaml(text.encode())
    for line in text.splitlines():
        if "uses: " in line and not (PINNED.search(line) or LOCAL in line):
            yield f"not pinned: {line.strip()}"
    if "secrets." in text or "secrets[" in text:
        yield "names a secret"
    if "runs" in document:
        return
    if extra := triggers(document) - TRIGGERS:
        yield f"is triggered by {extra}"
    if document.get("permissions") != {}:
        yield "has permissions for all jobs"
    for name, job in document["jobs"].items():
        for fault in find_job_faults(job, forks="pull_request" in triggers(document)):
            yield f"{name}: {fault}"


def find_job_faults(job: dict[str, Any], *, forks: bool) -> Iterator[str]:
    permissions = job.get("permissions", {"all": "write"})
    writes = {scope for scope, level in permissions.items() if level == "write"}
    gated = SAME_REPOSITORY in str(job.get("if", ""))
    if forks and writes and not gated:
        yield f"a fork's run has {writes}"
    if forks and (job.get("environment") or "vars." in str(job)) and not gated:
        yield "a fork's run has an environment"
    if len(writes) > 1:
        yield f"has more than one way to write: {writes}"
    code = [step for step in job["steps"] if "checkout" in step.get("uses", "") or "./" in str(step)]
    if code and writes - {"id-token"}:
        yield "runs the change's code with a token that writes"
    for step in job["steps"]:
        if (
            "actions/checkout" in step.get("uses", "")
            and step["with"].get("persist-credentials") is not False
        ):
            yield "leaves the token in the clone"
        if "${{" in step.get("run", ""):
            yield "puts an expression into a script"


def test_there_is_a_workflow_for_each_occasion() -> None:
    """Job 2."""
    assert set(WORKFLOWS) == {"audit.yaml", "deploy.yaml", "drift.yaml", "preview.yaml", "pull-request.yaml"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_step_runs_a_forks_code_with_anything_to_lose(name: str) -> None:
    assert list(find_faults(WORKFLOWS[name])) == []


def test_the_action_of_the_project_is_pinned_too() -> None:
    for path in (ROOT / ".github" / "actions").glob("*/action.yaml"):
        assert list(find_faults(path.read_text())) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("pull-request.yaml", "on: pull_request", "on: pull_request_target", "is triggered by"),
        ("pull-request.yaml", "contents: read", "contents: write", "a fork's run has"),
        ("pull-request.yaml", "permissions: {}", "permissions: write-all", "has permissions for all"),
        ("pull-request.yaml", "persist-credentials: false", "fetch-tags: true", "leaves the token"),
        ("pull-request.yaml", "    timeout", "    environment: dev\n    timeout", "has an environment"),
        ("preview.yaml", f"    if: {SAME_REPOSITORY}\n", "", "a fork's run has"),
        ("preview.yaml", "id-token: write", "pull-requests: write", "with a token that writes"),
        ("preview.yaml", "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "@v5", "not pinned"),
        ("preview.yaml", "${{ github.token }}", "${{ secrets.TOKEN }}", "names a secret"),
        ("deploy.yaml", '--stack "$STACK" --yes', "${{ github.head_ref }}", "puts an expression"),
        ("deploy.yaml", "contents: read", "packages: write", "more than one way to write"),
    ],
)
def test_each_fault_would_be_found(name: str, old: str, new: str, fault: str) -> None:
    text = WORKFLOWS[name]
    assert old in text
    assert any(fault in found for found in find_faults(text.replace(old, new)))


def test_a_fork_gets_findings_and_differences_without_any_identity() -> None:
    """Job 2: no credentials on a fork's."""
    text = WORKFLOWS["pull-request.yaml"]
    assert ".ci/pull-request HEAD^1" in text
    assert "fetch-depth: 2" in text
    for word in ("id-token", "vars.", "google", "pulumi preview", "github.token"):
        assert word not in text


def test_only_what_is_merged_is_deployed_and_production_after_development() -> None:
    """D1's counterpart for the platform: environments ask their reviewers."""
    deploy = read_yaml(WORKFLOWS["deploy.yaml"].encode())
    assert deploy["on"] == {"push": {"branches": ["main"]}}
    assert deploy["jobs"]["prod"]["needs"] == "dev"
    assert deploy["concurrency"]["cancel-in-progress"] is False
    for stack, job in deploy["jobs"].items():
        assert job["environment"] == stack
        runs = "\n".join(step.get("run", "") for step in job["steps"])
        assert runs.index("headroom check") < runs.index("pulumi up")
        assert "--policy-pack policies" in runs
    for name in LOOKING:
        assert "pulumi up" not in WORKFLOWS[name]
        assert "environment: ${{ matrix.stack }}-preview" in WORKFLOWS[name]


def test_the_stacks_of_the_workflows_are_those_of_the_project() -> None:
    stacks = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")}
    for name, job in LOOKING.items():
        assert set(read_yaml(WORKFLOWS[name].encode())["jobs"][job]["strategy"]["matrix"]["stack"]) == stacks
    assert set(read_yaml(WORKFLOWS["deploy.yaml"].encode())["jobs"]) == stacks


def test_an_audit_of_every_stack_is_kept_whatever_it_found() -> None:
    """Q8: by a job; what was found, and what could not be asked, each end it in a step of its own name."""
    audit = read_yaml(WORKFLOWS["audit.yaml"].encode())
    assert {"schedule", "workflow_dispatch"} == set(audit["on"])
    steps = audit["jobs"]["audit"]["steps"]
    names = [step.get("name") or step.get("uses", "").partition("@")[0] for step in steps]
    upload = steps[names.index("actions/upload-artifact")]
    assert "if" not in upload, (
        "after an audit that did not end, an artifact without its lines would be the newest"
    )
    assert upload["with"]["path"] == "${{ runner.temp }}/audits"
    run = steps[names.index("Audit")]["run"]
    assert '--archive "$RUNNER_TEMP/audits"' in run
    assert "--github" in run
    ends = {step["if"]: step["name"] for step in steps[names.index("actions/upload-artifact") + 1 :]}
    assert ends == {
        "steps.audit.outputs.code == '1'": "Something was found",
        "steps.audit.outputs.code == '3'": "A source did not answer",
    }
    assert all("exit 1" in step["run"] for step in steps[names.index("actions/upload-artifact") + 1 :])
    assert names.index("The lines of earlier audits") < names.index("Audit")


def run_audit_step(folder: Path, code: int, *reports: str) -> tuple[int, str]:
    """The exit code and the output of the workflow's step, where the audit ends with `code` after its reports."""
    audit = read_yaml(WORKFLOWS["audit.yaml"].encode())
    (step,) = (step for step in audit["jobs"]["audit"]["steps"] if step.get("id") == "audit")
    archive = folder / "audits" / "prod"
    archive.mkdir(parents=True)
    (archive / "2026-11-19T05-23-00Z.jsonl").touch()
    fake = folder / ".venv" / "bin" / "headroom"
    fake.parent.mkdir(parents=True)
    fake.write_text(
        "\n".join(["#!/bin/sh", *(f"touch {archive}/{name}" for name in reports), f"exit {code}"])
    )
    fake.chmod(0o755)
    (folder / "output").touch()
    environment = {"STACK": "prod", "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "output")}
    command = ["bash", "-e", "-c", step["run"]]
    done = subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, check=False)
    return done.returncode, (folder / "output").read_text()


@pytest.mark.parametrize("code", [0, 1, 3])
def test_an_audit_that_ended_goes_on_to_what_it_found(tmp_path: Path, code: int) -> None:
    now = "2026-11-20T05-23-00Z"
    ended = run_audit_step(tmp_path, code, f"{now}.json", f"{now}.jsonl")
    assert ended == (0, f"code={code}\n")


@pytest.mark.parametrize("code", [1, 2, 126, 127, 137, 143])
def test_an_audit_that_did_not_end_fails_by_itself(tmp_path: Path, code: int) -> None:
    """A crash ends with 1 as findings do, and leaves no report."""
    assert run_audit_step(tmp_path, code) == (code, "")


def test_zizmor_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--no-progress", "--persona", "pedantic", ".github"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.e2e
def test_actionlint_finds_nothing() -> None:
    """Built once from its pinned module, in seconds."""
    from sandbox.tools.catalog import locate_binary

    try:
        actionlint = locate_binary("actionlint", print)
    except SandboxError as error:
        pytest.skip(str(error))
    # Without the linters of scripts that a machine may or may not have.
    command = [actionlint, "-no-color", "-shellcheck=", "-pyflakes=", *(ROOT / ".github/workflows").iterdir()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_guards_the_guards_has_owners() -> None:
    """Whoever could change what CI runs or what it judges by would need nobody's review."""
    lines = (ROOT / ".github" / "CODEOWNERS").read_text().splitlines()
    owned = {line.split()[0] for line in lines if line and not line.startswith("#")}
    folders = {"/.ci/", "/.github/", "/bootstrap/", "/headroom/", "/infra/", "/policies/", "/quotas/"}
    files = {
        "/Dockerfile",
        "/Makefile",
        "/Pulumi.prod.yaml",
        "/Pulumi.yaml",
        "/pyproject.toml",
        "/requirements*.txt",
    }
    assert owned >= folders | files
    assert all(list(ROOT.glob(pattern.strip("/"))) for pattern in owned)
    assert all(line.split()[1:] for line in lines if not line.startswith("#"))
