"""Rules of the headroom: each broken in one change, and with a value that is not known."""

from policies.resources import UNKNOWN
from tests.policies.scenes import Failing, NotKnown, Scene

GPU = "nvidia.com/gpu"
TPU = "google.com/tpu"


def serve_on_h100(scene: Scene) -> None:
    """The feed model serves on what it does not train on."""
    scene.put("dev-queue-feed-serving", "spec", "resourceGroups", 0, "flavors", 0, "name", to="h100")
    scene.put("dev-queue-feed-training", "spec", "resourceGroups", 0, "flavors", 0, "name", to="cpu")


NEVER = {"admissionChecks": [{"name": "never"}]}
OUT_OF_REACH = (
    (
        "local-queue",
        ("stopPolicy",),
        "HoldAndDrain",
        "its stopPolicy is HoldAndDrain, so nothing gets from it",
    ),
    (
        "queue",
        ("admissionChecksStrategy",),
        NEVER,
        "waits for the admission check never, which nobody answers",
    ),
    (
        "queue",
        ("resourceGroups", 0, "coveredResources"),
        ["cpu"],
        "its coveredResources lack google.com/tpu, mem",
    ),
    ("quota", ("hard", "pods"), "0", "bounds pods to 0, below the headroom of 100"),
    ("quota", ("hard", "count/pods"), "1", "bounds count/pods to 1, below the headroom of 100"),
    ("quota", ("hard", "count/jobs.batch"), "0", "bounds count/jobs.batch to 0, below the headroom of 50"),
    ("quota", ("hard", "limits.cpu"), "1m", "bounds limits.cpu to 0.001"),
    ("quota", ("hard", "cpu"), "1", "bounds cpu to 1"),
    ("quota", ("hard", "memory"), "1Gi", "bounds memory to 1Gi, below the headroom of"),
    ("limits", ("limits", 0, "max", "cpu"), "1m", "bounds cpu of a container to 0.001"),
    ("limits", ("limits", 0, "min"), {"memory": "9Ti"}, "asks of each memory of at least"),
)
"""What is changed of the experiments' objects, and what must be said."""

FAILING: list[Failing] = [
    (
        "headroom-kept",
        "a smaller quota for experiments",
        lambda s: s.set_quota("dev-queue-experiments", "l4", GPU, "nominalQuota", "3"),
        "dev-queue-experiments: keeps 3 nvidia.com/gpu of l4 for experiments, and the least of 16 is 4; raise",
    ),
    (
        "headroom-kept",
        "a flavor that experiments do not have",
        lambda s: s.drop("dev-queue-experiments", "spec", "resourceGroups", 0, "flavors", 0),
        "dev-queue-experiments: keeps 0 cpu of cpu",
    ),
    (
        "headroom-kept",
        "half a slice, which cannot be scheduled",
        lambda s: s.set_quota("dev-queue-experiments", "v5e", TPU, "nominalQuota", "8"),
        "keeps 8 google.com/tpu of v5e for experiments, and the least of 48 is 16",
    ),
    (
        "headroom-kept",
        "no queue for experiments",
        lambda s: s.drop("dev-queue-experiments"),
        "experiments: there is no queue of that name",
    ),
    (
        "headroom-never-lent",
        "a lending limit",
        lambda s: s.set_quota("dev-queue-experiments", "l4", GPU, "lendingLimit", "2"),
        "dev-queue-experiments: lends 2 of its nvidia.com/gpu of l4; set lendingLimit to 0",
    ),
    (
        "headroom-never-lent",
        "no lending limit",
        lambda s: s.set_quota("dev-queue-experiments", "l4", GPU, "lendingLimit", None),
        "lends all of its nvidia.com/gpu of l4",
    ),
    (
        "headroom-never-lent",
        "pipelines that may borrow beyond theirs",
        lambda s: s.set_quota("dev-cohort-pipelines", "l4", GPU, "borrowingLimit", "4"),
        "dev-cohort-pipelines: its queues together may borrow nvidia.com/gpu of l4: 4",
    ),
    (
        "headroom-usable",
        "a queue that is held",
        lambda s: s.put("dev-queue-experiments", "spec", "stopPolicy", to="Hold"),
        "its stopPolicy is Hold, so nothing in it starts",
    ),
    (
        "headroom-usable",
        "no way into the queue",
        lambda s: s.drop("dev-local-queue-experiments"),
        "dev-namespace-experiments: no LocalQueue leads from it to the headroom",
    ),
    (
        "headroom-usable",
        "a namespace with less than the headroom",
        lambda s: s.put("dev-quota-experiments", "spec", "hard", f"requests.{TPU}", to="4"),
        "dev-quota-experiments: bounds requests.google.com/tpu to 4, below the headroom of 20",
    ),
    (
        "headroom-usable",
        "no namespace",
        lambda s: s.drop("dev-namespace-experiments"),
        "no namespace experiments",
    ),
    *(
        (
            "headroom-usable",
            f"a {kind} with {'.'.join(map(str, path))} {to}",
            lambda s, kind=kind, path=path, to=to: s.put(f"dev-{kind}-experiments", "spec", *path, to=to),
            said,
        )
        for kind, path, to, said in OUT_OF_REACH
    ),
    (
        "headroom-usable",
        "a quota of a part of the work",
        lambda s: s.add(
            "kubernetes:core/v1:ResourceQuota",
            "more",
            {
                "metadata": {"name": "more", "namespace": "experiments"},
                "spec": {"hard": {"pods": "0"}, "scopes": ["NotBestEffort"]},
            },
        ),
        "more: bounds pods to 0",
    ),
    (
        "serving-not-above-training",
        "serving on H100, training on processors",
        serve_on_h100,
        "dev-queue-feed-serving: serves on nvidia-h100-80gb, and the model trains on processors",
    ),
]

NOT_KNOWN: list[NotKnown] = [
    (
        "headroom-kept",
        lambda s: s.set_quota("dev-queue-experiments", "l4", GPU, "nominalQuota", UNKNOWN),
        "its nvidia.com/gpu of l4 is not known",
    ),
    (
        "headroom-kept",
        lambda s: s.put("dev-queue-experiments", "spec", "resourceGroups", to=UNKNOWN),
        "its quota is not known",
    ),
    (
        "headroom-never-lent",
        lambda s: s.set_quota("dev-queue-experiments", "l4", GPU, "lendingLimit", UNKNOWN),
        "lends nobody knows how much of its nvidia.com/gpu of l4",
    ),
    (
        "headroom-usable",
        lambda s: s.put("dev-queue-experiments", "spec", "stopPolicy", to=UNKNOWN),
        "its stopPolicy is not known",
    ),
    (
        "headroom-usable",
        lambda s: s.put("dev-quota-experiments", "spec", "hard", f"requests.{TPU}", to=UNKNOWN),
        "bounds requests.google.com/tpu to not known",
    ),
    *(
        (
            "headroom-usable",
            lambda s, kind=kind, key=key: s.put(f"dev-{kind}-experiments", "spec", key, to=UNKNOWN),
            said,
        )
        for kind, key, said in (
            ("local-queue", "stopPolicy", "its stopPolicy is not known"),
            ("queue", "admissionChecksStrategy", "waits for the admission check not known"),
            ("quota", "hard", "its bounds are not known"),
            ("limits", "limits", "its limits are not known"),
        )
    ),
    (
        "serving-not-above-training",
        lambda s: (serve_on_h100(s), s.put("dev-pool-l4", "nodeConfig", "machineType", to=UNKNOWN)),
        "dev-queue-feed-serving: serves on nvidia-h100-80gb",
    ),
]
