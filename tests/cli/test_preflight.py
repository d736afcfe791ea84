"""`headroom preflight`, as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from headroom.catalog.facts import load_facts
from headroom.live.connection import ENDPOINT_VARIABLE
from sandbox.google.apis import admin
from sandbox.google.apis.server import serve
from sandbox.google.store import Store

Headroom = Callable[..., CompletedProcess[str]]
PROJECT = "acme-ml-dev"


def test_a_new_project_is_told_what_is_missing_then_it_is_ready(
    headroom: Headroom,
    project: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Q1."""
    cloud = tmp_path_factory.mktemp("cloud") / "cloud.sqlite"
    (project / "Pulumi.yaml").write_text(
        (project / "Pulumi.yaml").read_text() + "backend:\n  url: gs://acme-ml-state/x\n"
    )
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    with serve(cloud) as url:
        monkeypatch.setenv(ENDPOINT_VARIABLE, url)
        before = headroom("preflight", "-s", "dev")
        assert before.returncode == 1, before.stderr
        assert "To mend what is missing:\n  gcloud services enable compute.googleapis.com" in before.stdout
        assert "gcloud storage buckets create gs://acme-ml-state" in before.stdout
        store = Store(cloud)
        admin.enable_apis(
            store, PROJECT, [row["api"] for group in load_facts("apis") for row in group["apis"]]
        )
        admin.make_bucket(store, PROJECT, "acme-ml-state")
        store.close()
        after = headroom("preflight", "-s", "dev", "--json")
    assert after.returncode == 0, after.stdout
    data = json.loads(after.stdout)
    assert (data["project"], data["exit_code"], data["counts"]["missing"]) == (PROJECT, 0, 0)
    assert data["counts"]["unknown"] == 0
    assert "feed-ml@acme.example" in data["example_addresses"]


def test_an_api_that_cannot_be_reached_ends_with_3_and_no_traceback(
    headroom: Headroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://127.0.0.1:9")
    done = headroom("preflight", "-s", "dev")
    assert done.returncode == 3
    assert "could not be reached" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_no_credentials_end_with_3_and_the_way_to_get_some(
    headroom: Headroom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(ENDPOINT_VARIABLE, raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("PATH", "")
    done = headroom("preflight", "-s", "dev")
    assert done.returncode == 3, done.stderr
    assert "there are no application default credentials" in done.stdout
    assert "gcloud auth application-default login" in done.stdout
    pulled = headroom("quota", "pull", "-s", "dev")
    assert pulled.returncode == 3
    assert "hint: gcloud auth application-default login" in pulled.stderr


def test_an_endpoint_elsewhere_and_a_bad_stack_file_end_with_2(
    headroom: Headroom, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://example.com")
    assert headroom("preflight", "-s", "dev").returncode == 2
    path = project / "Pulumi.dev.yaml"
    path.write_text(path.read_text().replace("a3-highgpu-8g", "a3-highgpu-9g"))
    done = headroom("preflight", "-s", "dev")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean a3-highgpu-8g?" in done.stderr
