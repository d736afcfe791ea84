"""Rules of the headroom: each broken in one change, and with a value that is not known."""

from policies.resources import UNKNOWN
from tests.policies.scenes import Failing, NotKnown, Scene

GPU = "nvidia.com/gpu"
TPU = "google.com/tpu"


def serve_on_h100(scene: Scene) -> None:
    """The feed model serves on what it does not train on."""
    scene.put("dev-queue-feed-serving", "spec", "resourceGroups", 0, "flavors", 0, "name", to="h100")
    scene.put("dev-queue-feed-training", "spec", "resourceGroups", 0, "flavors", 0, "name", to="cpu")


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
        "its stopPolicy is Hold, so no experiment starts",
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
    (
        "serving-not-above-training",
        lambda s: (serve_on_h100(s), s.put("dev-pool-l4", "nodeConfig", "machineType", to=UNKNOWN)),
        "dev-queue-feed-serving: serves on nvidia-h100-80gb",
    ),
]
