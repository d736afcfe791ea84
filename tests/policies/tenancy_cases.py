"""Rules of namespaces: each broken in one change, and with a value that is not known."""

from policies.resources import UNKNOWN
from tests.policies.scenes import Failing, NotKnown

GPU = "nvidia.com/gpu"
OURS = {"matchExpressions": [{"key": "headroom/kind", "operator": "Exists"}]}

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
]
