"""Q8 through the real engine: the environment audits itself, and keeps what it found when it goes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from headroom.live.connection import ENDPOINT_VARIABLE
from sandbox.google.apis.server import serve
from sandbox.google.store import LIVE
from tests.e2e.conftest import EngineSandbox
from tests.e2e.outcomes import open_world

IMAGE = "us-central1-docker.pkg.dev/acme-ml-dev/tools/headroom@sha256:" + "a1" * 32
BUCKET = "gcp:storage/bucket:Bucket"
OBJECT = "gcp:storage/bucketObject:BucketObject"


def audit_itself(config: dict[str, Any]) -> None:
    config["headroom:operations"] = {"image": IMAGE, "audit": {}, "rollbacks": {}}


def audit(platform: EngineSandbox, *options: str) -> subprocess.CompletedProcess[str]:
    """Audit the imitated cloud."""
    with serve(platform.sandbox.cloud) as url:
        return subprocess.run(
            [Path(sys.executable).with_name("headroom"), "audit", "-s", "dev", *options],
            cwd=platform.project,
            env={**os.environ, ENDPOINT_VARIABLE: url},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip


def require_agreement(platform: EngineSandbox) -> None:
    """What was deployed is what GKE and the cluster say of themselves; nothing runs, so nothing is measured."""
    done = audit(platform, "--cloud", "--json")
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    states = {each["name"]: each["state"] for each in found["sources"]}
    assert [name for name, state in states.items() if state == "unreachable"] == [
        "cloud quota use",
        "pipeline use",
    ]
    known = {"cloud quotas", "queues", "nodes", "unmanaged pods", "node pools"}
    assert {name for name, state in states.items() if state == "known"} == known
    astray = ("queue", "cohort", "local-queue", "node-pool")
    assert [each for each in found["findings"] if each["code"].startswith(astray)] == []


def test_the_audit_comes_and_goes_and_its_reports_stay(platform: EngineSandbox) -> None:
    """Q8, job 1."""
    platform.edit_stack_file("dev", audit_itself)
    platform.up("dev").require_success()
    assert set(platform.up("dev", "--expect-no-changes").require_success().changes) == {"same"}
    platform.refresh("dev", "--expect-no-changes").require_success()

    reports = platform.outputs("dev")["reports"]
    for _ in range(2):
        done = audit(platform, "--archive", reports, "--since", "last")
        assert done.returncode == 0, done.stderr
        assert f"kept: {reports}/dev/" in done.stderr
        time.sleep(1)
    assert "Since " in done.stdout
    require_agreement(platform)

    platform.edit_stack_file("dev", lambda config: config.pop("headroom:operations"))
    platform.up("dev").require_success()
    assert not [each for each in platform.export("dev") if "reports" in each["urn"]]
    world = open_world(platform)
    (bucket,) = world.objects(BUCKET, LIVE)
    assert f"gs://{bucket.id}" == reports
    assert len(world.objects(OBJECT, LIVE)) == 8
