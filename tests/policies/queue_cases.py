"""Rules of queues and cohorts: each broken in one change, and with a value that is not known."""

from policies.resources import UNKNOWN
from tests.policies.scenes import Failing, NotKnown

GPU = "nvidia.com/gpu"
TPU = "google.com/tpu"

FAILING: list[Failing] = [
    (
        "guarantees-within-capacity",
        "a guarantee that leaves no headroom",
        lambda s: s.set_quota("dev-queue-feed-training", "v5e", TPU, "nominalQuota", "32"),
        "headroom:pools.v5e: the guarantees of chips add up to 48, 16 too much; pipelines can have 32 of v5e's 48",
    ),
    (
        "guarantees-within-capacity",
        "a cohort that adds what is not there",
        lambda s: s.set_quota("dev-cohort-pipelines", "l4", GPU, "nominalQuota", "4"),
        "headroom:pools.l4: the nominal quotas of nvidia.com/gpu add up to 17, 1 above the 16 that there are",
    ),
    (
        "guarantees-within-capacity",
        "a pool that shrinks beneath its promises",
        lambda s: s.put("dev-pool-l4", "autoscaling", "totalMaxNodeCount", to=2.0),
        "pipelines can have 6 of l4's 8, as 2 stay free",
    ),
    (
        "promises-have-nodes",
        "a quota of a flavor that no node has",
        lambda s: s.put(
            "dev-queue-feed-training", "spec", "resourceGroups", 0, "flavors", 0, "name", to="v9"
        ),
        "dev-queue-feed-training: promises 444.6 cpu of v9, of which no node pool that can be read offers any",
    ),
    (
        "caps-below-headroom",
        "a cap as large as the pool",
        lambda s: s.set_quota("dev-queue-feed-training", "v5e", TPU, "borrowingLimit", "32"),
        "dev-queue-feed-training: its cap of chips of v5e is 48, and pipelines can have 32 of v5e's 48",
    ),
    (
        "borrowing-is-limited",
        "no borrowing limit",
        lambda s: s.set_quota("dev-queue-feed-training", "v5e", TPU, "borrowingLimit", None),
        "dev-queue-feed-training: has no borrowingLimit for google.com/tpu of v5e, which means no limit",
    ),
    (
        "borrowing-is-limited",
        "a cohort without one",
        lambda s: s.set_quota("dev-cohort-pipelines", "l4", GPU, "borrowingLimit", None),
        "dev-cohort-pipelines: has no borrowingLimit for nvidia.com/gpu of l4",
    ),
    (
        "cohorts-exist",
        "a cohort that is misspelt",
        lambda s: s.put("dev-queue-feed-training", "spec", "cohortName", to="pipeline"),
        'dev-queue-feed-training: its cohort is "pipeline", which is none of the stack',
    ),
    (
        "cohorts-exist",
        "a parent that is not there",
        lambda s: s.drop("dev-cohort-pool"),
        'dev-cohort-pipelines: its cohort is "pool", which is none of the stack',
    ),
    (
        "cohorts-exist",
        "a cohort that bounds nothing",
        lambda s: s.drop("dev-cohort-pipelines", "spec", "resourceGroups"),
        "lists no quota of google.com/tpu of v5e, which its queues have",
    ),
    (
        "cohorts-exist",
        "a cohort that is its own parent",
        lambda s: s.put("dev-cohort-pool", "spec", "parentName", to="pipelines"),
        "dev-cohort-pool: is its own ancestor",
    ),
    (
        "guarantees-are-reclaimed",
        "a guarantee that is not taken back",
        lambda s: s.drop("dev-queue-feed-training", "spec", "preemption", "reclaimWithinCohort"),
        "its preemption.reclaimWithinCohort is not set",
    ),
    *(
        (
            "queues-search-as-planned",
            f"{'.'.join(path)} as {to}",
            lambda s, path=path, to=to: s.put("dev-queue-feed-training", "spec", *path, to=to),
            f"dev-queue-feed-training: {said}",
        )
        for path, to, said in (
            (
                ("flavorFungibility",),
                {"whenCanBorrow": "TryNextFlavor"},
                "its flavorFungibility.whenCanBorrow is TryNextFlavor: work passes by what it could borrow",
            ),
            (
                ("flavorFungibility",),
                {"whenCanPreempt": "MayStopSearch"},
                "its flavorFungibility.whenCanPreempt is MayStopSearch: work evicts others' where its next",
            ),
            (
                ("flavorFungibility",),
                {"preference": "PreemptionOverBorrowing"},
                "its flavorFungibility.preference is PreemptionOverBorrowing",
            ),
            (
                ("preemption", "borrowWithinCohort"),
                {"policy": "LowerPriority"},
                "its preemption.borrowWithinCohort.policy is LowerPriority: who borrows evicts",
            ),
            (
                ("preemption", "withinClusterQueue"),
                "LowerOrNewerEqualPriority",
                "its preemption.withinClusterQueue is LowerOrNewerEqualPriority",
            ),
            (("queueingStrategy",), "StrictFIFO", "its queueingStrategy is StrictFIFO"),
            (("fairSharing",), {"weight": "9"}, "has fairSharing, which changes who is admitted"),
            (("concurrentAdmissionPolicy",), {"migration": {}}, "has concurrentAdmissionPolicy"),
        )
    ),
    (
        "queues-search-as-planned",
        "a cohort with a weight",
        lambda s: s.put("dev-cohort-pipelines", "spec", "fairSharing", to={"weight": "0"}),
        "dev-cohort-pipelines: has fairSharing",
    ),
    (
        "queues-have-one-entrance",
        "a queue that is open to all",
        lambda s: s.put("dev-queue-feed-training", "spec", "namespaceSelector", to={}),
        "dev-queue-feed-training: its namespaceSelector admits other namespaces",
    ),
    (
        "queues-have-one-entrance",
        "a namespace that leads elsewhere",
        lambda s: s.put("dev-local-queue-feed-training", "spec", "clusterQueue", to="experiments"),
        "dev-local-queue-feed-training: leads from feed-training to the queue experiments",
    ),
    (
        "queues-have-one-entrance",
        "a namespace that leads nowhere",
        lambda s: s.drop("dev-local-queue-feed-training"),
        "dev-namespace-feed-training: no LocalQueue leads",
    ),
]

NOT_KNOWN: list[NotKnown] = [
    (
        "guarantees-within-capacity",
        lambda s: s.set_quota("dev-queue-feed-training", "v5e", TPU, "nominalQuota", UNKNOWN),
        "dev-queue-feed-training: its nominalQuota of google.com/tpu of v5e is not known",
    ),
    (
        "guarantees-within-capacity",
        lambda s: s.put("dev-queue-feed-training", "spec", to=UNKNOWN),
        "dev-queue-feed-training: its quota is not known",
    ),
    (
        "promises-have-nodes",
        lambda s: s.put("dev-pool-l4", "nodeConfig", "machineType", to=UNKNOWN),
        "dev-queue-shelf-serving: promises 2 nvidia.com/gpu of l4, of which no node pool that can be read",
    ),
    (
        "caps-below-headroom",
        lambda s: (
            s.set_quota("dev-queue-feed-training", "v5e", TPU, "borrowingLimit", "32"),
            s.set_quota("dev-queue-shelf-training", "v5e", TPU, "borrowingLimit", UNKNOWN),
        ),
        "dev-queue-feed-training: its cap of chips of v5e is 48",
    ),
    (
        "borrowing-is-limited",
        lambda s: s.set_quota("dev-queue-feed-training", "v5e", TPU, "borrowingLimit", UNKNOWN),
        "has a borrowingLimit not known for google.com/tpu of v5e",
    ),
    (
        "cohorts-exist",
        lambda s: s.put("dev-queue-feed-training", "spec", "cohortName", to=UNKNOWN),
        "its cohort is not known",
    ),
    (
        "guarantees-are-reclaimed",
        lambda s: s.put("dev-queue-feed-training", "spec", "preemption", to=UNKNOWN),
        "its preemption.reclaimWithinCohort is not known",
    ),
    (
        "queues-search-as-planned",
        lambda s: s.put("dev-queue-feed-training", "spec", "flavorFungibility", to=UNKNOWN),
        "its flavorFungibility.whenCanBorrow is not known",
    ),
    (
        "queues-search-as-planned",
        lambda s: s.put("dev-queue-feed-training", "spec", to=UNKNOWN),
        "dev-queue-feed-training: how it searches is not known",
    ),
    (
        "queues-have-one-entrance",
        lambda s: s.put("dev-queue-feed-training", "spec", "namespaceSelector", to=UNKNOWN),
        "its namespaceSelector is not known",
    ),
]
