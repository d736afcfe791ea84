"""A quota that is too small stops an `up` at once and in words, and costs nothing but another `up`."""

import pytest

from tests.e2e.conftest import EngineSandbox
from tests.e2e.outcomes import open_world
from tests.e2e.recovery import retries

CPUS = "CPUS-per-project-region/us-central1"
TPUS = "TPU-LITE-PODSLICE-V5-per-project-region/europe-west4"

CASES = [
    pytest.param(
        "dev",
        CPUS,
        3,
        "dev-cluster",
        "Quota 'CPUS' exceeded. Limit: 3.0 in region us-central1. Requested: 6.0, in use: 0.0.",
        id="the first pool that GKE insists on",
    ),
    pytest.param(
        "dev",
        CPUS,
        8,
        "dev-pool-system",
        "Quota 'CPUS' exceeded. Limit: 8.0 in region us-central1. Requested: 12.0, in use: 0.0.",
        id="the system pool",
    ),
    pytest.param(
        "prod",
        TPUS,
        16,
        "prod-pool-v5e-0",
        "Quota 'TPU_LITE_PODSLICE_V5' exceeded. Limit: 16.0 in region europe-west4. "
        "Requested: 32.0, in use: 0.0.",
        id="the slice that a pool starts with",
    ),
]


def made(platform: EngineSandbox, stack: str) -> dict[tuple[str, str], str]:
    """Ids by type and name of what there is."""
    resources = [each for each in platform.export(stack) if each.get("id")]
    return {(each["type"], each["urn"].rpartition("::")[2]): each["id"] for each in resources}


def names(resources: dict[tuple[str, str], str]) -> set[str]:
    return {name for _, name in resources}


@pytest.mark.parametrize(("stack", "quota", "limit", "name", "message"), CASES)
def test_up_stops_at_what_exceeds_the_quota_and_goes_on_once_it_is_granted(
    platform: EngineSandbox, stack: str, quota: str, limit: float, name: str, message: str
) -> None:
    """Q1, "Quota" of docs/runbooks/half-failed-up.md: names quota, limit and request; what came up stays;
    nothing permanent is tried again.
    """
    world = open_world(platform)
    world.set_quota(f"acme-ml-{stack}", quota, limit)
    refused = platform.up(stack)
    assert refused.exit_code != 0
    assert any(message in error for error in refused.errors), refused.errors
    assert not [text for text in retries(refused) if text.startswith(f"{name}:") or "quota" in text]
    kept = made(platform, stack)
    assert name not in names(kept)
    assert f"{stack}-network" in names(kept)

    world.set_quota(f"acme-ml-{stack}", quota, 100)
    platform.up(stack).require_success()
    after = made(platform, stack)
    assert {key: after.get(key) for key in kept} == kept
    assert name in names(after)
    platform.up(stack, "--expect-no-changes").require_success()
