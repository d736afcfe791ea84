"""The rule that what was promised stays, and can be had, unless its owner agrees."""

from collections.abc import Iterator
from fractions import Fraction

from headroom.planning.promises import Promise
from headroom.planning.queues import EXPERIMENTS
from policies.model import Model
from policies.queues import Cell, Queue, read_amount, show_amount
from policies.reach import find_obstacles
from policies.rules import Found, Rule
from policies.settings import Settings


def _check_promises(model: Model, settings: Settings) -> Iterator[Found]:
    yield from _check_taken(model, settings)
    for queue in model.queues:
        if queue.name == EXPERIMENTS:
            continue
        kept: dict[str, int] = {}
        for cell in queue.cells:
            if isinstance(cell.nominal, int):
                kept[cell.resource] = kept.get(cell.resource, 0) + cell.nominal
        if any(kept.values()):
            yield from find_obstacles(model, queue, kept, "guarantee")


def _check_taken(model: Model, settings: Settings) -> Iterator[Found]:
    if not model.queues and not model.records.promises:
        return
    if model.records.promises is None:
        yield (
            model.stack,
            f"nobody knows what was promised before: there is no quotas/{model.stack}.promises.json",
            f"run `headroom quota accept -s {model.stack}` and commit the file",
        )
        return
    queues = {queue.name: queue for queue in model.queues}
    for promise in model.records.promises:
        queue = queues.get(promise.queue)
        resource = queue.resource if queue else promise.queue
        cell = _find_cell(queue, promise)
        before = read_amount(promise.resource, promise.amount)
        after = cell.nominal if cell else 0
        if not isinstance(before, int) or not before:
            continue
        if not isinstance(after, int):
            yield (
                resource,
                f"its {promise.resource} of {promise.flavor} is {after.value}",
                _WRITE,
            )
        elif (taken := Fraction(before - after, before)) > Fraction(str(settings.change.share)):
            yield resource, _describe(promise, before, after, taken), _remedy(promise)


_WRITE = "write it out in the program, as it was promised before"


def _find_cell(queue: Queue | None, promise: Promise) -> Cell | None:
    cells = queue.cells if queue else ()
    return next(
        (cell for cell in cells if (cell.flavor, cell.resource) == (promise.flavor, promise.resource)), None
    )


def _describe(promise: Promise, before: int, after: int, taken: Fraction) -> str:
    what = "the headroom" if promise.queue == EXPERIMENTS else f"the guarantee of {promise.queue}"
    was, now = (show_amount(promise.resource, amount) for amount in (before, after))
    return (
        f"takes {float(taken):.0%} of {what} in {promise.flavor}: {promise.resource} was {was} when it was "
        f"accepted, and is {now}"
    )


def _remedy(promise: Promise) -> str:
    whose = "the owners of the headroom" if promise.queue == EXPERIMENTS else f"the owner of {promise.queue}"
    return f"leave it, or have {whose} add an exemption to policies/settings.yaml"


PROMISE_RULES = (
    Rule(
        name="promises-are-kept",
        description="A change takes no more than a set share of a promise, and puts none out of reach.",
        family="quota",
        severity="high",
        reference="Q2, Q5",
        remedy="Leave it, or have its owner add an exemption with reason and expiry.",
        of_stack=_check_promises,
        settings=("change.share", "exemptions"),
    ),
)
