"""Sends recorded requests to a model that nobody else asks yet."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from itertools import cycle, islice
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from headroom_metrics.errors import MetricsError

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Sending:
    """Where to send requests, how many, and how many a second."""

    url: str
    count: int
    per_second: float

    def __post_init__(self) -> None:
        """Refuse what is no http(s) address, and numbers that send nothing."""
        if not self.url.startswith(("http://", "https://")) or not urlsplit(self.url).hostname:
            raise MetricsError(f"to: {self.url!r} is no address: http://SERVICE/predict")
        if self.count < 1 or not 0 < self.per_second < float("inf"):
            raise MetricsError(f"{self.count} requests, {self.per_second:g} a second: both must be above 0")


def read_requests(path: Path) -> tuple[bytes, ...]:
    """Return the bodies of recorded requests: a file with one in JSON on each line. Raises MetricsError."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise MetricsError(f"{path}: cannot be read: {error.strerror}") from None
    bodies = tuple(line for line in lines if line.strip())
    if not bodies:
        raise MetricsError(f"{path}: has no request in it")
    return bodies


def send(
    sending: Sending,
    bodies: Iterable[bytes],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[int, int]:
    """Send the bodies in turn, from the first again after the last; return how many were answered with 2xx,
    and how many otherwise or not at all."""
    begin, good = clock(), 0
    for number, body in enumerate(_take(bodies, sending.count)):
        sleep(max(0.0, begin + number / sending.per_second - clock()))
        good += _is_answered(sending.url, body)
    return good, sending.count - good


def _take(bodies: Iterable[bytes], count: int) -> Iterator[bytes]:
    return islice(cycle(bodies), count)


def _is_answered(url: str, body: bytes) -> bool:
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - http(s), as Sending requires
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - http(s), as Sending requires
            return 200 <= answer.status < 300
    except HTTPError as error:
        error.close()
        return False
    except (OSError, HTTPException):
        return False
