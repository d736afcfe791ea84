"""Rules of namespaces: each broken in one change, and with a value that is not known."""

from policies.admission_rules import BINDING, POLICY
from policies.resources import UNKNOWN
from tests.policies.scenes import Failing, NotKnown

GPU = "nvidia.com/gpu"
OURS = {"matchExpressions": [{"key": "headroom/kind", "operator": "Exists"}]}
ADMISSION = "kubernetes:admissionregistration.k8s.io/v1:"
DENY, QUEUE_NAME = {"expression": "false"}, "headroom-queue-name"
ADMITTED = {"name": "admitted", "expression": "[]"}
GUTTED = (
    ("validations", [{"expression": "true"}]),
    ("matchConditions", [{"name": "never", "expression": "false"}]),
    ("matchConstraints", {"resourceRules": []}),
    ("variables", [{"name": "admitted", "expression": "[]"}, {"name": "x", "expression": "true"}]),
)

FAILING: list[Failing] = [
    (
        "namespaces-are-bounded",
        "no ResourceQuota",
        lambda s: s.drop("dev-quota-feed-serving"),
        "dev-namespace-feed-serving: has no ResourceQuota",
    ),
    (
        "namespaces-are-bounded",
        "a ResourceQuota of a part",
        lambda s: s.put("dev-quota-feed-serving", "spec", "scopes", to=["BestEffort"]),
        "dev-namespace-feed-serving: has no ResourceQuota",
    ),
    (
        "namespaces-are-bounded",
        "no LimitRange",
        lambda s: s.drop("dev-limits-feed-serving"),
        "has no LimitRange",
    ),
    (
        "namespaces-are-bounded",
        "no namespace",
        lambda s: s.drop("dev-namespace-feed-serving"),
        "dev-queue-feed-serving: there is no namespace feed-serving",
    ),
    (
        "namespaces-are-bounded",
        "a namespace that admission policies pass by",
        lambda s: s.drop("dev-namespace-feed-serving", "metadata", "labels", "headroom/kind"),
        "has no label headroom/kind",
    ),
    (
        "objects-are-bounded",
        "a flood of jobs",
        lambda s: s.put("dev-quota-feed-serving", "spec", "hard", "count/jobs.batch", to="5000"),
        "dev-quota-feed-serving: count/jobs.batch is 5000, and the most is 300",
    ),
    (
        "objects-are-bounded",
        "pods without number",
        lambda s: s.drop("dev-quota-feed-serving", "spec", "hard", "pods"),
        "dev-quota-feed-serving: pods is not set",
    ),
    (
        "namespaces-within-caps",
        "Deployments beyond the cap",
        lambda s: s.put("dev-quota-feed-serving", "spec", "hard", f"requests.{GPU}", to="16"),
        "dev-quota-feed-serving: requests.nvidia.com/gpu is 16, above 6, its queue's caps",
    ),
    (
        "namespaces-within-caps",
        "Deployments without one",
        lambda s: s.drop("dev-quota-feed-serving", "spec", "hard", f"requests.{GPU}"),
        "requests.nvidia.com/gpu is not set; set it to 6",
    ),
    (
        "admission-is-enforced",
        "no policy",
        lambda s: s.drop("dev-policy-headroom-queue-name"),
        "headroom-queue-name: there is no such admission policy",
    ),
    (
        "admission-is-enforced",
        "a policy that only warns",
        lambda s: s.put("dev-policybinding-headroom-requests", "spec", "validationActions", to=["Warn"]),
        "dev-policybinding-headroom-requests: does not deny in every namespace",
    ),
    (
        "admission-is-enforced",
        "a policy for some",
        lambda s: s.put(
            "dev-policybinding-headroom-requests",
            "spec",
            "matchResources",
            to={"namespaceSelector": OURS, "objectSelector": {"matchLabels": {"a": "b"}}},
        ),
        "dev-policybinding-headroom-requests: does not deny in every namespace",
    ),
    (
        "admission-is-enforced",
        "a policy that lets pass what it cannot judge",
        lambda s: s.put("dev-policy-headroom-requests", "spec", "failurePolicy", to="Ignore"),
        "dev-policy-headroom-requests: its failurePolicy is not Fail",
    ),
    (
        "admission-is-enforced",
        "a policy that asks for nothing",
        lambda s: s.put("dev-policy-headroom-requests", "spec", "validations", to=[]),
        "dev-policy-headroom-requests: validates nothing",
    ),
    *(
        (
            "admission-is-enforced",
            f"a policy gutted by its {key}",
            lambda s, key=key, to=to: s.put(f"dev-policy-{QUEUE_NAME}", "spec", key, to=to),
            f"dev-policy-{QUEUE_NAME}: is not the policy that was agreed: work outside the queues",
        )
        for key, to in GUTTED
    ),
    *(
        (
            "admission-is-enforced",
            f"no {name}",
            lambda s, name=name: s.drop(f"dev-policy-{name}"),
            f"headroom-{name.removeprefix('headroom-')}: there is no such admission policy",
        )
        for name in ("headroom-accelerators", "headroom-queues", "model-images", "model-routes")
    ),
    (
        "admission-is-enforced",
        "a policy without a binding",
        lambda s: s.drop("dev-policybinding-headroom-accelerators"),
        "dev-policy-headroom-accelerators: has no binding, so it denies nothing",
    ),
    (
        "admission-is-enforced",
        "a policy for others than it is for",
        lambda s: s.put("dev-policybinding-headroom-accelerators", "spec", "matchResources", to={}),
        "dev-policybinding-headroom-accelerators: does not deny in every namespace",
    ),
    (
        "admission-is-enforced",
        "images of anybody",
        lambda s: s.put(
            "dev-policy-model-images",
            "spec",
            "variables",
            0,
            "expression",
            to="['us-central1-docker.pkg.dev/']",
        ),
        "dev-policy-model-images: its variable admitted lists no repositories",
    ),
    *(
        (
            "admission-is-enforced",
            f"images in production {how}",
            lambda s, to=to: s.put("dev-policy-model-images", "spec", "variables", 0, "expression", to=to),
            "dev-policy-model-images: its variable admitted lists no repositories",
        )
        for how, to in (
            ("of a whole project", "{'production': ['a.dev/b/'], 'staging': ['a.dev/b/models/']}"),
            (
                "of two repositories",
                "{'production': ['a.dev/b/c/', 'a.dev/b/models/'], 'staging': ['a.dev/b/models/']}",
            ),
            ("of no repository", "{'production': [], 'staging': ['a.dev/b/models/']}"),
            ("and nowhere else", "{'production': ['a.dev/b/c/']}"),
            ("that staging says", "{'production': ['a.dev/b/c/'], 'staging': []}"),
        )
    ),
    (
        "admission-is-enforced",
        "routes of any path",
        lambda s: s.put(
            "dev-policy-model-routes", "spec", "validations", 1, "expression", to="variables.path != '/'"
        ),
        "dev-policy-model-routes: is not the policy that was agreed: a namespace's route could take",
    ),
    (
        "admission-is-enforced",
        "routes of a policy that admits images",
        lambda s: s.put(
            "dev-policy-model-routes",
            "spec",
            "variables",
            to=[*s.value("dev-policy-model-routes", "spec", "variables"), ADMITTED],
        ),
        "dev-policy-model-routes: has a variable admitted, which no rule reads here",
    ),
    (
        "admission-is-enforced",
        "a policy nobody knows",
        lambda s: s.add(POLICY, "x", {"metadata": {"name": "x"}, "spec": {"validations": [DENY]}}),
        "x: is an admission policy x that nobody agreed to",
    ),
    (
        "admission-is-enforced",
        "a binding of a policy nobody knows",
        lambda s: s.add(BINDING, "x", {"spec": {"policyName": "x", "validationActions": ["Deny"]}}),
        "x: binds an admission policy x that nobody agreed to",
    ),
    (
        "admission-is-enforced",
        "a webhook",
        lambda s: s.add(f"{ADMISSION}ValidatingWebhookConfiguration", "x", {"webhooks": []}),
        "x: is of the type",
    ),
]

NOT_KNOWN: list[NotKnown] = [
    (
        "namespaces-are-bounded",
        lambda s: s.put("dev-quota-feed-serving", "metadata", "namespace", to=UNKNOWN),
        "dev-namespace-feed-serving: has no ResourceQuota",
    ),
    (
        "namespaces-are-bounded",
        lambda s: s.put("dev-namespace-feed-serving", "metadata", "labels", to=UNKNOWN),
        "its label headroom/kind is not known",
    ),
    (
        "objects-are-bounded",
        lambda s: s.put("dev-quota-feed-serving", "spec", "hard", "count/jobs.batch", to=UNKNOWN),
        "count/jobs.batch is not known",
    ),
    (
        "namespaces-within-caps",
        lambda s: s.put("dev-quota-feed-serving", "spec", "hard", to=UNKNOWN),
        "requests.nvidia.com/gpu is not known",
    ),
    (
        "admission-is-enforced",
        lambda s: s.put("dev-policybinding-headroom-requests", "spec", "matchResources", to=UNKNOWN),
        "dev-policybinding-headroom-requests: does not deny in every namespace",
    ),
    (
        "admission-is-enforced",
        lambda s: s.put("dev-policy-headroom-requests", "spec", "variables", to=UNKNOWN),
        "dev-policy-headroom-requests: says what is not known before the update",
    ),
    (
        "admission-is-enforced",
        lambda s: s.put("dev-policybinding-headroom-requests", "spec", "policyName", to=UNKNOWN),
        "dev-policybinding-headroom-requests: binds an admission policy whose name is not known",
    ),
]
