"""Serving: how many predictions were asked for, with what code, and how long they took."""

import inspect
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from headroom_metrics.errors import MetricsError
from headroom_metrics.exporter import Exporter
from headroom_metrics.identity import require_ratio, require_seconds

_P = ParamSpec("_P")
_R = TypeVar("_R")

_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 2, 3, 5, 10)


@dataclass
class Request:
    """A request that is being answered; set `code`, the HTTP status, where it is not 200."""

    code: int = 200


class ServingMonitor:
    """Counts and times the requests of the process's version of the model. Safe in several threads.

    `latency_bound_seconds` is what 99 of 100 predictions must keep. The objectives are shares of the
    requests: those that must succeed, and those that must be faster than the bound. The histogram's buckets
    are multiples of the bound, closest around it, since a quantile is as exact as the bucket that it is in.
    """

    def __init__(
        self,
        exporter: Exporter,
        *,
        latency_bound_seconds: float,
        availability_objective: float = 0.999,
        latency_objective: float = 0.99,
    ):
        if not exporter.identity.is_serving:
            raise MetricsError(f"{exporter.identity.pipeline}: does not serve: its kind must be serving")
        require_seconds("latency_bound_seconds", latency_bound_seconds)
        objectives = {"availability": availability_objective, "latency": latency_objective}
        for slo, objective in objectives.items():
            require_ratio(f"{slo}_objective", objective)
        exporter.reserve("ServingMonitor")
        self._exporter, self._bound = exporter, latency_bound_seconds
        exporter.set("ml_prediction_latency_bound_seconds", latency_bound_seconds)
        for slo, objective in objectives.items():
            exporter.set("ml_slo_objective_ratio", objective, slo=slo)
        buckets = [latency_bound_seconds * share for share in _BUCKETS]
        exporter.open_histogram("ml_prediction_duration_seconds", buckets)
        exporter.add("ml_prediction_slow_requests_total", 0)
        for code in (200, 500):
            exporter.add("ml_prediction_requests_total", 0, code=str(code))

    @contextmanager
    def request(self) -> Generator[Request]:
        """Time a block that answers a request; an exception counts as code 500 and goes on."""
        request = Request()
        start = time.perf_counter()
        try:
            yield request
        except BaseException:
            request.code = 500
            raise
        finally:
            self._count(request, time.perf_counter() - start)

    def observed(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Decorate a function, or a coroutine, that answers a request: 200, or 500 where it raises."""
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def answer_later(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                with self.request():
                    return await function(*args, **kwargs)

            return cast("Callable[_P, _R]", answer_later)

        @wraps(function)
        def answer(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with self.request():
                return function(*args, **kwargs)

        return answer

    def _count(self, request: Request, seconds: float) -> None:
        code = request.code if 100 <= request.code <= 599 else 500
        self._exporter.add("ml_prediction_requests_total", 1, code=str(code))
        self._exporter.add("ml_prediction_slow_requests_total", float(seconds > self._bound))
        self._exporter.observe("ml_prediction_duration_seconds", seconds)
