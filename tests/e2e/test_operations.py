"""Q8 through the real engine: the environment audits itself, and keeps what it found when it goes."""

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


def audit(platform: EngineSandbox, reports: str) -> subprocess.CompletedProcess[str]:
    """What the job runs, on what the imitated cloud has: neither metrics nor a cluster to ask."""
    with serve(platform.sandbox.cloud) as url:
        return subprocess.run(
            [Path(sys.executable).with_name("headroom"), "audit", "-s", "dev", "--archive", reports, "--since", "last"],
            cwd=platform.project,
            env={**os.environ, ENDPOINT_VARIABLE: url},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip


def test_the_audit_comes_and_goes_and_its_reports_stay(platform: EngineSandbox) -> None:
    """Q8, job 1."""
    platform.edit_stack_file("dev", audit_itself)
    platform.up("dev").require_success()
    assert set(platform.up("dev", "--expect-no-changes").require_success().changes) == {"same"}
    platform.refresh("dev", "--expect-no-changes").require_success()

    reports = platform.outputs("dev")["reports"]
    for _ in range(2):
        done = audit(platform, reports)
        assert done.returncode == 0, done.stderr
        assert f"kept: {reports}/dev/" in done.stderr
        time.sleep(1)
    assert "Since " in done.stdout

    platform.edit_stack_file("dev", lambda config: config.pop("headroom:operations"))
    platform.up("dev").require_success()
    assert not [each for each in platform.export("dev") if "reports" in each["urn"]]
    world = open_world(platform)
    (bucket,) = world.objects(BUCKET, LIVE)
    assert f"gs://{bucket.id}" == reports
    assert len(world.objects(OBJECT, LIVE)) == 8
