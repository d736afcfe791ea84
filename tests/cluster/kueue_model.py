"""Kueue's arithmetic: which of a sequence of jobs, each of one unit, are admitted under a layout of quotas.

A node of the tree, cohort or queue, holds what its limit on lending keeps from its parent; the rest is its
parent's to share. A queue draws on its own share first, then on its parent's, up to its limit on borrowing, and
so on up to the root. A job that fits nowhere may, where the layout reclaims, evict jobs of those that borrow: of
any that borrow if its queue stays within its guarantee, and of those outside the smallest subtree whose quota
covers it otherwise. (kubernetes-sigs/kueue v0.19.2, pkg/cache/scheduler/resource_node.go,
pkg/scheduler/preemption/classical; classical preemption, all jobs of one priority, for which one eviction is
always enough.)
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property


@dataclass(frozen=True)
class Quota:
    """Units of one flavor; a limit of None is no limit."""

    nominal: int = 0
    borrowing: int | None = None
    lending: int | None = None


@dataclass(frozen=True)
class Node:
    """A cohort or a queue below the cohort `parent`; quotas by flavor, in the order in which they are tried."""

    name: str
    parent: str | None
    quotas: Mapping[str, Quota]


@dataclass(frozen=True)
class Layout:
    """A tree of cohorts with queues; `reclaims` is reclaimWithinCohort: Any in every queue, else Never."""

    cohorts: tuple[Node, ...]
    queues: tuple[Node, ...]
    reclaims: bool = False

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        return {node.name: node for node in (*self.cohorts, *self.queues)}

    @cached_property
    def children(self) -> Mapping[str, tuple[Node, ...]]:
        return {
            cohort.name: tuple(node for node in self.nodes.values() if node.parent == cohort.name)
            for cohort in self.cohorts
        }

    def path(self, name: str) -> list[str]:
        """The cohorts above a node, its parent first, the root last."""
        parent = self.nodes[name].parent
        return [] if parent is None else [parent, *self.path(parent)]

    def subtree_quota(self, name: str, flavor: str) -> int:
        """What a node has, with what its children do not keep to themselves."""
        lent = sum(
            self.subtree_quota(child.name, flavor) - self.kept_quota(child.name, flavor)
            for child in self.children.get(name, ())
        )
        return self._quota(name, flavor).nominal + lent

    def kept_quota(self, name: str, flavor: str) -> int:
        """What a node never lends to its parent's other children."""
        lending = self._quota(name, flavor).lending
        return 0 if lending is None else max(0, self.subtree_quota(name, flavor) - lending)

    def borrowing_limit(self, name: str, flavor: str) -> int | None:
        return self._quota(name, flavor).borrowing

    def _quota(self, name: str, flavor: str) -> Quota:
        return self.nodes[name].quotas.get(flavor, Quota())


@dataclass(frozen=True)
class Job:
    """A job of one unit: its queue, its place in the sequence, and once admitted its flavor and when that was."""

    queue: str
    serial: int
    flavor: str = ""
    admitted_at: int = -1


@dataclass(frozen=True)
class State:
    """The jobs that are admitted and those that wait."""

    layout: Layout
    admitted: tuple[Job, ...] = ()
    pending: tuple[Job, ...] = ()
    clock: int = field(default=0, compare=False)

    def count(self) -> Counter[tuple[str, str]]:
        """Units admitted by queue and flavor."""
        return Counter((job.queue, job.flavor) for job in self.admitted)

    def usage(self, name: str, flavor: str) -> int:
        """What a queue uses, or what the children of a cohort use of it."""
        if name not in self.layout.children:
            return sum(job.queue == name and job.flavor == flavor for job in self.admitted)
        return sum(
            max(0, self.usage(child.name, flavor) - self.layout.kept_quota(child.name, flavor))
            for child in self.layout.children[name]
        )

    def available(self, name: str, flavor: str) -> int:
        """Units that the node could use beside what is used already."""
        layout = self.layout
        subtree, kept = layout.subtree_quota(name, flavor), layout.kept_quota(name, flavor)
        used = self.usage(name, flavor)
        parent = layout.nodes[name].parent
        if parent is None:
            return subtree - used
        shared = self.available(parent, flavor)
        limit = layout.borrowing_limit(name, flavor)
        if limit is not None:
            shared = min(shared, (subtree - kept) - max(0, used - kept) + limit)
        return max(0, kept - used) + shared

    def exceeds_quota(self, name: str, flavor: str, more: int = 0) -> bool:
        """Whether the node borrows, or would with `more` units."""
        return self.usage(name, flavor) + more > self.layout.subtree_quota(name, flavor)

    def without(self, job: Job) -> "State":
        """The state with the job evicted."""
        return replace(self, admitted=tuple(each for each in self.admitted if each != job))


def submit(state: State, queue: str, count: int) -> State:
    """The state after `count` jobs came to the queue at once and everything has settled."""
    first = len(state.admitted) + len(state.pending)
    arrived = tuple(Job(queue, first + number) for number in range(count))
    return _settle(replace(state, pending=(*state.pending, *arrived), clock=state.clock + 1))


def simulate(layout: Layout, steps: Sequence[tuple[str, int]]) -> State:
    """The state after the steps, each a queue and a number of jobs."""
    state = State(layout)
    for queue, count in steps:
        state = submit(state, queue, count)
    return state


def _settle(state: State) -> State:
    """Admit what fits, in the order of arrival, until nothing changes."""
    before = None
    while state != before:
        before = state
        for job in sorted(state.pending, key=lambda job: job.serial):
            state = _try(state, job)
    return state


def _try(state: State, job: Job) -> State:
    for flavor in state.layout.nodes[job.queue].quotas:
        room = _make_room(state, job.queue, flavor)
        if room is not None:
            pending = tuple(each for each in room.pending if each != job)
            admitted = replace(job, flavor=flavor, admitted_at=state.clock)
            return replace(room, pending=pending, admitted=(*room.admitted, admitted))
    return state


def _make_room(state: State, queue: str, flavor: str) -> State | None:
    """The state in which one more of the queue fits, if need be after an eviction; None if there is none."""
    if state.available(queue, flavor) > 0:
        return state
    victim = find_victim(state, queue, flavor)
    if victim is None:
        return None
    return replace(state.without(victim), pending=(*state.pending, Job(victim.queue, victim.serial)))


def find_victim(state: State, queue: str, flavor: str) -> Job | None:
    """The job to evict so that one more of the queue fits; None where that is not possible or not allowed.

    The most recently admitted of those below any cohort in which the queue has precedence: its own quota covers
    the job, or that of a cohort further down does.
    """
    candidates: list[Job] = []
    has_precedence, request = not state.exceeds_quota(queue, flavor, 1), _rest(state, queue, flavor, 1)
    below = queue
    for cohort in state.layout.path(queue) if state.layout.reclaims else ():
        if has_precedence:
            candidates.extend(_borrowers(state, cohort, below, flavor))
        has_precedence = has_precedence or not state.exceeds_quota(cohort, flavor, request)
        request = _rest(state, cohort, flavor, request)
        below = cohort
    for job in sorted(candidates, key=lambda job: -job.admitted_at):
        if state.without(job).available(queue, flavor) > 0:
            return job
    return None


def _rest(state: State, name: str, flavor: str, request: int) -> int:
    """What of the request is left for the parent, once the node's own share is used up."""
    free = state.layout.kept_quota(name, flavor) - state.usage(name, flavor)
    return max(0, request - max(0, free))


def _borrowers(state: State, cohort: str, skipped: str, flavor: str) -> Iterator[Job]:
    """Jobs below the cohort, past `skipped`, of queues that borrow, as do all cohorts on the way to them."""
    for child in state.layout.children[cohort]:
        if child.name == skipped or not state.exceeds_quota(child.name, flavor):
            continue
        if child.name in state.layout.children:
            yield from _borrowers(state, child.name, skipped, flavor)
        else:
            yield from (job for job in state.admitted if job.queue == child.name and job.flavor == flavor)
