"""The bootstrap through the real engine: up, again, not down, and a mistake in its configuration."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.engine.install import PulumiCli
from sandbox.engine.working_copy import copy_project, link_project
from sandbox.engine.workspace import SOURCE_ROOT, Sandbox
from tests.e2e.conftest import EngineSandbox
from tests.e2e.outcomes import open_world

BUCKET = "gcp:storage/bucket:Bucket"
KEY = "gcp:kms/cryptoKey:CryptoKey"


@pytest.fixture
def bootstrap(tmp_path: Path, pulumi_cli: PulumiCli) -> EngineSandbox:
    """A copy of `bootstrap/` where it lies in the project, in an empty sandbox."""
    link_project(SOURCE_ROOT, tmp_path / "project")
    (tmp_path / "project" / "bootstrap").unlink()
    folder = copy_project(SOURCE_ROOT / "bootstrap", tmp_path / "project" / "bootstrap")
    return EngineSandbox(Sandbox(folder, tmp_path / "state"), pulumi_cli)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_it_comes_up_once_says_where_state_goes_and_does_not_come_down(
    bootstrap: EngineSandbox, stack: str
) -> None:
    """Q1: the bucket and the key that hold every environment's state outlive a mistake."""

    def admit(config: dict[str, Any]) -> None:
        config["headroom-bootstrap:operators"] = ["group:ml-platform@acme.example"]

    bootstrap.edit_stack_file(stack, admit)
    bootstrap.up(stack).require_success()
    assert set(bootstrap.up(stack, "--expect-no-changes").require_success().changes) == {"same"}

    world = open_world(bootstrap)
    (bucket,), (key,) = world.objects(BUCKET), world.objects(KEY)
    outputs = bootstrap.outputs(stack)
    assert outputs == {"backend": f"gs://{bucket.id}", "secretsProvider": f"gcpkms://{key.id}"}
    assert bucket.properties["versioning"] == {"enabled": True}

    held = {(item.type, item.id) for item in world.objects()}
    refused = bootstrap.destroy(stack)
    assert refused.exit_code != 0
    assert any("protect" in error for error in refused.errors), refused.errors
    assert {(BUCKET, bucket.id), (KEY, key.id)} <= held & {(item.type, item.id) for item in world.objects()}
    bootstrap.up(stack).require_success()
    assert {(item.type, item.id) for item in world.objects()} == held


def test_a_bad_configuration_is_one_error_and_makes_nothing(bootstrap: EngineSandbox) -> None:
    def break_it(config: dict[str, Any]) -> None:
        config["headroom-bootstrap:operators"] = ["everyone"]
        config["gcp:region"] = "us-centrl1"

    bootstrap.edit_stack_file("dev", break_it)
    preview = bootstrap.preview("dev")
    assert preview.exit_code != 0
    (error,) = preview.errors
    assert "Pulumi.dev.yaml: gcp:region: is no region of Google Cloud; did you mean us-central1?" in error
    assert "headroom-bootstrap:operators[0]: must look like group:" in error
    assert "Traceback" not in error
    assert bootstrap.export("dev") == []


def test_ci_gets_its_identities_and_leaves_nothing_to_change(bootstrap: EngineSandbox) -> None:
    """Job 2: the imitation checks what Google would of pool, provider, role and bindings."""

    def admit(config: dict[str, Any]) -> None:
        config["headroom-bootstrap:ci"] = {
            "repository": "acme/ml-platform",
            "repository_id": 123456789,
            "owner_id": 98765,
        }

    bootstrap.edit_stack_file("dev", admit)
    bootstrap.up("dev").require_success()
    assert set(bootstrap.up("dev", "--expect-no-changes").require_success().changes) == {"same"}
    outputs = bootstrap.outputs("dev")
    assert outputs["serviceAccounts"] == {
        "dev": "dev-ci-deploy@acme-ml-dev.iam.gserviceaccount.com",
        "dev-preview": "dev-ci-plan@acme-ml-dev.iam.gserviceaccount.com",
    }
    assert outputs["identityProvider"].endswith("/workloadIdentityPools/headroom-ci/providers/github")
    world = open_world(bootstrap)
    members = world.objects("gcp:serviceaccount/iAMMember:IAMMember")
    number = outputs["identityProvider"].split("/")[1]
    pool = f"projects/{number}/locations/global/workloadIdentityPools/headroom-ci"
    assert {each.properties["member"] for each in members} == {
        f"principalSet://iam.googleapis.com/{pool}/attribute.place/123456789/{environment}"
        for environment in ("dev", "dev-preview")
    }
