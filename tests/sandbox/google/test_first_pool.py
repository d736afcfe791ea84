"""GKE's first pool goes with a creation that was seen to end, and stays after one that was not."""

from typing import Any

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import AnswerLostError, HalfDoneError
from sandbox.google.first_pool import CLUSTER, POOL, first_pool_id
from sandbox.google.store import Fault
from tests.sandbox.google.conftest import SETTINGS

ML = "projects/acme-dev/locations/us-central1/clusters/ml"
WANTED: dict[str, Any] = {
    "name": "ml",
    "location": "us-central1",
    "removeDefaultNodePool": True,
    "initialNodeCount": 1,
    "nodeConfig": {"machineType": "e2-medium"},
    "deletionProtection": False,
}


def create(cloud: Cloud, fault: str | None = None) -> None:
    if fault:
        with cloud.store.transaction():
            cloud.store.add_fault(Fault(0, fault, "create", CLUSTER, 1, 0, 1))
    cloud.create(CLUSTER, WANTED, SETTINGS)


def test_it_goes_when_the_cluster_is_seen_to_come_up(cloud: Cloud) -> None:
    create(cloud)

    assert cloud.read(POOL, first_pool_id(ML)) is None
    assert cloud.store.draws("acme-dev") == {}


@pytest.mark.parametrize(
    ("fault", "error"), [("timeout-after", HalfDoneError), ("lost-answer", AnswerLostError)]
)
def test_it_stays_where_no_answer_came_and_draws_quota(
    cloud: Cloud, fault: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        create(cloud, fault)

    pool = cloud.read(POOL, first_pool_id(ML))
    assert pool is not None
    assert pool.properties["nodeConfig"]["machineType"] == "e2-medium"
    assert cloud.store.draws("acme-dev")


def test_an_update_of_a_cluster_that_is_in_the_state_leaves_it_and_one_of_an_imported_cluster_removes_it(
    cloud: Cloud,
) -> None:
    with pytest.raises(HalfDoneError):
        create(cloud, "timeout-after")
    cloud.update(CLUSTER, ML, WANTED, WANTED, SETTINGS)
    assert cloud.read(POOL, first_pool_id(ML)) is not None

    imported = {name: value for name, value in WANTED.items() if name != "removeDefaultNodePool"}
    cloud.update(CLUSTER, ML, imported, WANTED, SETTINGS)
    assert cloud.read(POOL, first_pool_id(ML)) is None


def test_it_goes_with_its_cluster(cloud: Cloud) -> None:
    with pytest.raises(HalfDoneError):
        create(cloud, "timeout-after")
    cloud.delete(CLUSTER, ML)

    assert cloud.read(POOL, first_pool_id(ML)) is None
