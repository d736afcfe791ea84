"""Rules of what may draw quota, and of where work runs: each broken in one change, and with an unknown value."""

from typing import Any

from policies.resources import UNKNOWN
from tests.policies.scenes import Failing, NotKnown, Scene

RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
BESIDE = (
    "gcp:cloudbuild/workerPool:WorkerPool",
    "gcp:compute/instanceGroupManager:InstanceGroupManager",
    "gcp:dataflow/job:Job",
    "gcp:dataproc/cluster:Cluster",
    "gcp:filestore/instance:Instance",
    "gcp:managedkafka/cluster:Cluster",
    "gcp:memcache/instance:Instance",
    "gcp:netapp/volume:Volume",
    "gcp:nobodyknows/thing:Thing",
    "gcp:notebooks/instance:Instance",
    "gcp:redis/instance:Instance",
    "gcp:tpu/v2QueuedResource:V2QueuedResource",
    "gcp:vertex/aiEndpoint:AiEndpoint",
    "gcp:workbench/instance:Instance",
    "kubernetes:core/v1:PodList",
    "kubernetes:nobody.knows.example/v1:Thing",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBindingList",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBindingPatch",
    "kubernetes:rbac.authorization.k8s.io/v1beta1:RoleBinding",
    "kubernetes:resource.k8s.io/v1:DeviceClass",
    "kubernetes:resource.k8s.io/v1:ResourceClaim",
    "kubernetes:resource.k8s.io/v1beta1:ResourceClaimTemplate",
)
"""Machines and devices beside the pools and the queues."""


def bind(scene: Scene, place: Any, role: str, kind: str = "ClusterRole") -> None:
    """Bind a role in a namespace; without one, in all."""
    where = {"namespace": place} if place else {}
    inputs = {
        "metadata": {"name": "side", **where},
        "roleRef": {"kind": kind, "name": role},
        "subjects": [{"kind": "Group", "name": "ml@acme.example"}],
    }
    scene.add(f"{RBAC}{'RoleBinding' if place else 'ClusterRoleBinding'}", "side-door", inputs)


def add_namespace(scene: Scene, name: Any, labels: Any) -> Scene:
    metadata = {"name": name, "labels": labels}
    return scene.add("kubernetes:core/v1:Namespace", "side", {"metadata": metadata})


def grant(scene: Scene, role: str) -> Scene:
    inputs = {"project": "acme-ml-dev", "role": role, "member": "group:ml@acme.example"}
    return scene.add("gcp:projects/iAMMember:IAMMember", "side-door", inputs)


def made_role(scene: Scene, kind: str, name: str, kinds: list[str], verb: str = "get") -> None:
    """Make a role and bind it in a namespace without a queue."""
    rule = {"apiGroups": [""], "resources": kinds, "verbs": [verb]}
    where = {"namespace": "headroom-gateway"} if kind == "Role" else {}
    scene.add(f"{RBAC}{kind}", "made", {"metadata": {"name": name, **where}, "rules": [rule]})
    bind(scene, "headroom-gateway", name, kind)


def own_role(scene: Scene, place: str, verb: str, name: str) -> None:
    rule = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": [verb]}
    metadata = {"name": "runs", "namespace": place}
    scene.add(f"{RBAC}Role", "runs", {"metadata": metadata, "rules": [rule]})
    bind(scene, "headroom-gateway", name, "Role")


FAILING: list[Failing] = [
    (
        "kinds-are-known",
        "a machine beside the pools",
        lambda s: s.add("gcp:compute/instance:Instance", "mine", {"machineType": "a3-highgpu-8g"}),
        "mine: is of the type gcp:compute/instance:Instance, which may draw quota that nobody counts",
    ),
    (
        "kinds-are-known",
        "a command that could make anything",
        lambda s: s.add("command:local:Command", "mine", {"create": "gcloud"}),
        "mine: is of the type command:local:Command, which runs commands",
    ),
    (
        "kinds-are-known",
        "a queue of another version",
        lambda s: s.add("kubernetes:kueue.x-k8s.io/v1beta1:ClusterQueue", "old", {}),
        "old: is of the type kubernetes:kueue.x-k8s.io/v1beta1:ClusterQueue, which no rule of the queues knows",
    ),
    *(
        (
            "kinds-are-known",
            kind,
            lambda s, kind=kind: s.add(kind, "mine", {"chart": "x"}),
            f"mine: is of the type {kind}",
        )
        for kind in (
            "gcp:appengine/flexibleAppVersion:FlexibleAppVersion",
            "gcp:deploymentmanager/deployment:Deployment",
            "gcp:hypercomputecluster/cluster:Cluster",
            "google-beta:compute/instance:Instance",
            "kubernetes:compute.cnrm.cloud.google.com/v1beta1:ComputeInstance",
            "kubernetes:helm.sh/v3:Release",
            "kubernetes:kustomize/v2:Directory",
            "aws:ec2/instance:Instance",
            "azure-native:compute:VirtualMachine",
            "pulumi:providers:aws",
            "terraform-provider:x:Y",
            *BESIDE,
        )
    ),
    *(
        (
            "work-is-in-queues",
            f"a {kind} in {place}",
            lambda s, kind=kind, place=place: s.add(
                f"kubernetes:{kind}", "mine", {"metadata": {"name": "mine", "namespace": place}}
            ),
            f"mine: runs in the namespace {place or 'default'}, which has no queue",
        )
        for kind, place in (
            ("apps/v1:Deployment", "side"),
            ("apps/v1:DaemonSet", "kube-system"),
            ("batch/v1:Job", None),
            ("core/v1:Pod", "headroom-monitoring"),
        )
    ),
    *(
        (
            "work-is-in-queues",
            f"a {kind} called as the platform's own {name}",
            lambda s, kind=kind, place=place, name=name: s.add(
                f"kubernetes:{kind}", "mine", {"metadata": {"name": name, "namespace": place}}
            ),
            f"mine: runs in the namespace {place}, which has no queue",
        )
        for kind, place, name in (
            ("apps/v1:DaemonSet", "headroom-operations", "audit"),
            ("apps/v1:Deployment", "headroom-monitoring", "pushgateway"),
            ("batch/v1:Job", "headroom-operations", "rollbacks"),
        )
    ),
    (
        "work-is-in-queues",
        "more of the platform's own",
        lambda s: s.put("dev-statefulset-pushgateway", "spec", "replicas", to=100),
        "dev-statefulset-pushgateway: has other replicas than the 1 agreed to",
    ),
    (
        "kinds-are-known",
        "a patch of a ResourceQuota",
        lambda s: s.add("kubernetes:core/v1:ResourceQuotaPatch", "patch", {}),
        "patch: is of the type kubernetes:core/v1:ResourceQuotaPatch, behind which objects are",
    ),
    (
        "kinds-are-known",
        "a Pod that is registered as something else",
        lambda s: s.add("kubernetes:core/v1:ConfigMap", "mine", {"apiVersion": "v1", "kind": "Pod"}),
        "mine: is registered as kubernetes:core/v1:ConfigMap, and its kind is Pod",
    ),
    (
        "work-is-in-queues",
        "a kind that Kueue knows, beside the queues",
        lambda s: s.add("kubernetes:ray.io/v1:RayCluster", "mine", {"metadata": {"namespace": "side"}}),
        "mine: runs in the namespace side, which has no queue",
    ),
    (
        "namespaces-have-queues",
        "a namespace that no policy looks at",
        lambda s: add_namespace(s, "side", {"team": "ml"}),
        "side: has no label headroom/kind, so that whatever runs in it is in no queue",
    ),
    *(
        (
            "namespaces-have-queues",
            f"{role} in {place}",
            lambda s, role=role, place=place: bind(s, place, role),
            f"side-door: its role {role} may let one run work in {place}, which has no queue",
        )
        for role, place in (
            ("edit", "side"),
            ("admin", "default"),
            ("headroom-pipeline-owner", "headroom-monitoring"),
            ("nobody-knows", "kube-system"),
        )
    ),
    (
        "namespaces-have-queues",
        "a role in all namespaces",
        lambda s: bind(s, None, "headroom-pipeline-owner"),
        "side-door: its role headroom-pipeline-owner may let one run work in all namespaces",
    ),
    (
        "namespaces-have-queues",
        "a role of the namespace's own",
        lambda s: own_role(s, "headroom-gateway", "create", "runs"),
        "side-door: its role runs may let one run work in headroom-gateway",
    ),
    (
        "namespaces-have-queues",
        "a role of another namespace",
        lambda s: own_role(s, "elsewhere", "get", "runs"),
        "side-door: its role runs may let one run work in headroom-gateway",
    ),
    *(
        (
            "namespaces-have-queues",
            f"a {kind} of the stack's own that is called {name}",
            lambda s, kind=kind, name=name: made_role(s, kind, name, ["pods"], "create"),
            f"side-door: its role {name} may let one run work in headroom-gateway",
        )
        for kind in ("Role", "ClusterRole")
        for name in ("view", "kueue-metrics-reader")
    ),
    (
        "namespaces-have-queues",
        "a Role of nobody's that is called view",
        lambda s: bind(s, "headroom-gateway", "view", "Role"),
        "side-door: its role view may let one run work in headroom-gateway",
    ),
    *(
        (
            "namespaces-have-queues",
            f"a role that reaches into pods by {kind}",
            lambda s, kind=kind: made_role(s, "Role", "looks", ["pods", kind]),
            "side-door: its role looks may let one run work in headroom-gateway",
        )
        for kind in ("pods/exec", "pods/attach", "pods/portforward", "nodes/proxy", "services/proxy", "*")
    ),
    *(
        (
            "namespaces-have-queues",
            f"a role of one's own with {permission}",
            lambda s, permission=permission: s.value("dev-model-runner", "permissions").append(permission),
            f"dev-model-runner: allows {permission} in every namespace",
        )
        for permission in (
            "container.nodes.proxy",
            "container.pods.attach",
            "container.pods.exec",
            "container.pods.portForward",
            "container.services.proxy",
        )
    ),
    (
        "namespaces-have-queues",
        "a role of Google's in the whole cluster",
        lambda s: grant(s, "roles/container.developer"),
        "side-door: gives roles/container.developer, so one may run work in every namespace",
    ),
    (
        "namespaces-have-queues",
        "a role of one's own in the whole cluster",
        lambda s: s.value("dev-model-runner", "permissions").append("container.pods.create"),
        "dev-model-runner: allows container.pods.create in every namespace",
    ),
]

NOT_KNOWN: list[NotKnown] = [
    (
        "kinds-are-known",
        lambda s: s.add("gcp:tpu/v2Vm:V2Vm", "mine", {"acceleratorType": UNKNOWN}),
        "mine: is of the type gcp:tpu/v2Vm:V2Vm",
    ),
    (
        "kinds-are-known",
        lambda s: s.add("kubernetes:helm.sh/v3:Release", "mine", {"chart": UNKNOWN}),
        "mine: is of the type kubernetes:helm.sh/v3:Release",
    ),
    (
        "work-is-in-queues",
        lambda s: s.put("dev-statefulset-pushgateway", "metadata", "namespace", to=UNKNOWN),
        "dev-statefulset-pushgateway: runs in the namespace not known",
    ),
    (
        "work-is-in-queues",
        lambda s: s.put("dev-statefulset-pushgateway", "spec", "replicas", to=UNKNOWN),
        "dev-statefulset-pushgateway: has other replicas",
    ),
    (
        "kinds-are-known",
        lambda s: s.add("kubernetes:core/v1:ConfigMap", "mine", {"kind": UNKNOWN}),
        "mine: is registered as kubernetes:core/v1:ConfigMap, and its kind is not known",
    ),
    (
        "namespaces-have-queues",
        lambda s: add_namespace(s, UNKNOWN, {}),
        "side: has no label headroom/kind",
    ),
    (
        "namespaces-have-queues",
        lambda s: bind(s, UNKNOWN, "edit"),
        "side-door: its role edit may let one run work in not known",
    ),
    (
        "namespaces-have-queues",
        lambda s: s.put("dev-rolebinding-kueue-metrics", "roleRef", "name", to=UNKNOWN),
        "dev-rolebinding-kueue-metrics: its role not known",
    ),
    (
        "namespaces-have-queues",
        lambda s: s.put("dev-role-kueue-metrics", "rules", 0, "verbs", to=UNKNOWN),
        "dev-rolebinding-kueue-metrics: its role kueue-metrics may let one run work",
    ),
]
