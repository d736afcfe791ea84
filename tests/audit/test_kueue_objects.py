"""Kueue's objects as the API server writes them; what cannot be read is named and not guessed."""

from typing import Any

import pytest

from headroom.audit.expected import read_amount
from headroom.audit.kueue_objects import read_all, read_cluster_queue, read_cohort, read_local_queue
from headroom.audit.snapshot import CohortNow, Held, LocalQueueNow, QueueLimit, Unmanaged
from headroom.audit.unmanaged import find_unmanaged

QUEUE: dict[str, Any] = {
    "kind": "ClusterQueue",
    "metadata": {"name": "rank"},
    "spec": {
        "cohortName": "pipelines",
        "stopPolicy": "Hold",
        "resourceGroups": [
            {
                "coveredResources": ["cpu", "nvidia.com/gpu", "pods"],
                "flavors": [
                    {
                        "name": "l4",
                        "resources": [
                            {"name": "cpu", "nominalQuota": "1500m", "borrowingLimit": "2"},
                            {"name": "nvidia.com/gpu", "nominalQuota": "8", "borrowingLimit": "4", "lendingLimit": "0"},
                            {"name": "pods", "nominalQuota": "5"},
                        ],
                    }
                ],
            }
        ],
    },
    "status": {
        "flavorsReservation": [
            {"name": "l4", "resources": [{"name": "cpu", "total": "500m"}, {"name": "nvidia.com/gpu", "total": "9", "borrowed": "1"}]}
        ],
        "pendingWorkloads": 3,
        "admittedWorkloads": 2,
        "conditions": [{"type": "Active", "status": "False", "reason": "FlavorNotFound", "message": "no l4"}],
    },
}  # fmt: skip


def test_a_cluster_queue_is_read_with_its_limits_and_what_it_holds() -> None:
    found = read_cluster_queue(QUEUE)
    assert (found.name, found.cohort, found.stop_policy) == ("rank", "pipelines", "Hold")
    assert found.limits == (
        QueueLimit("l4", "cpu", 1_500, 2_000, None),
        QueueLimit("l4", "gpus", 8, 4, 0),
    )
    assert found.reserved == (Held("l4", "cpu", 500, 0), Held("l4", "gpus", 9, 1))
    assert (found.pending, found.admitted, found.idle_reason) == (3, 2, "no l4")


def test_without_a_status_nothing_is_held() -> None:
    found = read_cluster_queue({key: value for key, value in QUEUE.items() if key != "status"})
    assert (found.reserved, found.pending, found.idle_reason) == ((), 0, "")


def test_cohorts_and_local_queues_are_read() -> None:
    assert read_cohort({"metadata": {"name": "pool"}}) == CohortNow("pool", "", ())
    queue = {"metadata": {"name": "a", "namespace": "b"}, "spec": {"clusterQueue": "c"}}
    assert read_local_queue(queue) == LocalQueueNow("b", "a", "c", "None")
    queue["spec"]["stopPolicy"] = "Hold"
    assert read_local_queue(queue).stop_policy == "Hold"


@pytest.mark.parametrize(
    "broken", [{}, {"kind": "ClusterQueue", "metadata": {"name": "x"}}, {"metadata": {"name": "x"}, "spec": {"resourceGroups": [{"flavors": [{"name": "l4", "resources": [{"name": "cpu", "nominalQuota": "lots"}]}]}]}}]
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_the_rest_is_there(broken: dict[str, Any]) -> None:
    gaps: list[str] = []
    assert [each.name for each in read_all([broken, QUEUE], read_cluster_queue, gaps)] == ["rank"]
    (gap,) = gaps
    assert gap.endswith("has a form that is not Kueue's v1beta2")


@pytest.mark.parametrize(
    ("resource", "text", "expected"),
    [
        ("cpu", "1500m", 1_500),
        ("cpu", "100u", 1),
        ("cpu", "5n", 1),
        ("memory", "1e3", 1_000),
        ("memory", "128974848m", 128_975),
        ("memory", "2Gi", 2**31),
        ("gpus", "8", 8),
    ],
)
def test_quantities_are_read_as_kubernetes_writes_them(resource: Any, text: str, expected: int) -> None:
    assert read_amount(resource, text) == expected


@pytest.mark.parametrize("text", ["", "lots", "NaN", "Infinity", "-1e3", "9223372036854775807", "1e400"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        read_amount("memory", text)


def pod(namespace: str, node: str = "", **parts: Any) -> dict[str, Any]:
    requests = {"cpu": "2", "nvidia.com/gpu": "1"}
    spec = {"containers": [{"resources": {"requests": requests}}], "nodeName": node} | parts.pop("spec", {})
    return {"metadata": {"name": "p", "namespace": namespace} | parts, "spec": spec}


NODES = {"n1": "l4", "n2": "cpu", "n3": "system", "n4": ""}


def test_pods_that_no_queue_admitted_are_added_up_by_namespace_and_pool() -> None:
    """Q3."""
    init = {"initContainers": [{"resources": {"requests": {"cpu": "8", "memory": "1Gi"}}}]}
    found = find_unmanaged(
        [pod("seek", "n1"), pod("seek", "n1", spec=init), pod("rank", "n2"), pod("rank", spec={"nodeSelector": {"headroom/pool": "l4"}})],
        NODES,
    )  # fmt: skip
    assert found == (
        Unmanaged("rank", "cpu", 1, (("cpu", 2_000), ("gpus", 1))),
        Unmanaged("rank", "l4", 1, (("cpu", 2_000), ("gpus", 1))),
        Unmanaged("seek", "l4", 2, (("cpu", 10_000), ("gpus", 2), ("memory", 2**30))),
    )


@pytest.mark.parametrize(
    "exempt",
    [
        pod("seek", "n1", labels={"kueue.x-k8s.io/managed": "true"}),
        pod("seek", "n1", labels={"kueue.x-k8s.io/cluster-queue-name": "seek"}),
        pod("seek", "n1", ownerReferences=[{"kind": "DaemonSet"}]),
        pod("kube-system", "n1"),
        pod("seek", "n3"),
        pod("seek", "n4"),
        pod("seek", "of another pool"),
        pod("seek"),
    ],
    ids=["managed", "in a queue", "daemon", "system", "system pool", "no pool", "unknown node", "nowhere"],
)
def test_pods_that_are_in_a_queue_or_not_on_a_pool_are_no_finding(exempt: dict[str, Any]) -> None:
    assert find_unmanaged([exempt], NODES) == ()
