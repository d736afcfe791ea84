"""Kueue as its Helm chart installs it: sized for the nodes, on the system pool, minding marked namespaces."""

from dataclasses import dataclass
from typing import Any

from headroom.planning.tenancy import KIND_LABEL
from headroom.spec.base import POOL_LABEL

VERSION = "0.19.2"
CHART = "oci://registry.k8s.io/kueue/charts/kueue"
NAMESPACE = "kueue-system"
RELEASE = "kueue"

WEBHOOK_PORT = 9443
METRICS_PORT = 8443

FRAMEWORKS = (
    "batch/job",
    "deployment",
    "jobset.x-k8s.io/jobset",
    "kubeflow.org/mpijob",
    "leaderworkerset.x-k8s.io/leaderworkerset",
    "pod",
    "ray.io/raycluster",
    "ray.io/rayjob",
    "statefulset",
    "trainer.kubeflow.org/trainjob",
)
"""What Kueue admits; what else pipelines could submit is refused at the API."""

_LEAST_MEMORY_MIB, _MEMORY_MIB_PER_NODE = 4096, 32
_LEAST_CPU_MILLIS, _CPU_MILLIS_PER_NODE = 2000, 4


@dataclass(frozen=True, slots=True)
class KueuePlan:
    """The release of Kueue: what each of its replicas asks for (thousandths of a core, MiB)."""

    version: str
    cpu_millis: int
    memory_mib: int
    pool: str
    taint: tuple[str, str]


def plan_kueue(nodes: int, pool: str, taint: tuple[str, str]) -> KueuePlan:
    """Return the release for a cluster of at most `nodes` nodes, on the pool of that name and taint.

    The chart's 512 Mi do not last: Kueue's own advice is 32 MiB and 0.004 cores a node, at least 4 GiB and 2
    cores (Kueue "Run Kueue in production", 2026-08).
    """
    return KueuePlan(
        version=VERSION,
        cpu_millis=max(_LEAST_CPU_MILLIS, _CPU_MILLIS_PER_NODE * nodes),
        memory_mib=max(_LEAST_MEMORY_MIB, _MEMORY_MIB_PER_NODE * nodes),
        pool=pool,
        taint=taint,
    )


def kueue_values(plan: KueuePlan) -> dict[str, Any]:
    """Return the values of the chart."""
    import yaml

    key, value = plan.taint
    size = {"cpu": f"{plan.cpu_millis}m", "memory": f"{plan.memory_mib}Mi"}
    return {
        "controllerManager": {
            "replicas": 2,
            "manager": {"resources": {"requests": size, "limits": size}},
            "nodeSelector": {POOL_LABEL: plan.pool},
            "tolerations": [{"key": key, "operator": "Equal", "value": value}],
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": {"control-plane": "controller-manager"}},
                }
            ],
        },
        "managerConfig": {"controllerManagerConfigYaml": yaml.safe_dump(kueue_configuration())},
    }


def kueue_configuration() -> dict[str, Any]:
    """Return the configuration that Kueue reads as it starts."""
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": ":8081"},
        "metrics": {"bindAddress": f":{METRICS_PORT}", "enableClusterQueueResources": True},
        "webhook": {"port": WEBHOOK_PORT},
        "leaderElection": {"leaderElect": True, "resourceName": "c1f6bfd2.kueue.x-k8s.io"},
        "controller": {
            "groupKindConcurrency": {
                "Job.batch": 5,
                "Pod": 5,
                "Workload.kueue.x-k8s.io": 10,
                "LocalQueue.kueue.x-k8s.io": 5,
                "ClusterQueue.kueue.x-k8s.io": 5,
                "ResourceFlavor.kueue.x-k8s.io": 1,
            }
        },
        "clientConnection": {"qps": 300, "burst": 500},
        # A dead Kueue must not keep the system's own workloads from starting.
        "managedJobsNamespaceSelector": {"matchExpressions": [{"key": KIND_LABEL, "operator": "Exists"}]},
        "manageJobsWithoutQueueName": True,
        # Accelerators may take longer to come than the default of 30 minutes, after which it evicts.
        "waitForPodsReady": {
            "timeout": "2h",
            "recoveryTimeout": "30m",
            "blockAdmission": False,
            "requeuingStrategy": {
                "timestamp": "Eviction",
                "backoffBaseSeconds": 60,
                "backoffMaxSeconds": 3600,
            },
        },
        # Finished workloads count against the limit of objects of their namespace.
        "objectRetentionPolicies": {"workloads": {"afterFinished": "1h"}},
        "integrations": {"frameworks": list(FRAMEWORKS)},
    }
