"""Which key of the stack file a resource comes from."""

from pathlib import Path

import pytest

from headroom.planning.plan import plan_config
from headroom.planning.stack_keys import find_key
from headroom.spec.stack_file import load_config


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ("dev-queue-feed-training", "headroom:pipelines.feed-training"),
        ("feed-training", "headroom:pipelines.feed-training"),
        ("dev-pool-v5e-0", "headroom:pools.v5e"),
        ("dev-flavor-cpu", "headroom:pools.cpu"),
        ("dev-queue-experiments", "headroom:quota.experiments"),
        ("experiments", "headroom:quota.experiments"),
        ("headroom:alerting.routes.page", "headroom:alerting.routes.page"),
        ("dev-cluster", ""),
        ("dev-quota-n2-cpus-us-central1", ""),
        ("", ""),
    ],
)
def test_a_resource_leads_to_what_it_is_named_after(root: Path, resource: str, key: str) -> None:
    path = root / "Pulumi.dev.yaml"
    assert find_key(resource, plan_config(load_config(path), "dev", path.name)) == key
