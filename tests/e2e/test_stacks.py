"""Job 1 through the real engine: up, again, edit, replace, refresh, destroy, and up again."""

from pathlib import Path
from typing import Any

import pytest

from headroom.planning.plan import plan_config
from headroom.spec.stack_file import load_config
from sandbox.google.store import LEFT_OVER, LIVE, SOFT_DELETED, Store
from tests.e2e.conftest import EngineSandbox, Risen
from tests.e2e.outcomes import open_world, picture

NODE_POOL = "gcp:container/nodePool:NodePool"
UNDELETABLE = {
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:kms/keyRing:KeyRing",
    "gcp:projects/serviceIdentity:ServiceIdentity",
}


STAYS = {
    "gcp:kms/keyRing:KeyRing": "key ring",
    "gcp:kms/cryptoKey:CryptoKey": "keys",
    "gcp:projects/serviceIdentity:ServiceIdentity": "service agents",
    "gcp:cloudquota/sQuotaPreference:SQuotaPreference": "quota preferences",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "log buckets",
    "gcp:projects/iAMCustomRole:IAMCustomRole": "roles of the project's own",
    "gcp:projects/service:Service": "enabled APIs",
}
"""What docs/runbooks/destroy-production.md says of each type that outlives its deletion."""


def ids(resources: list[dict[str, Any]], token: str) -> list[str]:
    return [each["id"] for each in resources if each["type"] == token]


def node_pools(platform: EngineSandbox, stack: str) -> dict[str, str]:
    """Names of the node pools in the state, by their name in the program."""
    return {
        resource["urn"].rsplit("::", 1)[-1]: resource["outputs"]["name"]
        for resource in platform.export(stack)
        if resource["type"] == NODE_POOL
    }


def left_over(platform: EngineSandbox) -> set[tuple[str, str]]:
    """Type and id of what the imitation keeps although it was deleted."""
    store = Store(platform.sandbox.cloud)
    try:
        kept = store.objects(status=LEFT_OVER) + store.objects(status=SOFT_DELETED)
        return {(item.type, item.id) for item in kept}
    finally:
        store.close()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_up_brings_every_planned_pool_and_a_second_up_changes_nothing(
    platform: EngineSandbox, stack: str
) -> None:
    """Q1, job 1."""
    preview = platform.preview(stack).require_success()
    assert set(preview.changes) == {"create"}
    up = platform.up(stack).require_success()
    assert up.changes["create"] == preview.changes["create"]

    path = platform.project / f"Pulumi.{stack}.yaml"
    plan = plan_config(load_config(path), stack, path.name)
    planned = {node_pool.name for pool in plan.all_pools for node_pool in pool.node_pools}
    assert set(node_pools(platform, stack).values()) == planned
    assert set(platform.outputs(stack)["nodePools"].values()) == planned - {
        node_pool.name for node_pool in plan.system_pool.node_pools
    }

    again = platform.up(stack, "--expect-no-changes").require_success()
    assert set(again.changes) == {"same"}
    assert platform.refresh(stack, "--expect-no-changes").require_success().exit_code == 0


def test_an_edit_shows_as_just_that_edit(risen: Risen) -> None:
    platform = risen("dev")

    def more_nodes(config: dict[str, Any]) -> None:
        config["headroom:pools"]["cpu"]["nodes"]["max"] = 16

    platform.edit_stack_file("dev", more_nodes)
    preview = platform.preview("dev").require_success()
    steps = {urn.rsplit("::", 1)[1]: op for urn, op in preview.steps.items()}
    # A larger pool is more to share, and more headroom in it.
    shared = {"dev-cohort-pipelines", "dev-queue-experiments", "dev-quota-experiments"}
    assert steps == dict.fromkeys({"dev-pool-cpu"} | shared, "update")
    (step,) = [step for step in preview.report["steps"] if step["urn"].endswith("::dev-pool-cpu")]
    assert list(step["detailedDiff"]) == ["autoscaling.totalMaxNodeCount"]


def test_a_replaced_pool_is_up_before_the_old_one_goes(risen: Risen) -> None:
    platform = risen("dev")
    before = node_pools(platform, "dev")

    def another_machine(config: dict[str, Any]) -> None:
        config["headroom:pools"]["l4"]["machine"] = "g2-standard-96"
        config["headroom:pools"]["l4"]["nodes"]["max"] = 2

    platform.edit_stack_file("dev", another_machine)
    preview = platform.preview("dev").require_success()
    assert preview.changes["replace"] == 1
    up = platform.up("dev").require_success()
    steps = [
        (event["metadata"]["op"], event["metadata"]["urn"].rsplit("::", 1)[-1])
        for kind in ("resOutputsEvent",)
        for line in up.events
        if (event := line.get(kind)) and "l4" in event["metadata"]["urn"]
    ]
    assert [op for op, _ in steps if op in ("create-replacement", "delete-replaced")] == [
        "create-replacement",
        "delete-replaced",
    ]
    after = node_pools(platform, "dev")
    assert after["dev-pool-l4"] != before["dev-pool-l4"]
    assert {key: name for key, name in after.items() if key != "dev-pool-l4"} == {
        key: name for key, name in before.items() if key != "dev-pool-l4"
    }


def test_destroy_leaves_what_google_cannot_delete_and_up_works_again(risen: Risen) -> None:
    platform = risen("dev")
    rings = [r["id"] for r in platform.export("dev") if r["type"] == "gcp:kms/keyRing:KeyRing"]
    platform.destroy("dev").require_success()
    assert platform.export("dev") == []
    left = left_over(platform)
    assert set(UNDELETABLE) <= {kind for kind, _ in left} <= set(STAYS)
    assert set(rings) <= {identifier for _, identifier in left}

    platform.up("dev").require_success()
    new_rings = [r["id"] for r in platform.export("dev") if r["type"] == "gcp:kms/keyRing:KeyRing"]
    assert new_rings != rings


def test_production_cannot_be_destroyed_by_accident(risen: Risen) -> None:
    """Refused before anything is deleted, whatever the options."""
    platform = risen("prod")
    before = node_pools(platform, "prod")
    for options in ((), ("--run-program",)):
        refused = platform.destroy("prod", *options)
        assert refused.exit_code != 0
        assert any("production-is-protected" in message for message in refused.errors), refused.errors
        assert node_pools(platform, "prod") == before


def set_tier(platform: EngineSandbox, tier: str) -> None:
    platform.edit_stack_file("prod", lambda config: config["headroom:environment"].update(tier=tier))


def test_production_is_taken_down_by_the_runbook_and_comes_up_again(risen: Risen, root: Path) -> None:
    """ "If it is really meant" and "If it shall come back" of docs/runbooks/destroy-production.md; what stays is
    what it lists.
    """
    platform = risen("prod")
    before = platform.export("prod")

    set_tier(platform, "development")
    preview = platform.preview("prod").require_success()
    assert set(preview.changes) <= {"same", "update"}
    platform.up("prod").require_success()
    platform.destroy("prod").require_success()
    assert platform.export("prod") == []

    runbook = (root / "docs" / "runbooks" / "destroy-production.md").read_text()
    listed = " ".join(runbook.partition("What stays:")[2].split())
    left = {kind for kind, _ in left_over(platform)}
    assert {"gcp:kms/cryptoKey:CryptoKey", "gcp:kms/keyRing:KeyRing"} <= left <= set(STAYS)
    assert [words for words in STAYS.values() if words not in listed] == []
    live = {item.type for item in open_world(platform).objects(status=LIVE)}
    assert live <= {"gcp:projects/service:Service", "gcp:logging/projectBucketConfig:ProjectBucketConfig"}

    set_tier(platform, "production")
    platform.up("prod").require_success()
    after = platform.export("prod")
    assert picture(after) == picture(before)
    assert ids(after, "gcp:kms/keyRing:KeyRing") != ids(before, "gcp:kms/keyRing:KeyRing")
    platform.up("prod", "--refresh", "--expect-no-changes").require_success()
    refused = platform.destroy("prod")
    assert any("production-is-protected" in message for message in refused.errors), refused.errors


def test_a_pool_of_production_can_be_replaced_and_removed(risen: Risen) -> None:
    platform = risen("prod")
    before = node_pools(platform, "prod")

    def change(config: dict[str, Any]) -> None:
        config["headroom:pools"]["cpu"]["boot_disk"]["size"] = "300Gi"
        del config["headroom:pools"]["h100"]
        del config["headroom:pipelines"]["assistant-training"]

    platform.edit_stack_file("prod", change)
    platform.up("prod").require_success()
    after = node_pools(platform, "prod")
    assert after["prod-pool-cpu"] != before["prod-pool-cpu"]
    assert set(before) - set(after) == {"prod-pool-h100"}


def test_a_bad_stack_file_is_one_error_and_changes_nothing(platform: EngineSandbox) -> None:
    def break_it(config: dict[str, Any]) -> None:
        config["headroom:pools"]["h100"]["machine"] = "a3-highgpu-9g"
        config["headroom:pools"]["l4"]["zones"] = []

    platform.edit_stack_file("dev", break_it)
    preview = platform.preview("dev")
    assert preview.exit_code != 0
    (error,) = preview.errors
    assert "Pulumi.dev.yaml: headroom:pools.h100.machine: is no machine type" in error
    assert "did you mean a3-highgpu-8g?" in error
    assert "Pulumi.dev.yaml: headroom:pools.l4.zones: is required" in error
    assert "Traceback" not in error
    assert platform.export("dev") == []


def test_secrets_stay_secret_in_state_and_outputs(risen: Risen) -> None:
    platform = risen("prod")
    cluster = next(r for r in platform.export("prod") if r["type"] == "gcp:container/cluster:Cluster")
    assert set(cluster["outputs"]["masterAuth"]) == {"4dabf18193072939515e22adb298388d", "ciphertext"}
    assert "masterAuth" not in platform.outputs("prod")
