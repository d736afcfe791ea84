"""A namespace for each pipeline: its queue, its limits, its identity, its owners, its doors."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from headroom.planning.tenancy import SERVICE_ACCOUNT, BindingPlan, NamespacePlan
from infra.components.base import Scope
from infra.components.cluster_access import ClusterAccess, ClusterComponent, Manifest, read_manifests
from infra.components.queues import Queues

_OWNER_ROLE, _MODEL_OWNER_ROLE = "headroom-pipeline-owner", "headroom-model-owner"

# Where load balancers and their health checks come from
# (cloud.google.com/load-balancing/docs/health-check-concepts, 2026-08).
_LOAD_BALANCERS = ("35.191.0.0/16", "130.211.0.0/22")

_DEFAULT_REQUEST = {"cpu": "100m", "memory": "128Mi"}
"""For containers that others put into a pod; what a pipeline submits says itself what it needs. A default
limit would be below what many ask for, and Kueue never admits such work."""


class Tenancy(ClusterComponent):
    """The namespaces of the pipelines and of the experiments.

    A namespace is made after its queue and goes before it, and its work with it: Kueue lets no queue go that
    still has work.
    """

    def __init__(
        self,
        scope: Scope,
        plans: Sequence[NamespacePlan],
        project_number: pulumi.Output[str],
        access: ClusterAccess,
        queues: Queues,
        proxies: str | None = None,
    ) -> None:
        super().__init__("Tenancy", scope, access)
        self._balancers = (*_LOAD_BALANCERS, *([proxies] if proxies else []))
        self._project_number = project_number
        self._doors = read_manifests("network-policy.yaml")[0]
        (owner_role,) = read_manifests("pipeline-owner.yaml")
        self._owner_role = self.apply("pipeline-owner", owner_role)
        if any(plan.stage for plan in plans):
            (model_owner_role,) = read_manifests("model-owner.yaml")
            self.apply("model-owner", model_owner_role)
        self.namespaces = {plan.name: self._namespace(plan, queues.queues[plan.name]) for plan in plans}
        self.register_outputs({})

    def _namespace(self, plan: NamespacePlan, queue: Manifest) -> Manifest:
        namespace = self.apply(
            f"namespace-{plan.name}",
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": plan.name,
                    "labels": dict(plan.labels)
                    | {
                        "managed-by": "headroom",
                        "pod-security.kubernetes.io/enforce": "baseline",
                        "pod-security.kubernetes.io/warn": "restricted",
                    },
                },
            },
            [queue],
            # Its load balancer's endpoint groups would keep the network from going.
            goes_first=plan.kind == "serving",
        )
        for kind, manifest in self._objects(plan):
            self.apply(f"{kind}-{plan.name}", manifest, [namespace])
        for binding in plan.bindings:
            self.own(self._bind(plan, binding))
        return namespace

    def _objects(self, plan: NamespacePlan) -> list[tuple[str, dict[str, Any]]]:
        def named(api: str, kind: str, **parts: Any) -> dict[str, Any]:
            name = plan.name if kind != "ServiceAccount" else SERVICE_ACCOUNT
            metadata = {"name": name, "namespace": plan.name}
            return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}

        container = {"type": "Container", "max": dict(plan.largest_container)}
        container["defaultRequest"] = _DEFAULT_REQUEST
        subjects = [
            {"kind": owner.kind, "name": owner.address, "apiGroup": "rbac.authorization.k8s.io"}
            for owner in plan.owners
        ]
        # Where models are delivered nobody deploys by hand, the owner neither.
        owner_role = _MODEL_OWNER_ROLE if plan.stage else _OWNER_ROLE
        role = {"kind": "ClusterRole", "name": owner_role, "apiGroup": "rbac.authorization.k8s.io"}
        rbac, queues = "rbac.authorization.k8s.io/v1", "kueue.x-k8s.io/v1beta2"
        return [
            ("quota", named("v1", "ResourceQuota", spec={"hard": dict(plan.quota)})),
            ("limits", named("v1", "LimitRange", spec={"limits": [container]})),
            ("account", named("v1", "ServiceAccount", automountServiceAccountToken=False)),
            ("owners", named(rbac, "RoleBinding", roleRef=role, subjects=subjects)),
            ("doors", named("networking.k8s.io/v1", "NetworkPolicy", spec=self._network_policy(plan))),
            ("local-queue", named(queues, "LocalQueue", spec={"clusterQueue": plan.name})),
        ]

    def _network_policy(self, plan: NamespacePlan) -> Mapping[str, Any]:
        if plan.kind != "serving":
            return self._doors
        balancers = {"from": [{"ipBlock": {"cidr": cidr}} for cidr in self._balancers]}
        return {**self._doors, "ingress": [*self._doors["ingress"], balancers]}

    def _bind(self, plan: NamespacePlan, binding: BindingPlan) -> pulumi.CustomResource:
        """Bind a cloud role to the namespace's own account."""
        project, access = self.scope.project, binding.access
        member = self.principal(self._project_number, plan.name, SERVICE_ACCOUNT)
        name = self.scope.name(f"{plan.name}-{binding.key}")
        # The identity pool comes with the project's first cluster.
        options = self.options(depends_on=[self._cluster])
        if access.bucket:
            return gcp.storage.BucketIAMMember(
                name, bucket=access.bucket, role=access.role, member=member, opts=options
            )
        if access.dataset:
            return gcp.bigquery.DatasetIamMember(
                name,
                project=project,
                dataset_id=access.dataset,
                role=access.role,
                member=member,
                opts=options,
            )
        return gcp.projects.IAMMember(name, project=project, role=access.role, member=member, opts=options)
