"""What an admin sets up once: a locked-down state bucket and a key, and who may use them."""

from typing import Any

import pytest

from headroom.spec.bootstrap import parse_bootstrap
from headroom.spec.errors import StackFileError
from tests.mocks import Registered, record

CONFIG: dict[str, Any] = {"gcp:project": "acme-ml-dev", "gcp:region": "us-central1"}


def run(**more: Any) -> dict[str, Registered]:
    asked = parse_bootstrap(CONFIG | {f"headroom-bootstrap:{key}": value for key, value in more.items()}, "f")

    async def main() -> None:
        from bootstrap.stack import build

        await build(asked, "dev").registered()

    return {f"{each.type.rsplit(':', 1)[-1]}/{each.name}": each for each in record("dev", main)}


def test_the_state_bucket_is_versioned_and_locked_down() -> None:
    bucket = run()["Bucket/dev-state"]
    assert bucket.inputs["name"] == "acme-ml-dev-pulumi-state"
    assert bucket.inputs["versioning"] == {"enabled": True}
    assert bucket.inputs["uniformBucketLevelAccess"] is True
    assert bucket.inputs["publicAccessPrevention"] == "enforced"
    assert bucket.inputs["forceDestroy"] is False
    assert bucket.options["protect"] is True


def test_the_key_is_renewed_and_protected_and_its_ring_has_a_name_of_its_own() -> None:
    built = run()
    assert built["CryptoKey/dev-secrets"].inputs["rotationPeriod"] == "7776000s"
    assert built["CryptoKey/dev-secrets"].options["protect"] is True
    assert "name" not in built["KeyRing/dev-state"].inputs


def test_nobody_is_admitted_who_was_not_named() -> None:
    assert not [name for name in run() if "IAM" in name]
    built = run(operators=["group:platform@acme.example"])
    assert {each.inputs["member"] for name, each in built.items() if "IAM" in name} == {
        "group:platform@acme.example"
    }
    assert {each.inputs["role"] for name, each in built.items() if "IAM" in name} == {
        "roles/storage.objectUser",
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    }


CI = {"repository": "acme/ml-platform", "repository_id": 123, "owner_id": 45}


def test_without_ci_there_is_no_identity() -> None:
    assert not [name for name in run() if "WorkloadIdentity" in name or "Account" in name]


def test_ci_has_two_accounts_and_no_key() -> None:
    """Job 2: pull requests are previewed by an account that can only look."""
    built = run(ci=CI)
    assert {name for name in built if name.startswith("Account/")} == {
        "Account/dev-ci-plan",
        "Account/dev-ci-deploy",
    }
    assert not [name for name in built if name.startswith("Key/")]
    provider = built["WorkloadIdentityPoolProvider/dev-ci-github"].inputs
    assert "assertion.repository_id == '123'" in provider["attributeCondition"]
    assert provider["oidc"] == {"issuerUri": "https://token.actions.githubusercontent.com"}
    assert built["WorkloadIdentityPool/dev-ci"].options["protect"] is True
    jobs = built["IAMMember/dev-ci-plan-jobs"].inputs
    assert jobs["role"] == "roles/iam.workloadIdentityUser"
    assert jobs["member"].startswith("principalSet://")
    assert jobs["member"].endswith("/attribute.place/123/dev-preview")


def test_the_account_that_looks_gets_nothing_with_which_to_write() -> None:
    built = run(ci=CI)
    look = [each for name, each in built.items() if "ci-plan" in name and "IAM" in name]
    roles = {each.inputs["role"] for each in look if "role" in each.inputs}
    (own,) = [each for each in look if "permissions" in each.inputs]
    assert roles == {
        "roles/iam.workloadIdentityUser",
        "roles/cloudquotas.viewer",
        "roles/container.clusterViewer",
        "roles/container.viewer",
        "roles/monitoring.viewer",
        "roles/serviceusage.serviceUsageConsumer",
        "roles/storage.objectViewer",
        "roles/cloudkms.cryptoKeyDecrypter",
        own.inputs.get("name", "dev-ci-plan-0a1b2c3"),
    }
    members = {each.inputs["member"] for each in look if "member" in each.inputs}
    assert {member for member in members if not member.startswith("principalSet:")} == {
        "serviceAccount:dev-ci-plan@acme-ml-dev.iam.gserviceaccount.com"
    }


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("gcp:region", "us-centrl1", "gcp:region: is no region of Google Cloud; did you mean us-central1?"),
        (
            "headroom-bootstrap:operator",
            [],
            "is no key of this section; did you mean headroom-bootstrap:operators?",
        ),
        (
            "headroom-bootstrap:operators",
            ["everyone"],
            "headroom-bootstrap:operators[0]: must look like group:",
        ),
    ],
)
def test_mistakes_are_named(key: str, value: Any, message: str) -> None:
    with pytest.raises(StackFileError) as refusal:
        parse_bootstrap(CONFIG | {key: value}, "Pulumi.dev.yaml")
    assert message in str(refusal.value)
