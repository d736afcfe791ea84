"""Kueue, and what it is told: flavors, cohorts, queues, and what may enter them."""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from headroom.planning.kueue_release import CHART, NAMESPACE, RELEASE, KueuePlan, kueue_values
from headroom.planning.queues import (
    PRIORITIES,
    PROVISIONING,
    ClusterQueuePlan,
    CohortPlan,
    FlavorPlan,
    FlavorQuotas,
    QueuesPlan,
    QuotaPlan,
)
from headroom.spec.base import POOL_LABEL
from infra.components.base import Scope
from infra.components.cluster_access import ClusterAccess, ClusterComponent, Manifest, read_manifests

_API = "kueue.x-k8s.io/v1beta2"


class Queues(ClusterComponent):
    """The release of Kueue and all of its cluster-wide objects.

    They come up one kind after the other, so that a queue never stands without its cohort's limits.
    """

    def __init__(self, scope: Scope, release: KueuePlan, plan: QueuesPlan, access: ClusterAccess) -> None:
        super().__init__("Queues", scope, access)
        self.release = self._install(release)
        doors = [
            self.apply(
                f"{manifest['kind'].removeprefix('ValidatingAdmission').lower()}-{manifest['metadata']['name']}",
                manifest,
                [self.release],
            )
            for manifest in read_manifests("admission/*.yaml")
        ]
        flavors = [self._flavor(flavor, doors) for flavor in plan.flavors]
        flavors += [self._priority(name, value) for name, value in PRIORITIES]
        if any(queue.checked for queue in plan.queues):
            flavors.append(self._provisioning_check())
        above: list[Manifest] = flavors
        for cohort in plan.cohorts:
            above = [self._cohort(cohort, above)]
        self.queues = {queue.name: self._queue(queue, above) for queue in plan.queues}
        self.register_outputs({})

    def _install(self, plan: KueuePlan) -> Release:
        return self.own(
            Release(
                self.scope.name("kueue"),
                name=RELEASE,
                chart=CHART,
                version=plan.version,
                namespace=NAMESPACE,
                create_namespace=True,
                values=kueue_values(plan),
                timeout=600,
                # The chart's definitions have no `keep`: whatever replaces the release deletes every queue.
                opts=self.options(protect=True, minutes=20, deleted_with=self._cluster),
            )
        )

    def _flavor(self, plan: FlavorPlan, doors: Sequence[pulumi.Resource]) -> Manifest:
        spec: dict[str, Any] = {"nodeLabels": {POOL_LABEL: plan.pool_label}}
        if plan.tolerations:
            spec["tolerations"] = [
                {"key": key, "operator": "Equal", "value": value, "effect": effect}
                for key, value, effect in plan.tolerations
            ]
        return self.apply(f"flavor-{plan.name}", _object("ResourceFlavor", plan.name, spec), doors)

    def _priority(self, name: str, value: int) -> Manifest:
        manifest = {"apiVersion": _API, "kind": "WorkloadPriorityClass", "metadata": {"name": name}}
        return self.apply(f"priority-{name}", manifest | {"value": value}, [self.release])

    def _provisioning_check(self) -> Manifest:
        config = self.apply(
            "provisioning",
            _object(
                "ProvisioningRequestConfig",
                PROVISIONING,
                {
                    "provisioningClassName": "queued-provisioning.gke.io",
                    "managedResources": ["nvidia.com/gpu", "google.com/tpu"],
                    "podSetUpdates": {
                        "nodeSelector": [
                            {
                                "key": "autoscaling.gke.io/provisioning-request",
                                "valueFromProvisioningClassDetail": "ResizeRequestName",
                            }
                        ]
                    },
                },
            ),
            [self.release],
        )
        return self.apply(
            "provisioning-check",
            _object(
                "AdmissionCheck",
                PROVISIONING,
                {
                    "controllerName": "kueue.x-k8s.io/provisioning-request",
                    "parameters": {
                        "apiGroup": "kueue.x-k8s.io",
                        "kind": "ProvisioningRequestConfig",
                        "name": PROVISIONING,
                    },
                },
            ),
            [config],
        )

    def _cohort(self, plan: CohortPlan, above: Sequence[pulumi.Resource]) -> Manifest:
        spec: dict[str, Any] = {"parentName": plan.parent} if plan.parent else {}
        if plan.flavors:
            spec["resourceGroups"] = [_resource_group(plan.flavors)]
        return self.apply(f"cohort-{plan.name}", _object("Cohort", plan.name, spec), above)

    def _queue(self, plan: ClusterQueuePlan, above: Sequence[pulumi.Resource]) -> Manifest:
        spec: dict[str, Any] = {
            "cohortName": plan.cohort,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": plan.name}},
            "queueingStrategy": "BestEffortFIFO",
            "resourceGroups": [_resource_group(plan.flavors)],
            "preemption": {
                "reclaimWithinCohort": "Any",
                "borrowWithinCohort": {"policy": "Never"},
                "withinClusterQueue": "LowerPriority",
            },
            "stopPolicy": plan.stop_policy,
        }
        if plan.checked:
            check = {"name": PROVISIONING, "onFlavors": list(plan.checked)}
            spec["admissionChecksStrategy"] = {"admissionChecks": [check]}
        return self.apply(f"queue-{plan.name}", _object("ClusterQueue", plan.name, spec), above)


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _resource_group(flavors: Sequence[FlavorQuotas]) -> dict[str, Any]:
    return {
        "coveredResources": [quota.resource for quota in flavors[0].quotas],
        "flavors": [
            {"name": flavor.flavor, "resources": [_quota(quota) for quota in flavor.quotas]}
            for flavor in flavors
        ],
    }


def _quota(plan: QuotaPlan) -> dict[str, str]:
    limits = {"borrowingLimit": plan.borrowing, "lendingLimit": plan.lending}
    return {"name": plan.resource, "nominalQuota": plan.nominal} | {
        key: limit for key, limit in limits.items() if limit is not None
    }
