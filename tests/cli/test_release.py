"""D3: `headroom release` and `headroom docs`, as a user runs them."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from threading import Thread
from typing import Any

import pytest

from headroom.live.connection import ENDPOINT_VARIABLE

Headroom = Callable[..., CompletedProcess[str]]

DIGEST = "sha256:" + "ab" * 32
NAME = "europe-west4-docker.pkg.dev/acme-ml-prod/prod-models/feed"
FEED = ("-s", "prod", "-p", "feed-serving")


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A registry that has the version 7 of the feed, and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_there = self.path.endswith("/repositories/prod-models/packages/feed/tags/7")
            body = json.dumps({"version": f"projects/p/versions/{DIGEST}"} if is_there else {}).encode()
            self.send_response(200 if is_there else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv(ENDPOINT_VARIABLE, f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_release_is_begun_rendered_and_checked(headroom: Headroom, project: Path) -> None:
    assert headroom("release", "init", *FEED).stdout == "wrote releases/feed-serving.yaml\n"
    done = headroom("release", "render", *FEED, "--model-version", "7", "--image", f"{NAME}@{DIGEST}")
    assert done.returncode == 0, done.stderr
    assert f"wrote releases/prod/feed-serving: {NAME}, version 7, {DIGEST}\n" in done.stdout
    assert "gcloud deploy releases create v7 \\\n    --source=releases/prod/feed-serving" in done.stdout
    assert headroom("release", "check", *FEED).returncode == 0
    path = project / "releases" / "prod" / "feed-serving" / "canary.yaml"
    path.write_text(path.read_text() + "# by hand\n")
    checked = headroom("release", "check", *FEED)
    assert checked.returncode == 1
    assert "releases/prod/feed-serving: canary.yaml: differs from what the stack file" in checked.stderr
    assert "hint: headroom release render -s prod -p feed-serving --model-version 7" in checked.stderr


def test_init_overwrites_nothing(headroom: Headroom, project: Path) -> None:
    headroom("release", "init", *FEED)
    path = project / "releases" / "feed-serving.yaml"
    path.write_text("image: mine\n")
    done = headroom("release", "init", *FEED)
    assert (done.returncode, path.read_text()) == (2, "image: mine\n")
    assert "releases/feed-serving.yaml: is there already" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (("--model-version", "8"), f"--model-version: does not exist: {NAME} has no tag 8; push it first"),
        (("--model-version", "7", "--image", f"{NAME}:7"), "--image: is an image by its tag"),
        (("--model-version", "7", "--image", f"{NAME}@sha256:{'0' * 64}"), "--image: is not the version 7"),
        (("--model-version", "a b"), "--model-version: is no version"),
    ],
)
def test_what_must_not_be_released_is_refused(
    headroom: Headroom, project: Path, arguments: tuple[str, ...], phrase: str
) -> None:
    """D3: a tag in the place of a digest, a version that does not exist."""
    headroom("release", "init", *FEED)
    done = headroom("release", "render", *FEED, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert phrase in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "releases" / "prod").exists()


def test_a_pipeline_that_is_not_delivered_is_refused(headroom: Headroom) -> None:
    done = headroom("release", "init", "-s", "dev", "-p", "fraud-serving")
    assert done.returncode == 2
    assert re.match(r"Pulumi\.dev\.yaml:\d+: headroom:pipelines\.fraud-serving: has no delivery", done.stderr)


def test_pages_are_written_and_their_drift_is_found(headroom: Headroom, project: Path, root: Path) -> None:
    """D3: the very configuration that delivers is what is documented."""
    assert headroom("docs", "-s", "prod", "--check").returncode == 1
    done = headroom("docs", "-s", "prod")
    assert "wrote docs/delivery/prod/feed.md\n" in done.stdout
    written = (project / "docs" / "delivery" / "prod" / "feed.md").read_text()
    assert written == (root / "docs" / "delivery" / "prod" / "feed.md").read_text()
    assert headroom("docs", "-s", "prod", "--check").returncode == 0
    path = project / "Pulumi.prod.yaml"
    path.write_text(path.read_text().replace("quality: {auc: {min: 0.78}}", "quality: {auc: {min: 0.79}}"))
    shutil.copy(project / "docs/delivery/prod/feed.md", project / "docs/delivery/prod/gone.md")
    checked = headroom("docs", "-s", "prod", "--check")
    assert checked.returncode == 1
    assert checked.stderr.splitlines() == [
        "docs/delivery/prod/feed.md: differs from what Pulumi.prod.yaml says now",
        "docs/delivery/prod/gone.md: is about no model that is delivered",
        "hint: headroom docs -s prod writes them",
    ]
    assert headroom("docs", "-s", "prod").returncode == 0
    assert not (project / "docs/delivery/prod/gone.md").exists()
