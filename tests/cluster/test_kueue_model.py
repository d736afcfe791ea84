"""The model of Kueue's arithmetic against the real Kueue, on random layouts and submissions."""

import random
import time
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.cluster.cluster import Cluster, stays, wait_until
from tests.cluster.kueue_model import Layout, Node, Quota, State, submit
from tests.cluster.manifests import layout_manifests, namespace

CASES = 16
STEPS = 6
MOST_JOBS = 6
SETTLE_S = 1.5
# Kueue tells in whole seconds who was admitted last.
APART_S = 1.1
ONE_CPU = {"cpu": "1"}

Step = tuple[str, int]


@dataclass(frozen=True)
class Case:
    """A layout, and what is submitted to its queues, one after the other."""

    name: str
    layout: Layout
    steps: tuple[Step, ...]

    def local_queue(self, queue: str) -> str:
        return f"{self.name}-{queue}"


def make_case(seed: int, flavors: tuple[str, ...], *, reclaims: bool) -> Case:
    """A tree of up to four cohorts on three levels with two to four queues, and six groups of jobs."""
    chance = random.Random(seed)
    used = flavors[: 1 if reclaims else chance.choice((1, 1, 2))]
    cohorts = [Node("root", None, {f: Quota(chance.randint(0, 3)) for f in used})]
    for number in range(chance.randint(0, 3)):
        parent = chance.choice(cohorts[:2]).name
        cohorts.append(Node(f"cohort{number}", parent, {f: _cohort_quota(chance) for f in used}))
    queues = [
        Node(f"queue{number}", chance.choice(cohorts).name, {f: _queue_quota(chance) for f in used})
        for number in range(chance.randint(2, 4))
    ]
    steps = [(chance.choice(queues).name, chance.randint(1, MOST_JOBS)) for _ in range(STEPS)]
    letter = "r" if reclaims else "n"
    return Case(f"{letter}{seed}", Layout(tuple(cohorts), tuple(queues), reclaims), tuple(steps))


def _cohort_quota(chance: random.Random) -> Quota:
    borrowing, lending = (chance.choice((None, None, 0, chance.randint(1, 4))) for _ in range(2))
    return Quota(chance.randint(0, 3), borrowing, lending)


def _queue_quota(chance: random.Random) -> Quota:
    nominal = chance.randint(0, 4)
    lending = chance.choice((None, None, None, chance.randint(0, nominal)))
    return Quota(nominal, chance.choice((None, None, 0, chance.randint(1, 6))), lending)


@pytest.mark.parametrize(
    "reclaims", [False, True], ids=["without preemption", "reclaiming within the cohort"]
)
def test_real_kueue_admits_what_the_model_admits(cluster: Cluster, flavors: tuple[str, str], reclaims: bool):
    """Q3, Q5: the model that the property tests of the layout stand on is Kueue's own arithmetic."""
    place = "model-reclaim" if reclaims else "model-plain"
    cases = [make_case(seed, flavors, reclaims=reclaims) for seed in range(CASES)]
    cluster.apply(namespace(place))
    for case in cases:
        cluster.apply(*layout_manifests(case.layout, f"{case.name}-", place))
    states = {case.name: State(case.layout) for case in cases}
    for number in range(STEPS):
        for case in cases:
            queue, count = case.steps[number]
            cluster.submit(place, case.local_queue(queue), count, ONE_CPU)
            states[case.name] = submit(states[case.name], queue, count)
        expected = _expected(cases, states)
        wait_until(
            lambda expected=expected: cluster.count_admitted_by_flavor(place) == expected,
            lambda expected=expected: _difference(cluster, place, expected, cases),
        )
        time.sleep(APART_S if reclaims else 0)
    assert stays(lambda: cluster.count_admitted_by_flavor(place) == expected, SETTLE_S)


def _expected(cases: list[Case], states: dict[str, State]) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (case.local_queue(queue), flavor): count
            for case in cases
            for (queue, flavor), count in states[case.name].count().items()
        }
    )


def _difference(cluster: Cluster, place: str, expected: Counter[tuple[str, str]], cases: list[Case]) -> str:
    real = cluster.count_admitted_by_flavor(place)
    wrong = sorted(key for key in real.keys() | expected.keys() if real[key] != expected[key])
    names = {queue.partition("-")[0] for queue, _ in wrong}
    counts = [f"{key}: Kueue {real[key]}, model {expected[key]}" for key in wrong]
    return "\n".join([*counts, *(repr(case) for case in cases if case.name in names)])
