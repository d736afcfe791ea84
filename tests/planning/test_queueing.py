"""Q4: the queueing formula, against closed forms, monotony and a simulation of the queue itself."""

import heapq
import random
from bisect import bisect_right
from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.planning.queueing import (
    Service,
    busy_servers,
    erlang_c,
    late_alone,
    late_share,
    servers_needed,
)

JOBS = 60_000


def simulate(servers: int, jobs_per_ms: float, service: Service, within_ms: float) -> float:
    """The share of late jobs in a queue before equal servers, first come first served, seed fixed."""
    chance = random.Random(20_261_121)
    variance = log(1 + service.variation**2)
    mean_log = log(service.mean_ms) - variance / 2
    free = [0.0] * servers
    now, late = 0.0, 0
    for _ in range(JOBS):
        now += chance.expovariate(jobs_per_ms)
        start = max(now, heapq.heappop(free))
        end = start + (chance.lognormvariate(mean_log, sqrt(variance)) if variance else service.mean_ms)
        heapq.heappush(free, end)
        late += end - now > within_ms
    return late / JOBS


def test_three_servers_offered_two_let_four_in_nine_wait() -> None:
    """Q4: the textbook's value."""
    assert erlang_c(3, 2) == pytest.approx(4 / 9, abs=1e-12)


def test_one_server_lets_as_many_wait_as_it_is_busy() -> None:
    assert erlang_c(1, 0.3) == pytest.approx(0.3)


@pytest.mark.parametrize(("servers", "offered"), [(3, 3.0), (3, 4.0), (1, 1.0)])
def test_servers_that_cannot_keep_up_let_everybody_wait(servers: int, offered: float) -> None:
    assert erlang_c(servers, offered) == 1.0
    assert late_share(servers, offered / 10, Service(10, 1), 1e9) == 1.0


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_the_recursion_agrees_with_the_sum(servers: int, busy: float) -> None:
    offered = servers * busy
    terms = [1.0]
    for count in range(1, servers + 1):
        terms.append(terms[-1] * offered / count)
    tail = terms[-1] / (1 - busy)
    assert erlang_c(servers, offered) == pytest.approx(tail / (sum(terms[:-1]) + tail), rel=1e-9, abs=1e-30)


def test_many_servers_neither_overflow_nor_take_long() -> None:
    assert 0 < erlang_c(10_000, 9_990) < 1
    assert erlang_c(10**12, 9 * 10**11) == 0.0


@pytest.mark.parametrize("variation", [0.0, 0.5, 1.0, 2.0])
def test_points_of_a_service_time_have_its_mean_and_variation(variation: float) -> None:
    points = Service(12, variation).points
    mean = sum(time * weight for time, weight in points)
    deviation = sqrt(sum(weight * (time - mean) ** 2 for time, weight in points))
    assert sum(weight for _, weight in points) == pytest.approx(1)
    assert mean == pytest.approx(12, rel=0.01)
    assert deviation / mean == pytest.approx(variation, rel=0.1)


@pytest.mark.parametrize(
    ("servers", "busy", "variation", "within"),
    [(1, 0.6, 0.0, 40), (4, 0.7, 0.5, 30), (4, 0.85, 1.0, 60), (20, 0.9, 0.5, 25), (8, 0.7, 2.0, 60)],
)
def test_the_share_of_late_jobs_is_that_of_a_simulated_queue(
    servers: int, busy: float, variation: float, within: float
) -> None:
    """Q4: Allen and Cunneen's correction is an approximation; here it errs by at most a third."""
    service = Service(12, variation)
    rate = busy * servers / service.mean_ms
    simulated = simulate(servers, rate, service, within)
    assert late_share(servers, rate, service, within) == pytest.approx(simulated, rel=0.33, abs=0.004)


@pytest.mark.parametrize(("rate", "variation"), [(0.05, 0.0), (0.4, 0.5), (1.2, 1.0)])
def test_as_many_servers_as_are_needed_keep_the_promise_in_a_simulation(
    rate: float, variation: float
) -> None:
    """Q4: the replicas that are estimated answer in time."""
    service = Service(12, variation)
    servers = servers_needed(rate, service, 80, 0.01, 0.9)
    assert servers is not None
    assert simulate(servers, rate, service, 80) <= 0.013


def test_one_server_fewer_would_break_the_promise() -> None:
    service, rate = Service(12, 0.5), 0.9
    servers = servers_needed(rate, service, 40, 0.01, 0.99)
    assert servers is not None
    assert late_share(servers, rate, service, 40) <= 0.01 < late_share(servers - 1, rate, service, 40)


def test_no_number_of_servers_makes_a_slow_answer_quick() -> None:
    assert late_alone(Service(100, 0), 80) == 1.0
    assert servers_needed(0.1, Service(100, 0), 80, 0.01, 0.7) is None
    assert servers_needed(0.1, Service(80, 0), 80, 0.01, 0.7) is not None


def test_the_ceiling_on_utilization_holds_where_latency_asks_for_less() -> None:
    assert servers_needed(1.0, Service(12, 0), 1e6, 0.01, 0.5) == 24
    assert servers_needed(1.0, Service(12, 0), 1e6, 0.01, 0.6) == 20


def test_servers_come_in_whole_replicas() -> None:
    assert servers_needed(1.0, Service(12, 0), 1e6, 0.01, 0.5, step=5) == 25


RATES = st.floats(0.001, 20)


@given(RATES, st.floats(1, 3), st.floats(0, 2), st.floats(0.3, 0.95))
def test_more_requests_never_need_fewer_servers(
    rate: float, more: float, variation: float, utilization: float
) -> None:
    """Q4."""
    needed = [
        servers_needed(each, Service(12, variation), 150, 0.05, utilization) for each in (rate, rate * more)
    ]
    assert needed[0] is not None
    assert needed[1] is not None
    assert needed[0] <= needed[1]


@given(RATES, st.floats(1, 3), st.floats(0.001, 0.05))
def test_a_tighter_latency_never_needs_fewer_servers(rate: float, looser: float, late: float) -> None:
    """Q4."""
    service = Service(12, 0.5)
    tight = servers_needed(rate, service, 60, late, 0.8)
    loose = servers_needed(rate, service, 60 * looser, late, 0.8)
    assert loose is not None
    assert tight is None or tight >= loose


@given(st.floats(0, 40), st.floats(0.5, 0.999))
def test_servers_that_are_busy_at_once_are_the_quantile_of_poisson(mean: float, share: float) -> None:
    count = busy_servers(mean, share)

    def at_most(most: int) -> float:
        term, total = exp(-mean), 0.0
        for number in range(most + 1):
            total += term
            term *= mean / (number + 1)
        return total

    assert at_most(count) >= share - 1e-9
    assert count == 0 or at_most(count - 1) < share + 1e-9


def test_runs_that_overlap_by_chance_are_as_many_in_a_simulation() -> None:
    """Q4: Palm's law holds whatever the lengths of runs, here equal ones."""
    chance = random.Random(5)
    starts = sorted(chance.uniform(0, 4_000) for _ in range(8_000))
    moments = [chance.uniform(10, 3_990) for _ in range(2_000)]
    seen = [bisect_right(starts, moment) - bisect_right(starts, moment - 1.5) for moment in moments]
    enough = sum(1 for count in seen if count <= busy_servers(3.0, 0.95)) / len(seen)
    assert enough == pytest.approx(0.966, abs=0.02)


def test_large_numbers_follow_the_normal_distribution_without_a_leap() -> None:
    assert abs(busy_servers(499, 0.95) - busy_servers(501, 0.95)) <= 4
