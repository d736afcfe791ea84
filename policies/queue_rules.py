"""Rules for queues and cohorts: promises add up, caps hold, nobody borrows without limit."""

from collections.abc import Iterator

from headroom.planning.allocation import Share
from headroom.planning.queues import EXPERIMENTS, RESOURCE_NAMES
from policies.model import Model
from policies.queues import CLUSTER_QUEUE, COHORT, Cell, Queue, read_cohort, read_queue, show_amount
from policies.resources import ABSENT, UNKNOWN, Resource
from policies.rules import Found, Rule, split
from policies.settings import Settings
from policies.shares import Sharing, read_sharing

_QUEUE_AND_COHORT = (CLUSTER_QUEUE, COHORT)
_WRITE_OUT = "write it out in the program, as what is not known cannot be promised"


def _check_sums(model: Model, settings: Settings) -> Iterator[Found]:
    sharing = read_sharing(model, settings)
    told = set()
    for problem in sharing.overdrawn():
        told.add(problem.path.rpartition(".")[2])
        message, remedy = split(problem)
        yield problem.path, message, remedy
    holders = [*model.queues, *model.cohorts]
    yield from _check_known(holders)
    for share, total in _totals(holders, sharing):
        if total > share.capacity and share.pool not in told:
            told.add(share.pool)
            name, over = _pod_name(share), total - share.capacity
            yield (
                f"headroom:pools.{share.pool}",
                f"the nominal quotas of {name} add up to {show_amount(name, total)}, "
                f"{show_amount(name, over)} above the {show_amount(name, share.capacity)} that there are",
                "lower guarantees or headroom, or raise the pool's max",
            )


def _check_known(holders: list[Queue]) -> Iterator[Found]:
    for holder in holders:
        if not holder.is_readable:
            yield holder.resource, f"its quota is {UNKNOWN.value}", _WRITE_OUT
        for cell in holder.cells:
            if not isinstance(cell.nominal, int):
                yield holder.resource, f"its nominalQuota of {cell.where} is {cell.nominal.value}", _WRITE_OUT


def _totals(holders: list[Queue], sharing: Sharing) -> Iterator[tuple[Share, int]]:
    for share in sharing.shares:
        name = _pod_name(share)
        cells = [cell for holder in holders for cell in holder.cells]
        amounts = [
            cell.nominal
            for cell in cells
            if (cell.flavor, cell.resource) == (share.pool, name) and isinstance(cell.nominal, int)
        ]
        yield share, sum(amounts)


def _pod_name(share: Share) -> str:
    return RESOURCE_NAMES[share.resource]


def _check_offered(model: Model, settings: Settings) -> Iterator[Found]:
    """A quota of what no nodes offer is a promise that nobody can keep."""
    sharing = read_sharing(model, settings)
    offered = {(share.pool, _pod_name(share)) for share in sharing.shares}
    for holder in (*model.queues, *model.cohorts):
        for cell in holder.cells:
            if cell.nominal == 0 and cell.borrowing == 0:
                continue
            if (cell.flavor, cell.resource) not in offered:
                yield (
                    holder.resource,
                    f"promises {show_amount(cell.resource, cell.nominal)} {cell.where}, of which no node "
                    "pool that can be read offers any",
                    "remove it, or add the pool and its ResourceFlavor",
                )


def _check_caps(model: Model, settings: Settings) -> Iterator[Found]:
    by_name = {queue.name: queue.resource for queue in model.queues}
    for problem in read_sharing(model, settings).caps_too_high():
        _, pipeline, _, pool, resource, _ = problem.path.split(".")
        message, remedy = split(problem)
        yield by_name[pipeline], f"its cap of {resource} of {pool} {message}", remedy


def _check_borrowing(resource: Resource, _: Settings) -> Iterator[Found]:
    holder = read_queue(resource) if resource.type == CLUSTER_QUEUE else read_cohort(resource)
    if not holder.is_readable:
        yield resource, f"its quota is {UNKNOWN.value}", _WRITE_OUT
    if not holder.shares:
        return
    for cell in holder.cells:
        if not isinstance(cell.borrowing, int):
            what = "has no borrowingLimit" if cell.borrowing is ABSENT else "has a borrowingLimit not known"
            yield resource, f"{what} for {cell.where}, which means no limit", _SET_LIMIT


_SET_LIMIT = "set borrowingLimit to the pipeline's cap less its guarantee; 0 where it may not borrow"


def _check_cohorts(model: Model, _: Settings) -> Iterator[Found]:
    known = {cohort.name for cohort in model.cohorts}
    for holder in (*model.queues, *model.cohorts):
        named = holder.cohort
        if holder.shares and named not in known:
            shown = f'"{named}", which is none of the stack' if isinstance(named, str) else UNKNOWN.value
            yield (
                holder.resource,
                f"its cohort is {shown}; Kueue makes one without limits of any name",
                f"name one of {', '.join(sorted(map(str, known))) or 'the cohorts'}, or add the Cohort",
            )
    for cohort in model.cohorts:
        if cohort.shares and cohort.is_readable:
            yield from _check_coverage(model, cohort)
    yield from _check_cycles(model)


def _check_coverage(model: Model, cohort: Queue) -> Iterator[Found]:
    """What a cohort does not list it may borrow without limit."""
    listed = {(cell.flavor, cell.resource) for cell in cohort.cells}
    missing: dict[tuple[str, str], Cell] = {}
    for queue in model.queues:
        if queue.cohort == cohort.name:
            missing |= {
                key: cell for cell in queue.cells if (key := (cell.flavor, cell.resource)) not in listed
            }
    for cell in missing.values():
        yield (
            cohort.resource,
            f"lists no quota of {cell.where}, which its queues have, so they may borrow it without limit",
            "list it with nominalQuota and borrowingLimit, 0 where there is none",
        )


def _check_cycles(model: Model) -> Iterator[Found]:
    parents = {cohort.name: cohort.cohort for cohort in model.cohorts}
    for cohort in model.cohorts:
        seen, name = set(), cohort.name
        while name in parents and name not in seen:
            seen.add(name)
            name = parents[name]
        if name == cohort.name and name in seen:
            yield cohort.resource, "is its own ancestor, and Kueue stops such cohorts", "name another parent"


def _check_reclaim(resource: Resource, _: Settings) -> Iterator[Found]:
    queue = read_queue(resource)
    if not queue.shares or not any(cell.nominal != 0 for cell in queue.cells):
        return
    policy = resource.read("spec", "preemption", "reclaimWithinCohort")
    if policy != "Any":
        shown = policy if isinstance(policy, str) else policy.value
        yield (
            resource,
            f"its preemption.reclaimWithinCohort is {shown}, so that what others borrowed of its guarantee "
            "may never come back",
            "set it to Any",
        )


def _check_entrance(model: Model, _: Settings) -> Iterator[Found]:
    for queue in model.queues:
        selector = queue.resource.read("spec", "namespaceSelector")
        if selector != {"matchLabels": {"kubernetes.io/metadata.name": queue.name}}:
            shown = "is not known" if selector is UNKNOWN else "admits other namespaces than its own, or none"
            yield queue.resource, f"its namespaceSelector {shown}", _OWN_NAMESPACE
    spaces = {space.name: space for space in model.namespaces}
    for space in model.namespaces:
        for local in space.local_queues:
            target = local.read("spec", "clusterQueue")
            if target != space.name:
                shown = target if isinstance(target, str) else target.value
                yield (
                    local,
                    f"leads from {space.name} to the queue {shown}",
                    "lead it to the queue of its name",
                )
    for queue in model.queues:
        space = spaces.get(queue.name)
        if queue.name != EXPERIMENTS and space is not None and not space.local_queues:
            yield space.resource, "no LocalQueue leads from it to its queue", "keep its LocalQueue"


_OWN_NAMESPACE = "let it match kubernetes.io/metadata.name: the queue's own name, and nothing else"

QUEUE_RULES = (
    Rule(
        name="guarantees-within-capacity",
        description="Guarantees and headroom together are no more than what nodes and granted quota offer.",
        family="quota",
        severity="critical",
        reference="Q2",
        remedy="Lower guarantees, or raise the pool's max and ask for the quota.",
        of_stack=_check_sums,
        settings=("headroom.share", "headroom.pools", "system_pods"),
    ),
    Rule(
        name="promises-have-nodes",
        description="What queues promise is of a pool that the stack has.",
        family="quota",
        severity="high",
        reference="Q2",
        remedy="Remove the quota, or add the pool and its ResourceFlavor.",
        of_stack=_check_offered,
    ),
    Rule(
        name="caps-below-headroom",
        description="No pipeline's cap reaches into the headroom.",
        family="quota",
        severity="critical",
        reference="Q3, Q5",
        remedy="Lower the cap, or raise the pool's max.",
        of_stack=_check_caps,
        settings=("headroom.share", "headroom.pools", "system_pods"),
    ),
    Rule(
        name="borrowing-is-limited",
        description="Every queue and cohort that may borrow has a borrowingLimit for all that it lists.",
        family="quota",
        severity="critical",
        reference="Q3",
        remedy="Set borrowingLimit; without it Kueue knows no limit.",
        of_resource=_check_borrowing,
        types=_QUEUE_AND_COHORT,
    ),
    Rule(
        name="cohorts-exist",
        description="Every cohort that is named is one of the stack, and lists all that its queues have.",
        family="quota",
        severity="critical",
        reference="Q3",
        remedy="Name a cohort of the stack; one that is not there comes without limits.",
        of_stack=_check_cohorts,
    ),
    Rule(
        name="guarantees-are-reclaimed",
        description="A queue takes its guarantee back from whoever borrowed it.",
        family="quota",
        severity="high",
        reference="Q2",
        remedy="Set preemption.reclaimWithinCohort to Any.",
        of_resource=_check_reclaim,
        types=(CLUSTER_QUEUE,),
    ),
    Rule(
        name="queues-have-one-entrance",
        description="A queue is for its own namespace alone, and a namespace leads to its own queue alone.",
        family="quota",
        severity="high",
        reference="Q3",
        remedy="Let queue, namespace and LocalQueue have one name.",
        of_stack=_check_entrance,
    ),
)
