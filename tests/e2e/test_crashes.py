"""A crash at every kind of step, of the provider or of the engine, and the way back by the runbooks alone."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine.workspace import SAVING_VARIABLE
from sandbox.google.store import LIVE
from sandbox.kubernetes.listing import list_objects
from tests.e2e.conftest import EngineSandbox, Update
from tests.e2e.outcomes import CLUSTER, Outcome, holdings, open_world, require_outcome, use_one_of_each
from tests.e2e.recovery import (
    NODE_POOL,
    adopt,
    delete_doubles,
    delete_first_pool,
    kill_engine_once,
    recover,
    taken_names,
)

pytestmark = pytest.mark.recovery
DIED = re.compile(r"error reading from server|connection error|connection reset|transport is closing")
"""What the engine says of calls during which the provider died, and of those that found it dead."""

LOST = "http2: client connection lost"
SERVICE = "gcp:projects/service:Service"
BUCKET = "gcp:storage/bucket:Bucket"
"""The archive of logs, which is no resource of the program."""

LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
NAMESPACE = "kubernetes:core/v1:Namespace"
QUOTA = "kubernetes:core/v1:ResourceQuota"
QUEUE = "kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue"
RELEASE = "kubernetes:helm.sh/v3:Release"


def is_crash(update: Update) -> bool:
    """Whether an update ended because a provider died."""
    return update.exit_code != 0 and any(DIED.search(error) for error in update.errors)


def update_until_done(platform: EngineSandbox, most: int, folder: Path) -> int:
    """Update until an update ends well, adopting what is there where no provider dies; count those that died."""
    crashes = 0
    for _ in range(most):
        update = platform.up("dev", "--continue-on-error")
        if update.exit_code == 0:
            return crashes
        taken = taken_names(update)
        lost = any(LOST in error for error in update.errors)
        assert is_crash(update) or lost or taken, update.errors or update.stderr
        crashes += is_crash(update)
        if not is_crash(update):
            adopt(platform, "dev", taken, folder)
    raise AssertionError(f"no end after {most} updates: {update.errors}")


def test_a_provider_that_dies_after_a_creation_of_each_type_of_google_in_turn_is_recovered_from(
    platform: EngineSandbox, undisturbed: Outcome, tmp_path: Path
) -> None:
    """Q1: the update that goes on after one crash is struck by the next; what was made is adopted."""
    use_one_of_each(platform)
    world = open_world(platform)
    world.set_pace("crash", 0)
    types = [token for token in undisturbed.types if token.startswith("gcp:")]
    for token in types:
        world.inject("crash-after", "create", token)
    assert update_until_done(platform, 2 * len(types), tmp_path) > len(types) / 3
    assert world.faults() == []
    assert delete_doubles(platform, "dev")
    delete_first_pool(platform)
    require_outcome(platform, "dev", undisturbed)


def test_what_was_made_of_each_type_of_kubernetes_without_an_answer_is_adopted(
    platform: EngineSandbox, undisturbed: Outcome, tmp_path: Path
) -> None:
    """Q1: the provider dies at some, and of all others an answer gets lost, which leaves the same behind."""
    use_one_of_each(platform)
    world = open_world(platform)
    world.set_pace("crash", 0)
    types = {token for token in undisturbed.types if token.startswith("kubernetes:")}
    crashing = {NAMESPACE, RELEASE, QUEUE}
    for token in types - crashing:
        world.inject("lost-answer", "create", token)
    for token in crashing:
        world.inject("crash-after", "create", token)
    assert update_until_done(platform, 20, tmp_path) > 0
    assert world.faults() == []
    require_outcome(platform, "dev", undisturbed)


def test_a_provider_that_dies_before_a_creation_is_recovered_from_by_another_up(
    platform: EngineSandbox, undisturbed: Outcome, tmp_path: Path
) -> None:
    """Q1: a type of every kind: an API, what everything needs, what is waited for, what is in the cluster."""
    use_one_of_each(platform)
    world = open_world(platform)
    world.set_pace("crash", 0)
    for token in (SERVICE, CLUSTER, POLICY, NAMESPACE, RELEASE):
        world.inject("crash", "create", token)
    assert update_until_done(platform, 20, tmp_path) >= 3
    assert world.faults() == []
    delete_doubles(platform, "dev")
    require_outcome(platform, "dev", undisturbed)


def edit(nodes: int, disk: str, kept: set[str]) -> Callable[[dict[str, Any]], None]:
    """An edit that updates the pool `cpu`, replaces `l4`, changes queues and quotas, and keeps some pipelines."""

    def apply(config: dict[str, Any]) -> None:
        config["headroom:pools"]["cpu"]["nodes"]["max"] = nodes
        config["headroom:pools"]["l4"]["boot_disk"] = {"size": disk}
        config["headroom:alerting"]["runbooks"] = f"https://git.acme.example/{disk}"
        pipelines = config["headroom:pipelines"]
        config["headroom:pipelines"] = {name: each for name, each in pipelines.items() if name in kept}
        config["headroom:pipelines"]["fraud-data"]["limits"]["cpu"]["cpu"]["cap"] = 2 * nodes

    return apply


STEPS = (
    ("update", NODE_POOL),
    ("create", NODE_POOL),
    ("delete", NODE_POOL),
    ("update", POLICY),
    ("update", QUEUE),
    ("update", QUOTA),
    ("delete", QUEUE),
    ("delete", NAMESPACE),
)


def test_a_provider_that_dies_at_each_step_of_a_change_is_recovered_from(
    platform: EngineSandbox, tmp_path: Path
) -> None:
    """Q1: updates in place, creation of a new pool, deletion of the old; before and after the effect."""
    use_one_of_each(platform)
    kept = {"fraud-data", "fraud-training", "fraud-validation", "fraud-serving"}
    platform.up("dev").require_success()
    world = open_world(platform)
    for crash, nodes, removed in (("crash", 13, "fraud-validation"), ("crash-after", 14, "fraud-training")):
        kept.remove(removed)
        platform.edit_stack_file("dev", edit(nodes, f"{200 + nodes}Gi", kept))
        for operation, token in STEPS:
            world.inject(crash, operation, token)
        assert update_until_done(platform, 3 * len(STEPS), tmp_path) >= 3, crash
        assert world.faults() == [], crash
        assert len(world.objects(NODE_POOL, LIVE)) == 3, crash
    platform.up("dev", "--refresh", "--expect-no-changes").require_success()
    namespaces = {name for kind, name in holdings(platform, "dev") if kind == "v1/Namespace"}
    assert {name for name in namespaces if name.startswith("fraud-")} == kept


def test_a_destroy_whose_provider_dies_at_each_type_is_completed_and_up_works_again(
    platform: EngineSandbox, undisturbed: Outcome, tmp_path: Path
) -> None:
    """Q1: a crash after every kind of deletion; what cannot be deleted is no hindrance."""
    use_one_of_each(platform)
    platform.up("dev").require_success()
    world = open_world(platform)
    world.set_pace("crash", 0)
    in_google = {token for token in undisturbed.types if token.startswith("gcp:")}
    for token in in_google:
        world.inject("crash-after", "delete", token)
    crashes = 0
    while (destroy := platform.destroy("dev")).exit_code != 0:
        assert is_crash(destroy), destroy.errors or destroy.stderr
        crashes += 1
    assert crashes > len(in_google) / 3
    assert world.faults() == []
    assert platform.export("dev") == []
    left = holdings(platform, "dev")
    assert {token for token, _ in left} == {SERVICE, LOG_BUCKET, BUCKET}

    recover(platform, "dev", tmp_path)
    require_outcome(platform, "dev", undisturbed, left)


def in_clusters(platform: EngineSandbox, ending: str) -> bool:
    return any(item.type.endswith(ending) for item in list_objects(platform.sandbox.cloud))


@pytest.mark.parametrize("token", [SERVICE, CLUSTER, QUEUE])
def test_an_engine_that_is_killed_is_recovered_from(
    platform: EngineSandbox,
    undisturbed: Outcome,
    tmp_path: Path,
    token: str,
    save_every_step: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Q1: SIGKILL while the cloud makes something of this type: a lock, operations that nobody ended."""
    use_one_of_each(platform)
    world = open_world(platform)
    world.set_pace(token, 0.01)
    kind = token.rpartition(":")[2]
    made = (
        (lambda: in_clusters(platform, f"/{kind}"))
        if token == QUEUE
        else (lambda: bool(world.objects(token)))
    )
    kill_engine_once(platform, "dev", made, f"the cloud makes {token}")
    monkeypatch.setenv(SAVING_VARIABLE, "at-end")
    world.set_pace(token, 0.001)
    recover(platform, "dev", tmp_path)
    delete_doubles(platform, "dev")
    delete_first_pool(platform)
    require_outcome(platform, "dev", undisturbed)
