"""An audit's view of a real API server with the real Kueue: what was put there, to the unit."""

from dataclasses import replace
from typing import Any

import pytest

from headroom.audit.snapshot import Known, QueueLimit
from headroom.live.kueue import count_nodes, open_kubeconfig, read_nodes, read_queues, read_unmanaged
from sandbox.control_plane.plane import ControlPlane
from tests.audit.worlds import World, make_world
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.manifests import VERSION, Manifest, local_queue, namespace, resource_flavor

JOB = {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "1"}


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> World:
    """The plan's own queues, as the program makes them."""
    from infra.components.queues import _object, _resource_group

    made = make_world()
    tenancy = made.plan.tenancy
    for flavor in tenancy.queues.flavors:
        cluster.apply(resource_flavor(flavor.name))
    for cohort in tenancy.queues.cohorts:
        spec: dict[str, Any] = {"parentName": cohort.parent} if cohort.parent else {}
        groups = {"resourceGroups": [_resource_group(cohort.flavors)]} if cohort.flavors else {}
        cluster.apply(_object("Cohort", cohort.name, spec | groups))
    for queue in tenancy.queues.queues:
        spec = {
            "cohortName": queue.cohort,
            "namespaceSelector": {},
            "resourceGroups": [_resource_group(queue.flavors)],
            "preemption": {"reclaimWithinCohort": "Any", "withinClusterQueue": "LowerPriority"},
            "stopPolicy": queue.stop_policy,
        }
        cluster.apply(_object("ClusterQueue", queue.name, spec))
        cluster.apply(namespace(queue.name), local_queue(queue.name, queue.name, queue.name))
    return made


@pytest.fixture(scope="module")
def client(control_plane: ControlPlane) -> Any:
    return open_kubeconfig(control_plane.kubeconfig, None)


def audited(world: World, client: Any) -> World:
    queues, gaps = read_queues(client)
    ours = {queue.name for queue in world.plan.tenancy.queues.queues}
    cohorts = {cohort.name for cohort in world.plan.tenancy.queues.cohorts}
    kept = replace(
        queues,
        queues=tuple(each for each in queues.queues if each.name in ours),
        cohorts=tuple(each for each in queues.cohorts if each.name in cohorts),
        local_queues=tuple(each for each in queues.local_queues if each.queue in ours),
    )
    assert gaps == ()
    return world.but(queues=kept)


def codes(world: World) -> set[str]:
    """The findings about queues; of what the others say there is nothing in this API server."""
    return {finding.code for finding in world.audit().findings if finding.family == "queues"}


def test_queues_as_the_program_makes_them_are_no_finding(world: World, client: Any, cluster: Cluster) -> None:
    """Q8: what the API server gives back differs in nothing from the plan."""
    wait_until(lambda: codes(audited(world, client)) == set(), lambda: str(codes(audited(world, client))))


def test_what_jobs_hold_and_how_many_wait_is_counted(world: World, client: Any, cluster: Cluster) -> None:
    """Q8: twelve GPUs are the cap of fourteen jobs; two wait."""
    cluster.submit("rank", "rank", 14, JOB)

    def held() -> tuple[int, int]:
        queues, _ = read_queues(client)
        (queue,) = (each for each in queues.queues if each.name == "rank")
        totals = {(each.pool, each.resource): each.total for each in queue.reserved}
        return totals.get(("l4", "gpus"), 0), queue.pending

    wait_until(lambda: held() == (12, 2), lambda: str(held()))
    audit = audited(world, client).audit()
    row = next(each for each in audit.pools if (each.pool, each.resource) == ("l4", "gpus"))
    rank = next(each for each in row.holdings if each.name == "rank")
    assert (rank.used, rank.borrowed, rank.pending) == (12, 4, 2)
    assert {finding.code for finding in audit.findings} >= {"at-cap"}


def test_a_quota_changed_in_the_cluster_is_found(world: World, client: Any, cluster: Cluster) -> None:
    """Q8."""
    item: Manifest = cluster.read(VERSION, "ClusterQueue", "seek")
    spec = item["spec"]
    gpu = next(
        each
        for each in spec["resourceGroups"][0]["flavors"][0]["resources"]
        if each["name"] == "nvidia.com/gpu"
    )
    gpu["nominalQuota"] = "5"
    cluster.apply({"apiVersion": VERSION, "kind": "ClusterQueue", "metadata": {"name": "seek"}, "spec": spec})
    found = audited(world, client)
    queues = found.snapshot.queues
    assert isinstance(queues, Known)
    (seek,) = (each for each in queues.value.queues if each.name == "seek")
    assert QueueLimit("l4", "gpus", 5, 4, None) in seek.limits
    assert codes(found) == {"queue-changed"}


def test_nodes_and_pods_are_listed_where_there_are_none(client: Any, cluster: Cluster) -> None:
    nodes = read_nodes(client)
    assert count_nodes(nodes) == ()
    assert read_unmanaged(client, nodes) == ()
