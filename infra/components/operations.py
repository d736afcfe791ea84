"""What the platform runs for itself: jobs beside the pipelines, and the bucket of their reports."""

from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp

from headroom.planning.delivery import RETURNER
from headroom.planning.operations import FINISHED_JOBS, NAMESPACE, JobPlan, OperationsPlan, ReportsPlan
from headroom.spec.base import POOL_LABEL
from infra.components.base import Scope
from infra.components.cluster_access import ClusterAccess, ClusterComponent, Manifest, read_manifests
from infra.components.delivery import Delivery
from infra.components.services import Services

_KUBECONFIG = Path(__file__).resolve().parent.parent / "manifests" / "operations" / "kubeconfig.yaml"
_KUBECONFIG_KEY = "cluster.yaml"
_RBAC = "rbac.authorization.k8s.io"


class Operations(ClusterComponent):
    """A namespace that is no pipeline's, a job for each row of the plan, and who they are.

    A job can look, add reports to the bucket, which it can neither replace nor delete, approve that models
    come back, and say in Cloud Monitoring that it succeeded.
    """

    def __init__(
        self,
        scope: Scope,
        plan: OperationsPlan,
        services: Services,
        access: ClusterAccess,
        delivery: Delivery | None,
    ) -> None:
        super().__init__("Operations", scope, access)
        self._plan = plan
        self._project_number = services.project_number
        self._delivery = delivery
        self.bucket = self.own(self._reports(plan.reports, services)) if plan.reports else None
        place = self._namespace()
        project = self._project(place)
        for job in plan.jobs:
            self._job(job, place, project)
        self.register_outputs({})

    @property
    def outputs(self) -> dict[str, pulumi.Input[object]]:
        """What users of the stack may know."""
        return {"reports": pulumi.Output.concat("gs://", self.bucket.name)} if self.bucket else {}

    def _reports(self, plan: ReportsPlan, services: Services) -> gcp.storage.Bucket:
        """Its name is generated, since it stays when the environment goes, with what it keeps."""
        return gcp.storage.Bucket(
            self.scope.name("reports"),
            project=self.scope.project,
            location=self.scope.region,
            storage_class="STANDARD",
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning=gcp.storage.BucketVersioningArgs(enabled=True),
            soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
                retention_duration_seconds=plan.soft_delete_seconds
            ),
            lifecycle_rules=[
                gcp.storage.BucketLifecycleRuleArgs(
                    action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
                    condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=plan.keep_days),
                )
            ],
            force_destroy=False,
            opts=self.options(depends_on=[services.apis["storage"]], protect=True, keep=True),
        )

    def _namespace(self) -> Manifest:
        namespace, quota, doors = read_manifests("operations/namespace.yaml")
        place = self.apply(f"namespace-{NAMESPACE}", namespace)
        quota["spec"]["hard"] = dict(self._plan.quota)
        doors["spec"]["egress"].append(
            {
                "to": [{"ipBlock": {"cidr": self._plan.control_plane}}],
                "ports": [{"protocol": "TCP", "port": 443}],
            }
        )
        self.apply("quota-operations", quota, [place])
        self.apply("doors-operations", doors, [place])
        return place

    def _project(self, place: Manifest) -> Manifest:
        """The stack file and what belongs to it, as they were deployed."""
        files = {_key(path): text for path, text in self._plan.files}
        return self.apply(
            "project-operations",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "project", "namespace": NAMESPACE},
                "data": files | {_KUBECONFIG_KEY: _KUBECONFIG.read_text(encoding="utf-8")},
            },
            [place],
        )

    def _job(self, plan: JobPlan, place: Manifest, project: Manifest) -> None:
        account, role, binding, cron = read_manifests("operations/job.yaml")
        in_cluster = f"headroom-{plan.name}"
        account["metadata"]["name"] = cron["metadata"]["name"] = plan.name
        role["metadata"] = binding["metadata"] = {"name": in_cluster}
        role["rules"] = [
            {"apiGroups": list(rule.groups), "resources": list(rule.resources), "verbs": list(rule.verbs)}
            for rule in plan.rules
        ]
        binding["roleRef"] = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": in_cluster}
        binding["subjects"] = [{"kind": "ServiceAccount", "name": plan.name, "namespace": NAMESPACE}]
        self._fill(plan, cron["spec"])
        before = [self.apply(f"account-{plan.name}", account, [place]), *self._grant(plan)]
        if plan.rules:
            allowed = self.apply(f"role-{plan.name}", role)
            before.append(self.apply(f"access-{plan.name}", binding, [before[0], allowed]))
        self.apply(f"job-{plan.name}", cron, [place, project, *before])

    def _fill(self, plan: JobPlan, spec: dict[str, Any]) -> None:
        spec |= {
            "schedule": plan.schedule,
            "startingDeadlineSeconds": plan.deadline_seconds,
            "successfulJobsHistoryLimit": FINISHED_JOBS,
            "failedJobsHistoryLimit": FINISHED_JOBS,
        }
        job = spec["jobTemplate"]["spec"]
        job["activeDeadlineSeconds"] = plan.deadline_seconds
        # What is told by any other exit code would be told by another try as well.
        final = {"containerName": "headroom", "operator": "NotIn", "values": list(plan.retried)}
        job["podFailurePolicy"]["rules"].append({"action": "FailJob", "onExitCodes": final})
        pod = job["template"]["spec"]
        key, value = self._plan.taint
        pod["serviceAccountName"] = plan.name
        pod["automountServiceAccountToken"] = bool(plan.rules)
        pod["nodeSelector"] = {POOL_LABEL: self._plan.pool}
        pod["tolerations"] = [{"key": key, "operator": "Equal", "value": value}]
        items = [{"key": _key(path), "path": f"project/{path}"} for path, _ in self._plan.files]
        pod["volumes"][0]["configMap"]["items"] = [*items, {"key": _KUBECONFIG_KEY, "path": _KUBECONFIG_KEY}]
        if self.bucket and plan.archives:
            pod["containers"][0]["env"].append({"name": "REPORTS", "value": self.bucket.name})
        pod["containers"][0] |= {
            "image": self._plan.image,
            "args": list(plan.arguments),
            "resources": {
                "requests": {"cpu": plan.cpu, "memory": plan.memory},
                "limits": {"memory": plan.memory},
            },
        }

    def _grant(self, plan: JobPlan) -> list[pulumi.Resource]:
        """Roles of the job's own account: no Google account stands in between, and no key exists."""
        member = self.principal(self._project_number, NAMESPACE, plan.name)
        # The identity pool comes with the project's first cluster.
        options = self.options(depends_on=[self._cluster])
        roles: dict[str, pulumi.Input[str]] = {
            role.replace(".", "-").lower(): f"roles/{role}" for role in plan.roles
        }
        if plan.returns and self._delivery:
            roles[RETURNER] = self._delivery.roles[RETURNER].name
            for pipeline in self._delivery.pipelines:
                self._delivery.let_approve(plan.name, member, pipeline)
        grants: list[pulumi.Resource] = [
            gcp.projects.IAMMember(
                self.scope.name(f"{plan.name}-{name}"),
                project=self.scope.project,
                role=role,
                member=member,
                opts=options,
            )
            for name, role in roles.items()
        ]
        bucket = self.bucket if plan.archives else None
        grants += [
            gcp.storage.BucketIAMMember(
                self.scope.name(f"{plan.name}-reports-{what}"),
                bucket=bucket.name,
                role=f"roles/storage.object{what.capitalize()}",
                member=member,
                opts=options,
            )
            for bucket in ([bucket] if bucket else [])
            for what in ("creator", "viewer")
        ]
        return [self.own(grant) for grant in grants]


def _key(path: str) -> str:
    """The key of a file in a ConfigMap, which may have no folders."""
    return path.replace("/", ".")
