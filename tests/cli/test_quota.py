"""`headroom quota`, and the plan's comparison with what it writes, as a user runs them."""

import json
from collections.abc import Callable, Generator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from headroom.catalog.facts import load_facts
from headroom.live.connection import ENDPOINT_VARIABLE
from sandbox.google.apis import admin
from sandbox.google.apis.server import serve
from sandbox.google.store import Store
from sandbox.google.world import World

Headroom = Callable[..., CompletedProcess[str]]
PROJECT = "acme-ml-dev"


@pytest.fixture
def cloud_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cloud") / "cloud.sqlite"


@pytest.fixture
def world(cloud_file: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Store]:
    with serve(cloud_file) as url:
        store = Store(cloud_file)
        admin.enable_apis(
            store, PROJECT, [row["api"] for group in load_facts("apis") for row in group["apis"]]
        )
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        yield store
        store.close()


def change(project: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = project / "quotas" / "dev.json"
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def test_what_is_pulled_is_what_the_plan_is_compared_with(headroom: Headroom, world: Store) -> None:
    """Q1."""
    pulled = headroom("quota", "pull", "-s", "dev")
    assert pulled.returncode == 0, pulled.stderr
    assert pulled.stdout.startswith("quotas/dev.json: ")
    assert headroom("plan", "-s", "dev").returncode == 0
    world.set_limit(PROJECT, "N2-CPUS-per-project-region/us-central1", 200)
    pulled = headroom("quota", "pull", "-s", "dev")
    assert "short: N2-CPUS-per-project-region: " in pulled.stderr
    done = headroom("plan", "-s", "dev", "--json")
    assert done.returncode == 1
    short = [line for line in json.loads(done.stdout)["quota"] if line["standing"] == "short"]
    assert [(line["quota_id"], line["granted"]) for line in short] == [("N2-CPUS-per-project-region", 200)]
    assert short[0]["short_by"] == short[0]["amount"] - 200
    assert "short: N2-CPUS-per-project-region: " in done.stderr


def test_a_pull_that_cannot_ask_leaves_the_file_and_ends_with_3(
    headroom: Headroom, project: Path, world: Store
) -> None:
    before = (project / "quotas" / "dev.json").read_text()
    admin.disable_api(world, PROJECT, "cloudquotas.googleapis.com")
    done = headroom("quota", "pull", "-s", "dev")
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: the quotas of acme-ml-dev could not be asked: the API cloudquotas" in done.stderr
    assert "hint: gcloud services enable cloudquotas.googleapis.com --project=acme-ml-dev" in done.stderr
    assert (project / "quotas" / "dev.json").read_text() == before


def test_a_pull_to_an_endpoint_elsewhere_is_refused(
    headroom: Headroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://example.com")
    done = headroom("quota", "pull", "-s", "dev")
    assert done.returncode == 2
    assert "must be the URL of something on this machine" in done.stderr


def test_plan_shows_what_is_granted_and_left(headroom: Headroom) -> None:
    done = headroom("plan", "-s", "dev")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "granted" in done.stdout
    assert "enough, " in done.stdout


def test_without_a_file_every_standing_is_unknown_and_the_way_to_one_is_said(
    headroom: Headroom, project: Path
) -> None:
    (project / "quotas" / "dev.json").unlink()
    done = headroom("plan", "-s", "dev", "--json")
    assert done.returncode == 0
    assert {line["standing"] for line in json.loads(done.stdout)["quota"]} == {"unknown"}
    assert "no quotas/dev.json: run headroom quota pull -s dev" in done.stderr


def test_a_stale_file_is_a_warning(headroom: Headroom, project: Path) -> None:
    change(project, lambda data: data.update(pulled="2020-01-01T00:00:00Z"))
    done = headroom("plan", "-s", "dev")
    assert done.returncode == 0
    assert "days old: run headroom quota pull -s dev" in done.stderr


def test_a_quota_that_is_not_in_the_file_is_a_warning(headroom: Headroom, project: Path) -> None:
    def drop(data: dict[str, Any]) -> None:
        data["grants"] = [row for row in data["grants"] if row["quota_id"] != "INSTANCES-per-project-region"]

    change(project, drop)
    done = headroom("plan", "-s", "dev")
    assert done.returncode == 0
    assert "has no grant for INSTANCES-per-project-region" in done.stderr


@pytest.mark.parametrize("command", [("plan",), ("quota", "show")])
@pytest.mark.parametrize(
    ("edit", "phrase"),
    [
        (lambda data: data.update(project="acme-ml-prod"), "project: is not the stack's gcp:project"),
        (lambda data: data["grants"][0].update(value="many"), "grants[0].value: must be a whole number"),
    ],
)
def test_grants_that_cannot_be_used_end_with_2(
    headroom: Headroom,
    project: Path,
    command: tuple[str, ...],
    edit: Callable[[dict[str, Any]], None],
    phrase: str,
) -> None:
    change(project, edit)
    done = headroom(*command, "-s", "dev")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"quotas/dev.json: {phrase}" in done.stderr
    assert "Traceback" not in done.stderr


def test_show_prints_the_grants(headroom: Headroom, project: Path) -> None:
    done = headroom("quota", "show", "-s", "dev")
    assert done.returncode == 0
    assert "acme-ml-dev, pulled " in done.stdout
    assert "CPUS-ALL-REGIONS-per-project" in done.stdout
    (project / "quotas" / "dev.json").unlink()
    done = headroom("quota", "show", "-s", "dev")
    assert done.returncode == 2
    assert "there is no such file; run headroom quota pull -s dev" in done.stderr


def ask(data: dict[str, Any], preferred: int, granted: int, reconciling: bool = False) -> None:
    """A request for N2 processors of which 100 are granted, while the plan draws 208."""
    name = "N2-CPUS-per-project-region"
    for row in data["grants"]:
        row["value"] = 100 if row["quota_id"] == name else row["value"]
    row = next(row for row in data["grants"] if row["quota_id"] == name)
    quota = {key: row[key] for key in ("service", "quota_id", "region", "dimensions")}
    asked = {"preferred": preferred, "granted": granted, "reconciling": reconciling}
    data["preferences"] = [{"name": "console-7f3a"} | quota | asked]


@pytest.mark.parametrize(
    ("preferred", "granted", "reconciling", "state", "is_raised"),
    [
        (150, 100, True, "pending", True),
        (208, 100, True, "pending", False),
        (208, 150, False, "partly granted", False),
        (208, 208, False, "granted", False),
    ],
)
def test_show_and_plan_tell_how_a_request_stands(
    headroom: Headroom,
    project: Path,
    preferred: int,
    granted: int,
    reconciling: bool,
    state: str,
    is_raised: bool,
) -> None:
    """Q2: the command that takes a request in is printed only where it is to be raised."""
    change(project, lambda data: ask(data, preferred, granted, reconciling))
    shown = headroom("quota", "show", "-s", "dev")
    assert shown.returncode == 0, shown.stderr
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("console-7f3a")]
    assert line.split("  ")[-1].strip() == state
    assert ("quotaPreferences/console-7f3a --stack dev" in shown.stdout) is is_raised
    planned = headroom("plan", "-s", "dev", "--json")
    (request,) = json.loads(planned.stdout)["quota_requests"]["requests"]
    assert (request["name"], request["preferred"]) == ("console-7f3a", 208)
    assert request["state"] == ("to be asked" if is_raised else state)
    assert "Quota asked of Google Cloud" in headroom("plan", "-s", "dev").stdout


def test_a_file_that_does_not_speak_of_requests_is_a_warning(headroom: Headroom, project: Path) -> None:
    change(project, lambda data: data.pop("preferences"))
    for command in (("plan",), ("quota", "show")):
        done = headroom(*command, "-s", "dev")
        assert done.returncode == 0
        assert "does not say which requests the project has, so no quota is asked for" in done.stderr


def test_a_pull_writes_the_requests_that_stand_in_the_way_of_ours(
    headroom: Headroom, project: Path, cloud_file: Path, world: Store
) -> None:
    quota = "N2-CPUS-per-project-region/us-central1"
    world.set_limit(PROJECT, quota, 100)
    World(cloud_file).request_quota(PROJECT, quota, 150, "console-7f3a")
    pulled = headroom("quota", "pull", "-s", "dev")
    assert "; requests for more: 1\n" in pulled.stdout
    (row,) = json.loads((project / "quotas" / "dev.json").read_text())["preferences"]
    assert (row["name"], row["preferred"], row["granted"]) == ("console-7f3a", 150, 100)
    assert row["reconciling"] is True


def test_what_is_accepted_is_recorded(headroom: Headroom, project: Path) -> None:
    """Q5: the policies compare with what the command writes."""
    record = project / "quotas" / "dev.promises.json"
    committed = record.read_text()
    record.unlink()
    done = headroom("quota", "accept", "-s", "dev")
    assert (done.returncode, done.stdout) == (
        0,
        "quotas/dev.promises.json: 58 promises, 0 of them cut\n",
    )
    assert record.read_text() == committed


def test_what_is_accepted_for_less_is_told(headroom: Headroom, project: Path) -> None:
    """Q5: who accepts sees whose promises get smaller."""
    path = project / "Pulumi.dev.yaml"
    kept, cut = "h100: {gpus: {guarantee: 8, cap: 8}}", "h100: {gpus: {guarantee: 4, cap: 8}}"
    assert kept in path.read_text()
    path.write_text(path.read_text().replace(kept, cut, 1))
    done = headroom("quota", "accept", "-s", "dev")
    assert done.returncode == 0, done.stderr
    assert "  assistant-training: nvidia.com/gpu of h100 from 8 to 4\n" in done.stdout
    assert "promises, 3 of them cut\n" in done.stdout


def test_what_does_not_fit_is_not_accepted(headroom: Headroom, project: Path) -> None:
    def lower(data: dict[str, Any]) -> None:
        (row,) = [row for row in data["grants"] if row["quota_id"] == "N2-CPUS-per-project-region"]
        row["value"] = 64

    change(project, lower)
    record = project / "quotas" / "dev.promises.json"
    committed = record.read_text()
    done = headroom("quota", "accept", "-s", "dev")
    assert done.returncode == 2
    assert "N2-CPUS-per-project-region grants 64" in done.stderr
    assert record.read_text() == committed
