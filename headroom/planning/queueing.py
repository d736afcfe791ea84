"""How many servers answer requests in time: M/M/c (Erlang, 1917) with the correction of Allen and Cunneen.

Arrivals are taken as Poisson, and all replicas as served from one queue. A service time has a mean and a
variation (standard deviation over mean) and is taken as log-normal. Sources: A. K. Erlang, "Solution of some
problems in the theory of probabilities of significance in automatic telephone exchanges", 1917; A. O. Allen,
"Probability, Statistics, and Queueing Theory", 2nd edition, 1990.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, exp, log, sqrt
from statistics import NormalDist

# Parts of the service time's distribution, finer towards its tail, where the percentiles lie.
_BREAKS = (0.0, 0.9, 0.99, 0.999, 0.9999, 1.0)
_POINTS_PER_PART = 40


@dataclass(frozen=True, slots=True)
class Service:
    """How long one server is busy with one job: its mean in milliseconds, and its variation."""

    mean_ms: float
    variation: float

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Times in milliseconds that together stand for the distribution, each with its probability."""
        return _points(self.mean_ms, self.variation)


def erlang_c(servers: int, offered: float) -> float:
    """Return the probability that a job must wait: `offered` is arrivals times mean service time.

    1 where the servers cannot keep up. By the recursion over Erlang's B, which neither overflows nor cancels.
    """
    if offered >= servers:
        return 1.0
    if servers - offered > _CERTAIN * sqrt(offered) + _CERTAIN**2:
        return 0.0
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def late_share(servers: int, jobs_per_ms: float, service: Service, within_ms: float) -> float:
    """Return the share of jobs that take longer than `within_ms`, waiting and service together.

    The wait is zero with probability 1 - C and else exponential, with the mean of Allen and Cunneen.
    """
    offered = jobs_per_ms * service.mean_ms
    if offered >= servers:
        return 1.0
    waiting = erlang_c(servers, offered)
    spread = (1 + service.variation**2) / 2
    rate = (servers - offered) / service.mean_ms / spread
    return sum(
        weight * (1.0 if time > within_ms else waiting * exp(-rate * (within_ms - time)))
        for time, weight in service.points
    )


def late_alone(service: Service, within_ms: float) -> float:
    """Return the share of jobs that take longer than `within_ms` even where none waits."""
    return sum(weight for time, weight in service.points if time > within_ms)


@lru_cache(maxsize=1024)
def servers_needed(
    jobs_per_ms: float,
    service: Service,
    within_ms: float,
    late: float,
    utilization: float,
    step: int = 1,
) -> int | None:
    """Return the fewest servers, a multiple of `step`, that keep the share of jobs that take longer than
    `within_ms` at or below `late`, and none busier than `utilization`; None where no number does."""
    if late_alone(service, within_ms) > late:
        return None
    low = max(1, ceil(jobs_per_ms * service.mean_ms / utilization / step - 1e-9))

    def enough(steps: int) -> bool:
        return late_share(steps * step, jobs_per_ms, service, within_ms) <= late

    high = low
    while not enough(high):
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low * step


def busy_servers(mean_busy: float, share: float) -> int:
    """Return how many servers suffice for that share of the time, where nobody waits (M/G/infinity).

    Their number is Poisson distributed whatever the distribution of the service time (Palm, 1943).
    """
    if mean_busy > _LARGE:
        return ceil(mean_busy + NormalDist().inv_cdf(share) * sqrt(mean_busy))
    probability = exp(-mean_busy)
    total, count = probability, 0
    while total < share:
        count += 1
        probability *= mean_busy / count
        total += probability
    return count


_CERTAIN = 12
"""Standard deviations of a Poisson number beyond which a probability is less than any float shows."""

_LARGE = 500
"""From here on the normal distribution stands for the Poisson distribution, to less than one in a hundred."""


@lru_cache(maxsize=256)
def _points(mean: float, variation: float) -> tuple[tuple[float, float], ...]:
    return tuple((mean * time, weight) for time, weight in _unit_points(variation))


@lru_cache(maxsize=256)
def _unit_points(variation: float) -> tuple[tuple[float, float], ...]:
    if variation == 0:
        return ((1.0, 1.0),)
    variance = log(1 + variation**2)
    normal, sigma = NormalDist(), sqrt(variance)
    points = []
    for lower, upper in pairwise(_BREAKS):
        width = (upper - lower) / _POINTS_PER_PART
        for number in range(_POINTS_PER_PART):
            quantile = normal.inv_cdf(lower + (number + 0.5) * width)
            points.append((exp(sigma * quantile - variance / 2), width))
    return tuple(points)
