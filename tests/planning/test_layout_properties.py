"""What Kueue may admit under the layout of the queues, whatever the platform and whoever submits what.

The arithmetic is that of `tests.cluster.kueue_model`, which `tests/cluster/test_kueue_model.py` holds against
the real Kueue. Amounts are those of the plan itself: thousandths of a core, bytes, devices.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, event, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from headroom.planning.allocation import Share
from headroom.planning.pipelines import Resource
from headroom.planning.plan import Plan, plan_config
from headroom.planning.queues import (
    EXPERIMENTS,
    PIPELINES_COHORT,
    POOL_COHORT,
    RESOURCE_NAMES,
    FlavorQuotas,
    QueuesPlan,
)
from headroom.spec.quantities import parse_quantity
from tests.cluster.kueue_model import Job, Layout, Node, Quota, State, find_victim
from tests.conftest import MINIMAL
from tests.planning.strategies import DrawnPlatform, platforms

Step = tuple[int, int, float, bool]
"""Which queue, which of its flavors, what part of what it could have, and whether it takes its guarantee back."""

steps = st.lists(
    st.tuples(
        st.integers(0, 7), st.integers(0, 7), st.one_of(st.just(1.0), st.floats(0.0, 1.0)), st.booleans()
    ),
    max_size=12,
)


@dataclass(frozen=True)
class Work(Job):
    """A job of any size."""

    amount: int = 0


class Holdings(State):
    """The model's state with jobs of any size."""

    def usage(self, name: str, flavor: str) -> int:
        if name in self.layout.children:
            return super().usage(name, flavor)
        return sum(
            job.amount
            for job in self.admitted
            if isinstance(job, Work) and (job.queue, job.flavor) == (name, flavor)
        )


@dataclass(frozen=True)
class Promise:
    """What holds for one resource of a pool, whatever is submitted."""

    capacity: int
    headroom: int
    lends: bool
    guarantees: Mapping[str, int]
    caps: Mapping[str, int]
    """As the stack file states them, by pipeline."""


def read_layout(plan: QueuesPlan, resource: Resource) -> Layout:
    """The queues as Kueue sees them, of one resource."""
    name = RESOURCE_NAMES[resource]
    return Layout(
        tuple(Node(each.name, each.parent, _quotas(each.flavors, name)) for each in plan.cohorts),
        tuple(Node(each.name, each.cohort, _quotas(each.flavors, name)) for each in plan.queues),
        reclaims=True,
    )


def _quotas(flavors: Iterable[FlavorQuotas], resource: str) -> dict[str, Quota]:
    def units(text: str | None) -> Any:
        return None if text is None else int(parse_quantity(text) * (1_000 if resource == "cpu" else 1))

    return {
        flavor.flavor: Quota(units(quota.nominal), units(quota.borrowing), units(quota.lending))
        for flavor in flavors
        for quota in flavor.quotas
        if quota.resource == resource
    }


def read_promises(plan: Plan, resource: Resource, *, lends: bool) -> dict[str, Promise]:
    """What the plan promises of a resource, by pool; of a pool without it, nothing."""
    nothing = Promise(0, 0, lends, {}, {})
    return dict.fromkeys((pool.name for pool in plan.pools), nothing) | {
        share.pool: _promise(plan, share, lends) for share in plan.shares if share.resource == resource
    }


def _promise(plan: Plan, share: Share, lends: bool) -> Promise:
    limits = {
        pipeline.name: limit
        for pipeline in plan.pipelines
        for limit in pipeline.limits
        if (limit.pool, limit.resource) == (share.pool, share.resource)
    }
    guarantees = {name: limit.guarantee for name, limit in limits.items()}
    if share.shared < 0:
        layout = read_layout(plan.tenancy.queues, share.resource)
        guarantees = {name: layout.nodes[name].quotas[share.pool].nominal for name in limits}
    caps = {name: limit.cap for name, limit in limits.items()}
    return Promise(share.capacity, share.headroom, lends, guarantees, caps)


def submit(state: State, queue: str, flavor: str, part: float) -> State:
    """The state with part of what the queue could have beside what it has."""
    free = state.available(queue, flavor)
    return _admit(state, queue, flavor, free if part == 1.0 else int(free * part))


def claim(state: State, queue: str, flavor: str, amount: int) -> tuple[State, int]:
    """The state in which the queue has that much more, others evicted where it may; and what it did not get."""
    while amount > 0:
        free = min(amount, state.available(queue, flavor))
        if free > 0:
            state, amount = _admit(state, queue, flavor, free), amount - free
        elif victim := find_victim(state, queue, flavor):
            state = state.without(victim)
        else:
            break
    return state, amount


def _admit(state: State, queue: str, flavor: str, amount: int) -> State:
    if amount <= 0:
        return state
    job = Work(queue, state.clock, flavor, state.clock, amount)
    return replace(state, admitted=(*state.admitted, job), clock=state.clock + 1)


def follow(layout: Layout, promises: Mapping[str, Promise], sequence: Sequence[Step]) -> Iterable[State]:
    """The states on the way through the steps, the empty one first."""
    state: State = Holdings(layout)
    yield state
    for number, pool, part, reclaims in sequence:
        queue = layout.queues[number % len(layout.queues)]
        if not queue.quotas:
            continue
        flavor = list(queue.quotas)[pool % len(queue.quotas)]
        if reclaims:
            owed = _owed(state, queue.name, flavor, promises[flavor])
            state, _ = claim(state, queue.name, flavor, owed)
        else:
            state = submit(state, queue.name, flavor, part)
        yield state


def _owed(state: State, queue: str, flavor: str, promise: Promise) -> int:
    promised = promise.headroom if queue == EXPERIMENTS else promise.guarantees.get(queue, 0)
    return max(0, promised - state.usage(queue, flavor))


def find_breach(state: State, flavor: str, promise: Promise) -> str | None:
    """What the state breaks of a promise, None where it keeps it."""
    used = {queue: state.usage(queue, flavor) for queue in promise.caps}
    most = promise.capacity - (0 if promise.lends else promise.headroom)
    if sum(used.values()) > most:
        return "the pipelines reach into the headroom"
    if sum(used.values()) + state.usage(EXPERIMENTS, flavor) > promise.capacity:
        return "more is admitted than there is"
    if any(used[queue] > cap for queue, cap in promise.caps.items()):
        return "a pipeline is above its cap"
    missing = _owed(state, EXPERIMENTS, flavor, promise)
    if not promise.lends and missing > state.available(EXPERIMENTS, flavor):
        return "an experiment within the headroom has to wait"
    for queue in (*promise.guarantees, EXPERIMENTS):
        if claim(state, queue, flavor, _owed(state, queue, flavor, promise))[1]:
            return f"{'the headroom' if queue == EXPERIMENTS else 'a guarantee'} does not come back"
    return None


def find_breaches(layout: Layout, promises: Mapping[str, Promise], sequence: Sequence[Step]) -> set[str]:
    return {
        breach
        for state in follow(layout, promises, sequence)
        for flavor, promise in promises.items()
        if (breach := find_breach(state, flavor, promise))
    }


@settings(max_examples=50)
@given(platforms(), steps)
def test_whatever_is_submitted_caps_hold_guarantees_come_back_and_the_headroom_is_there(
    drawn: DrawnPlatform, sequence: list[Step]
) -> None:
    """Q2, Q3, Q5: for every valid platform, with hard headroom and soft, granted whole or in part."""
    plan = drawn.plan()
    event(f"{'soft' if drawn.lends else 'hard'}, {'short' if plan.shortfalls else 'granted'}")
    for resource in RESOURCE_NAMES:
        promises = read_promises(plan, resource, lends=drawn.lends)
        layout = read_layout(plan.tenancy.queues, resource)
        assert find_breaches(layout, promises, sequence) == set()


L4 = {"machine": "g2-standard-48", "zones": ["us-central1-a"], "nodes": {"max": 5}}
"""20 GPUs, of which 4 are headroom and 4 are nobody's in particular."""


def gpus(guarantee: int, cap: int) -> dict[str, Any]:
    limits = {"l4": {"gpus": {"guarantee": guarantee, "cap": cap}}}
    return {"kind": "training", "model": "m", "owner": "user:ada@acme.example", "limits": limits}


def plan_shared(*, lend: bool) -> Plan:
    config = MINIMAL | {
        "headroom:pools": {"l4": L4},
        "headroom:quota": {"experiments": {"lend": lend}},
        "headroom:pipelines": {"a": gpus(4, 12), "b": gpus(8, 16)},
    }
    return plan_config(config, "test", "f")


def search(weaken: Callable[[Layout], Layout], *, lend: bool = False, breach: str | None = None) -> bool:
    """Whether some sequence of submissions breaks a promise, that of `breach` if it is one in particular."""
    plan = plan_shared(lend=lend)
    promises = read_promises(plan, "gpus", lends=lend)
    layout = weaken(read_layout(plan.tenancy.queues, "gpus"))

    def is_broken(sequence: list[Step]) -> bool:
        found = find_breaches(layout, promises, sequence)
        return breach in found if breach else bool(found)

    try:
        find(steps, is_broken, settings=SEARCH, random=Random(7))
    except NoSuchExample:
        return False
    return True


def changed(layout: Layout, name: str, **limits: int | None) -> Layout:
    """The layout with other limits of one of its nodes."""

    def change(node: Node) -> Node:
        quotas = {flavor: replace(quota, **limits) for flavor, quota in node.quotas.items()}
        return replace(node, quotas=quotas) if node.name == name else node

    return replace(
        layout, cohorts=tuple(map(change, layout.cohorts)), queues=tuple(map(change, layout.queues))
    )


def limit_of(layout: Layout, name: str) -> Quota:
    return layout.nodes[name].quotas["l4"]


def lend_headroom(layout: Layout) -> Layout:
    return changed(layout, EXPERIMENTS, lending=None)


def let_pipelines_borrow(layout: Layout) -> Layout:
    return changed(layout, PIPELINES_COHORT, borrowing=None)


def add_guest(layout: Layout, quota: Quota) -> Layout:
    """A queue beside the experiments', as somebody may add one."""
    return replace(layout, queues=(*layout.queues, Node("guest", POOL_COHORT, {"l4": quota})))


def overpromise(layout: Layout) -> Layout:
    return changed(layout, PIPELINES_COHORT, nominal=limit_of(layout, PIPELINES_COHORT).nominal + 1)


SEARCH = settings(max_examples=300, derandomize=True, database=None, phases=[Phase.generate])

WEAKENED: dict[str, tuple[Callable[[Layout], Layout], str]] = {
    "a borrowing limit raised by one": (
        lambda layout: changed(layout, "a", borrowing=(limit_of(layout, "a").borrowing or 0) + 1),
        "a pipeline is above its cap",
    ),
    "no borrowing limit": (
        lambda layout: changed(layout, "a", borrowing=None),
        "a pipeline is above its cap",
    ),
    "one more to share than there is": (overpromise, "the pipelines reach into the headroom"),
    "neither zero around the headroom": (
        lambda layout: lend_headroom(let_pipelines_borrow(layout)),
        "the pipelines reach into the headroom",
    ),
    "a headroom of one less": (
        lambda layout: changed(layout, EXPERIMENTS, nominal=limit_of(layout, EXPERIMENTS).nominal - 1),
        "an experiment within the headroom has to wait",
    ),
    "nothing is reclaimed": (
        lambda layout: replace(layout, reclaims=False),
        "a guarantee does not come back",
    ),
    "a guarantee of one less": (
        lambda layout: changed(layout, "b", nominal=limit_of(layout, "b").nominal - 1),
        "a guarantee does not come back",
    ),
}


@pytest.mark.parametrize("way", WEAKENED)
def test_a_weakened_layout_breaks_its_promises(way: str) -> None:
    """Q2, Q3, Q5: each limit of the layout is there for something, and the property above sees it."""
    weaken, breach = WEAKENED[way]
    assert search(weaken, breach=breach)


@pytest.mark.parametrize("lend", [False, True], ids=["hard", "soft"])
def test_the_layout_itself_does_not(lend: bool) -> None:
    assert not search(lambda layout: layout, lend=lend)


def test_soft_headroom_that_is_not_reclaimed_is_none() -> None:
    """Q5."""
    assert search(
        lambda layout: replace(layout, reclaims=False), lend=True, breach="the headroom does not come back"
    )


@pytest.mark.parametrize("weaken", [lend_headroom, let_pipelines_borrow])
def test_either_zero_alone_keeps_the_headroom(weaken: Callable[[Layout], Layout]) -> None:
    """Q5: each covers for the other as long as nobody else is in the pool."""
    assert not search(weaken)


def test_headroom_that_is_lent_goes_to_a_guest() -> None:
    """Q5: what the zero at the experiments' queue is for."""
    guest = Quota(0)
    assert not search(
        lambda layout: add_guest(layout, guest), breach="an experiment within the headroom has to wait"
    )
    assert search(
        lambda layout: add_guest(lend_headroom(layout), guest),
        breach="an experiment within the headroom has to wait",
    )


def test_pipelines_that_may_borrow_take_what_a_guest_lends() -> None:
    """Q5: what the zero at the pipelines' cohort is for."""
    guest = Quota(4)
    assert not search(lambda layout: add_guest(layout, guest), breach="the pipelines reach into the headroom")
    assert search(
        lambda layout: add_guest(let_pipelines_borrow(layout), guest),
        breach="the pipelines reach into the headroom",
    )
