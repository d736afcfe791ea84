"""A stack's resources, read once and found by what they are."""

import pytest

from tests.policies.scenes import open_scene


def test_each_concern_finds_its_resources() -> None:
    model = open_scene("prod").model()
    assert (model.stack, model.region) == ("prod", "europe-west4")
    assert [cluster.name for cluster in model.clusters] == ["prod-cluster"]
    assert {pool.read("nodeConfig", "labels", "headroom/pool") for pool in model.node_pools} == {
        pool.label for pool in model.pools
    }
    for found in (
        model.alert_policies,
        model.notification_channels,
        model.log_buckets,
        model.service_accounts,
        model.bindings,
    ):
        assert found
        assert all(any(each is resource for resource in model.resources) for each in found)
    assert all("IAM" in binding.type or "Iam" in binding.type for binding in model.bindings)
    assert {queue.name for queue in model.queues} == {
        space.name for space in model.namespaces if space.is_ours
    }


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_object_in_the_cluster_belongs_to_its_namespace(stack: str) -> None:
    for space in open_scene(stack).model().namespaces:
        held = (*space.quotas, *space.limits, *space.local_queues)
        assert {each.namespace for each in held} <= {space.name}
