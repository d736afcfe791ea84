"""Rules that keep the headroom of experiments: it is there, it is not lent, it can be used."""

from collections.abc import Iterator

from headroom.planning.queues import EXPERIMENTS, RESOURCE_NAMES
from headroom.planning.serving_hardware import compare_hardware
from policies.model import Model
from policies.queues import Cell, show_amount
from policies.reach import find_obstacles
from policies.resources import ABSENT, UNKNOWN
from policies.rules import Found, Rule, split
from policies.settings import Settings
from policies.shares import experiments_queue, flavored_pools, read_pipelines, read_sharing

_RAISE = "raise headroom:quota.experiments.share, or have the owners of policies/settings.yaml lower headroom"


def _check_kept(model: Model, settings: Settings) -> Iterator[Found]:
    queue = experiments_queue(model)
    if queue is None:
        if model.queues or model.flavors or model.pools:
            yield EXPERIMENTS, "there is no queue of that name, so experiments have no quota", "keep it"
        return
    if not queue.is_readable:
        yield queue.resource, f"its quota is {UNKNOWN.value}", "write it out in the program"
    cells = {(cell.flavor, cell.resource): cell for cell in queue.cells}
    for share in read_sharing(model, settings).shares:
        name = RESOURCE_NAMES[share.resource]
        cell = cells.get((share.pool, name))
        nominal = cell.nominal if cell else 0
        if not isinstance(nominal, int):
            yield queue.resource, f"its {name} of {share.pool} is {UNKNOWN.value}", "write it out"
        elif nominal < share.headroom:
            least, whole = show_amount(name, share.headroom), show_amount(name, share.capacity)
            yield (
                queue.resource,
                f"keeps {show_amount(name, nominal)} {name} of {share.pool} for experiments, and the "
                f"least of {whole} is {least}",
                _RAISE,
            )


def _check_never_lent(model: Model, settings: Settings) -> Iterator[Found]:
    if settings.headroom.lend:
        return
    queue = experiments_queue(model)
    if queue and queue.shares:
        for cell in queue.cells:
            if cell.lending != 0 and cell.nominal != 0:
                yield queue.resource, f"lends {_lent(cell)} of its {cell.where}", _NEVER_LEND
    for cohort in model.cohorts:
        if not cohort.shares:
            continue
        for cell in cohort.cells:
            if cell.borrowing != 0:
                most = "no limit" if cell.borrowing is ABSENT else show_amount(cell.resource, cell.borrowing)
                yield cohort.resource, f"its queues together may borrow {cell.where}: {most}", _NEVER_BORROW


_NEVER_LEND = "set lendingLimit to 0, or have the owners of policies/settings.yaml allow headroom.lend"
_NEVER_BORROW = "set its borrowingLimit to 0, so that pipelines never reach into the headroom"


def _lent(cell: Cell) -> str:
    if cell.lending is ABSENT:
        return "all"
    return "nobody knows how much" if cell.lending is UNKNOWN else show_amount(cell.resource, cell.lending)


def _check_usable(model: Model, settings: Settings) -> Iterator[Found]:
    queue = experiments_queue(model)
    if queue is None:
        return
    space = next((space for space in model.namespaces if space.name == EXPERIMENTS), None)
    if space is None:
        yield queue.resource, f"there is no namespace {EXPERIMENTS} to run experiments in", "keep it"
    elif not space.local_queues:
        yield space.resource, "no LocalQueue leads from it to the headroom", "keep its LocalQueue"
    kept: dict[str, int] = {}
    for share in read_sharing(model, settings).shares:
        name = RESOURCE_NAMES[share.resource]
        kept[name] = kept.get(name, 0) + share.headroom
    yield from find_obstacles(model, queue, kept, "headroom")


def _check_serving(model: Model, _: Settings) -> Iterator[Found]:
    by_name = {queue.name: queue.resource for queue in model.queues}
    pools = {pool.name: pool for pool in flavored_pools(model)}
    for problem in compare_hardware(read_pipelines(model), pools):
        message, remedy = split(problem)
        yield by_name[problem.path.split(".")[1]], message, remedy


HEADROOM_RULES = (
    Rule(
        name="headroom-kept",
        description="The queue of the experiments has its share of every resource of every pool.",
        family="quota",
        severity="critical",
        reference="Q5",
        remedy="Raise headroom:quota.experiments.share in the stack file.",
        of_stack=_check_kept,
        settings=("headroom.share", "headroom.pools", "system_pods"),
    ),
    Rule(
        name="headroom-never-lent",
        description="What stays free for experiments is lent to nobody, and pipelines cannot borrow it.",
        family="quota",
        severity="critical",
        reference="Q5",
        remedy="Set the lendingLimit of the experiments' queue to 0, and the borrowingLimit of cohorts.",
        of_stack=_check_never_lent,
        settings=("headroom.lend",),
    ),
    Rule(
        name="headroom-usable",
        description="Experiments can use their headroom: their queue is open, their namespace leads to it.",
        family="quota",
        severity="high",
        reference="Q5",
        remedy="Keep the experiments' namespace, its LocalQueue, and its ResourceQuota above the headroom.",
        of_stack=_check_usable,
        settings=("headroom.share", "headroom.pools", "system_pods"),
    ),
    Rule(
        name="serving-not-above-training",
        description="A model serves on hardware that is not above what it trains on.",
        family="quota",
        severity="low",
        level="advisory",
        reference="Q7",
        remedy="Compare hardware with `headroom advise`, and serve on the smaller.",
        of_stack=_check_serving,
    ),
)
