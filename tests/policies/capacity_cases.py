"""Rules of pools, grants and promises: each broken in one change, and with a value that is not known."""

from typing import Any

from headroom.planning.grants import Grants
from policies.model import Records
from policies.resources import UNKNOWN
from tests.policies.scenes import Failing, NotKnown, Scene

GPU = "nvidia.com/gpu"


def lower_grant(scene: Scene, quota_id: str, value: int | None) -> None:
    assert scene.records.grants is not None
    held = scene.records.grants
    kept = tuple(each for each in held.grants if each.quota_id != quota_id)
    lowered = [each for each in held.grants if each.quota_id == quota_id]
    if value is not None:
        kept += tuple(
            type(each)(each.service, each.quota_id, each.region, each.dimensions, value) for each in lowered
        )
    scene.records = Records(Grants(held.project, held.pulled, kept, held.preferences), scene.records.promises)


def request(
    scene: Scene, preferred: Any, quota_id: str = "PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region"
) -> None:
    scene.add(
        "gcp:cloudquota/sQuotaPreference:SQuotaPreference",
        "dev-quota-l4",
        {
            "quotaId": quota_id,
            "dimensions": {"region": "us-central1"},
            "quotaConfig": {"preferredValue": preferred},
        },
    )


FAILING: list[Failing] = [
    (
        "pools-have-limits",
        "a pool without a maximum",
        lambda s: s.drop("dev-pool-l4", "autoscaling"),
        "dev-pool-l4: has no limit, neither a maximum of autoscaling nor a fixed nodeCount",
    ),
    (
        "pools-have-limits",
        "auto-provisioning",
        lambda s: s.put("dev-cluster", "clusterAutoscaling", to={"enabled": True}),
        "dev-cluster: makes nodes by node auto-provisioning",
    ),
    (
        "pools-have-limits",
        "Autopilot",
        lambda s: s.put("dev-cluster", "enableAutopilot", to=True),
        "dev-cluster: makes nodes by Autopilot",
    ),
    (
        "pools-have-limits",
        "the default pool",
        lambda s: s.put("dev-cluster", "removeDefaultNodePool", to=False),
        "dev-cluster: keeps its default node pool",
    ),
    (
        "pools-have-limits",
        "pools inside the cluster",
        lambda s: s.put("dev-cluster", "nodePools", to=[{"name": "more"}]),
        "dev-cluster: has nodePools of its own",
    ),
    (
        "nodes-are-in-queues",
        "a pool that no flavor selects",
        lambda s: s.put("dev-pool-l4", "nodeConfig", "labels", "headroom/pool", to="mine"),
        "dev-pool-l4: no ResourceFlavor selects its nodes",
    ),
    (
        "nodes-are-in-queues",
        "two flavors of the same nodes",
        lambda s: s.put("dev-flavor-h100", "spec", "nodeLabels", "headroom/pool", to="l4"),
        "dev-flavor-h100: another flavor selects the nodes of l4 too",
    ),
    (
        "nodes-are-in-queues",
        "a machine that nobody knows",
        lambda s: s.put("dev-pool-l4", "nodeConfig", "machineType", to="g9-standard-8"),
        "dev-pool-l4: has a machine type that the catalog does not know, g9-standard-8",
    ),
    *(
        (
            "nodes-are-in-queues",
            f"nodes of {pool} that are out of reach by {effect}",
            lambda s, pool=pool, effect=effect: s.put(
                f"dev-pool-{pool}", "nodeConfig", "taints", to=[{"key": "a", "value": "b", "effect": effect}]
            ),
            f"dev-pool-{pool}: has the taint a, which its flavor does not tolerate",
        )
        for pool in ("cpu", "l4")
        for effect in ("NO_SCHEDULE", "NO_EXECUTE")
    ),
    (
        "nodes-are-in-queues",
        "a pool of the pipelines' that only the system can use",
        lambda s: s.put(
            "dev-pool-cpu", "nodeConfig", "taints", to=s.value("dev-pool-system", "nodeConfig", "taints")
        ),
        "dev-pool-cpu: has the taint components.gke.io/gke-managed-components",
    ),
    (
        "nodes-are-in-queues",
        "a pool of the system's that the system cannot use",
        lambda s: s.value("dev-pool-system", "nodeConfig", "taints").append(
            {"key": "a", "value": "b", "effect": "NO_EXECUTE"}
        ),
        "dev-pool-system: has the taint a, so that what the cluster needs runs nowhere",
    ),
    (
        "nodes-are-in-queues",
        "a flavor without GKE's toleration",
        lambda s: s.drop("dev-flavor-l4", "spec", "tolerations"),
        "dev-flavor-l4: does not tolerate nvidia.com/gpu, which GKE puts on the nodes of l4",
    ),
    (
        "nodes-are-in-queues",
        "slices that differ",
        lambda s: s.put("dev-pool-v5e-1", "nodeConfig", "machineType", to="ct5lp-hightpu-1t"),
        "dev-pool-v5e-1: has",
    ),
    (
        "capacity-is-granted",
        "a grant below the peak",
        lambda s: lower_grant(s, "N2-CPUS-per-project-region", 200),
        "N2-CPUS-per-project-region: 200 are granted, and the stack draws 208 at its peak",
    ),
    (
        "capacity-is-granted",
        "a grant below what is promised",
        lambda s: lower_grant(s, "N2-CPUS-per-project-region", 80),
        "headroom:pools.cpu: N2-CPUS-per-project-region grants 80, with which the pool can have 5 nodes",
    ),
    (
        "grants-are-awaited",
        "a grant that is asked for",
        lambda s: (lower_grant(s, "PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region", 15), request(s, "16")),
        "dev-quota-l4: the stack draws 16 of PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region at its peak, 15 are",
    ),
    (
        "requests-suffice",
        "a request for less",
        lambda s: request(s, "8"),
        "dev-quota-l4: asks for 8 of PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region, below the 16",
    ),
    (
        "promises-are-kept",
        "a guarantee that is halved",
        lambda s: s.set_quota("dev-queue-feed-data", "cpu", "cpu", "nominalQuota", "12"),
        "dev-queue-feed-data: takes 50% of the guarantee of feed-data in cpu: cpu was 24 when it was accepted, and is 12",
    ),
    (
        "promises-are-kept",
        "a headroom that shrinks",
        lambda s: s.set_quota("dev-queue-experiments", "l4", GPU, "nominalQuota", "3"),
        "takes 25% of the headroom in l4: nvidia.com/gpu was 4 when it was accepted, and is 3",
    ),
    (
        "promises-are-kept",
        "a pipeline that is gone",
        lambda s: s.drop("dev-queue-feed-data"),
        "feed-data: takes 100% of the guarantee of feed-data in cpu",
    ),
    (
        "promises-are-kept",
        "a pipeline that is drained",
        lambda s: s.put("dev-queue-feed-training", "spec", "stopPolicy", to="HoldAndDrain"),
        "dev-queue-feed-training: its stopPolicy is HoldAndDrain, so nothing in it starts",
    ),
    (
        "promises-are-kept",
        "a guarantee that no pod may use",
        lambda s: s.put("dev-quota-feed-training", "spec", "hard", "requests.google.com/tpu", to="0"),
        "dev-quota-feed-training: bounds requests.google.com/tpu to 0, below the guarantee of",
    ),
    (
        "nodes-are-in-queues",
        "a flavor of nodes that there are not",
        lambda s: s.put("dev-flavor-l4", "spec", "nodeLabels", "nope", to="nope"),
        "dev-flavor-l4: selects nodes by nope, which dev-pool-l4 has not like that",
    ),
    (
        "nodes-are-in-queues",
        "a flavor that nobody tolerates",
        lambda s: s.put("dev-flavor-l4", "spec", "nodeTaints", to=[{"key": "x", "effect": "NoSchedule"}]),
        "dev-flavor-l4: has nodeTaints",
    ),
    (
        "nodes-are-in-queues",
        "a flavor of a topology",
        lambda s: s.put("dev-flavor-l4", "spec", "topologyName", to="racks"),
        "dev-flavor-l4: has a topologyName",
    ),
]

NOT_KNOWN: list[NotKnown] = [
    (
        "pools-have-limits",
        lambda s: s.put("dev-pool-l4", "autoscaling", "totalMaxNodeCount", to=UNKNOWN),
        "dev-pool-l4: its limit is not known",
    ),
    (
        "pools-have-limits",
        lambda s: s.put("dev-cluster", "clusterAutoscaling", to=UNKNOWN),
        "makes nodes by node auto-provisioning",
    ),
    (
        "nodes-are-in-queues",
        lambda s: s.put("dev-pool-l4", "nodeConfig", "guestAccelerators", to=UNKNOWN),
        "dev-pool-l4: has nodeConfig.guestAccelerators that is not known before the update",
    ),
    (
        "nodes-are-in-queues",
        lambda s: s.put("dev-flavor-l4", "spec", "nodeLabels", to=UNKNOWN),
        "dev-flavor-l4: selects nodes by headroom/pool: not known",
    ),
    (
        "nodes-are-in-queues",
        lambda s: s.put("dev-pool-cpu", "nodeConfig", "taints", to=UNKNOWN),
        "dev-pool-cpu: has the taint that is not known before the update",
    ),
    (
        "nodes-are-in-queues",
        lambda s: s.put("dev-flavor-l4", "spec", "tolerations", to=UNKNOWN),
        "dev-flavor-l4: does not tolerate nvidia.com/gpu",
    ),
    (
        "capacity-is-granted",
        lambda s: lower_grant(s, "N2-CPUS-per-project-region", None),
        "N2-CPUS-per-project-region: nobody knows what is granted, and the stack draws 208",
    ),
    (
        "capacity-is-granted",
        lambda s: s.__setattr__("records", Records(None, s.records.promises)),
        "INSTANCES-per-project-region: nobody knows what is granted",
    ),
    (
        "grants-are-awaited",
        lambda s: (
            lower_grant(s, "PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region", 15),
            request(s, UNKNOWN),
            request(s, "16"),
        ),
        "dev-quota-l4: the stack draws 16",
    ),
    ("requests-suffice", lambda s: request(s, UNKNOWN), "its preferredValue of PREEMPTIBLE-NVIDIA-L4-GPUS"),
    (
        "promises-are-kept",
        lambda s: s.set_quota("dev-queue-feed-data", "cpu", "cpu", "nominalQuota", UNKNOWN),
        "dev-queue-feed-data: its cpu of cpu is not known",
    ),
    (
        "promises-are-kept",
        lambda s: s.put("dev-quota-feed-data", "spec", "hard", to=UNKNOWN),
        "dev-quota-feed-data: its bounds are not known",
    ),
    (
        "nodes-are-in-queues",
        lambda s: s.put("dev-flavor-l4", "spec", "nodeTaints", to=UNKNOWN),
        "dev-flavor-l4: has nodeTaints",
    ),
    (
        "promises-are-kept",
        lambda s: s.__setattr__("records", Records(s.records.grants, None)),
        "there is no quotas/dev.promises.json; run `headroom quota accept -s dev`",
    ),
]
