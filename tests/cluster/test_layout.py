"""The layout of quotas that the platform relies on, by hand, on the real Kueue."""

import pytest

from tests.cluster.cluster import Cluster, stays, wait_until
from tests.cluster.kueue_model import Quota
from tests.cluster.manifests import cluster_queue, cohort, local_queue

CAPACITY, HEADROOM, GUARANTEE, CAP = 100, 20, 40, 70
ONE_CPU = {"cpu": "1"}


@pytest.fixture
def queues(cluster: Cluster, flavors: tuple[str, str], place: str) -> tuple[str, str]:
    """A pipeline's queue and the experiments', with hard headroom, in a cohort of their own."""
    flavor, pool, pipelines = flavors[0], f"{place}-pool", f"{place}-pipelines"
    shared = CAPACITY - HEADROOM - GUARANTEE
    cluster.apply(
        cohort(pool),
        cohort(pipelines, pool, {flavor: Quota(shared, borrowing=0)}),
        cluster_queue(
            f"{place}-clicks", pipelines, {flavor: Quota(GUARANTEE, borrowing=CAP - GUARANTEE)}, reclaims=True
        ),
        cluster_queue(f"{place}-experiments", pool, {flavor: Quota(HEADROOM, lending=0)}, reclaims=True),
        local_queue("clicks", place, f"{place}-clicks"),
        local_queue("experiments", place, f"{place}-experiments"),
    )
    return "clicks", "experiments"


def test_errant_pipeline_gets_its_cap_and_experiments_their_headroom(
    cluster: Cluster, place: str, queues: tuple[str, str]
):
    """Q3, Q5: 300 jobs get the cap and not one more; experiments are admitted while the rest waits."""
    pipeline, experiments = queues
    cluster.submit(place, pipeline, 300, ONE_CPU)
    wait_until(lambda: cluster.count_admitted(place)[pipeline] >= CAP, "the cap is used")
    waited = 0.0
    cluster.submit(place, experiments, 20, ONE_CPU)
    waited = wait_until(lambda: cluster.count_admitted(place)[experiments] == 20, "experiments admitted")
    assert waited < 30
    assert stays(lambda: cluster.count_admitted(place)[pipeline] == CAP, 2)
