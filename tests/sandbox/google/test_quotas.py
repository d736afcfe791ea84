"""What exceeds the granted quota is refused with quota, limit and request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError
from sandbox.google.machines import read_nodes
from sandbox.google.quotas import find_limit, plan_draws
from tests.sandbox.google.conftest import SETTINGS, World

POOL = "gcp:container/nodePool:NodePool"
CLUSTER = "gcp:container/cluster:Cluster"
L4 = "NVIDIA-L4-GPUS-per-project-region/us-central1"
N2 = "N2-CPUS-per-project-region/us-central1"
ZONE = ["us-central1-a"]


def l4_pool(world: World, name: str, count: int, **more: object) -> str:
    config = {"machineType": "g2-standard-4"}
    return world.make(
        POOL, cluster="dev", name=name, nodeLocations=ZONE, nodeCount=count, nodeConfig=config, **more
    ).id


@pytest.fixture
def l4_limit(cloud: Cloud) -> None:
    with cloud.store.transaction():
        cloud.store.set_limit("acme-dev", L4, 8)


@pytest.mark.usefixtures("l4_limit")
def test_a_pool_up_to_the_limit_is_created_and_one_beyond_is_refused(world: World) -> None:
    l4_pool(world, "fits", 8)

    with pytest.raises(ApiError) as caught:
        l4_pool(world, "more", 1)
    assert str(caught.value) == (
        "googleapi: Error 403: Quota 'NVIDIA_L4_GPUS' exceeded. Limit: 8.0 in region us-central1. "
        "Requested: 1.0, in use: 8.0., quotaExceeded"
    )


@pytest.mark.usefixtures("l4_limit")
def test_a_refused_pool_draws_nothing_and_a_raised_limit_lets_it_in(world: World, cloud: Cloud) -> None:
    with pytest.raises(ApiError, match="quotaExceeded"):
        l4_pool(world, "large", 9)
    assert cloud.store.draws("acme-dev").get(L4) is None
    with cloud.store.transaction():
        cloud.store.set_limit("acme-dev", L4, 9)

    l4_pool(world, "large", 9)
    assert cloud.store.draws("acme-dev")[L4] == 9


@pytest.mark.usefixtures("l4_limit")
def test_a_deleted_pool_gives_its_quota_back(world: World, cloud: Cloud) -> None:
    cloud.delete(POOL, l4_pool(world, "first", 8))

    assert l4_pool(world, "second", 8)


@pytest.mark.usefixtures("l4_limit")
def test_a_pool_that_grows_beyond_the_limit_is_refused_and_stays_as_it_was(
    world: World, cloud: Cloud
) -> None:
    identity = l4_pool(world, "grows", 4)
    olds = {"cluster": "dev", "name": "grows", "nodeCount": 4, "nodeLocations": ZONE}
    news = olds | {"nodeConfig": {"machineType": "g2-standard-4"}}

    cloud.update(POOL, identity, olds, news | {"nodeCount": 8}, SETTINGS)
    with pytest.raises(ApiError, match=r"Requested: 9.0, in use: 0.0"):
        cloud.update(POOL, identity, olds, news | {"nodeCount": 9}, SETTINGS)
    pool = cloud.read(POOL, identity)
    assert pool
    assert pool.properties["nodeCount"] == 8


def test_a_pool_at_zero_draws_nothing(world: World, cloud: Cloud) -> None:
    before = cloud.store.draws("acme-dev")
    l4_pool(world, "idle", 0, autoscaling={"minNodeCount": 0, "maxNodeCount": 99})

    assert cloud.store.draws("acme-dev") == before


def test_spot_draws_the_preemptible_quota(world: World, cloud: Cloud) -> None:
    config = {"machineType": "g2-standard-48", "spot": True}
    world.make(POOL, cluster="dev", name="s", nodeLocations=ZONE, nodeCount=2, nodeConfig=config)

    assert cloud.store.draws("acme-dev")["PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region/us-central1"] == 8


def test_a_quota_that_nobody_granted_is_zero(world: World) -> None:
    config = {"machineType": "ct5p-hightpu-4t"}
    zone = ["us-central1-a"]

    with pytest.raises(ApiError, match=r"Quota 'TPU_V5P' exceeded. Limit: 0.0 in region us-central1"):
        world.make(POOL, cluster="dev", name="v5p", nodeLocations=zone, nodeCount=1, nodeConfig=config)


def test_the_first_pool_of_a_cluster_needs_quota_even_if_it_is_removed(world: World, cloud: Cloud) -> None:
    with cloud.store.transaction():
        cloud.store.set_limit("acme-dev", "CPUS-per-project-region/us-central1", 5)

    with pytest.raises(ApiError, match=r"Quota 'CPUS' exceeded"):
        world.make(CLUSTER, name="c", initialNodeCount=1, removeDefaultNodePool=True)
    with cloud.store.transaction():
        cloud.store.set_limit("acme-dev", "CPUS-per-project-region/us-central1", 6)
    world.make(CLUSTER, name="c", initialNodeCount=1, removeDefaultNodePool=True)
    assert cloud.store.draws("acme-dev") == {}


def test_a_limit_that_was_set_stands_before_the_default_grant() -> None:
    assert find_limit({}, L4) > 0
    assert find_limit({L4: 2}, L4) == 2
    assert find_limit({}, "UNHEARD-OF-per-project/global") == 0


@given(st.integers(0, 50), st.sampled_from(["n2-standard-16", "g2-standard-48", "a3-highgpu-8g"]))
def test_twice_the_nodes_draw_twice_as_much(count: int, machine: str) -> None:
    def draws(nodes: int) -> dict[str, int]:
        pool = {"location": "us-central1", "nodeLocations": ZONE, "nodeCount": nodes}
        return plan_draws(read_nodes(pool | {"nodeConfig": {"machineType": machine}}, {}), local_ssds=0)

    assert draws(2 * count) == {key: 2 * amount for key, amount in draws(count).items()}
