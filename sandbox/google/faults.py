"""Things that go wrong on purpose: refusals, silence, and a provider that dies."""

import os
import random
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from sandbox.google.errors import AnswerLostError, ApiError, RefusedError
from sandbox.google.services import find_api
from sandbox.google.store import Fault, Store, WorldObject
from sandbox.google.timeouts import STOPPED_WAITING, give_up

RATE_LIMIT: Final = "429"
UNAVAILABLE: Final = "503"
TIMEOUT: Final = "timeout"
TIMEOUT_AFTER: Final = "timeout-after"
LOST: Final = "lost-answer"
CRASH: Final = "crash"
CRASH_AFTER: Final = "crash-after"
KINDS: Final = (RATE_LIMIT, UNAVAILABLE, TIMEOUT, TIMEOUT_AFTER, LOST, CRASH, CRASH_AFTER)


def choose_fault(store: Store, seed: str, operation: str, token: str) -> Fault | None:
    """The fault that strikes this call, or None; counts the call and the strike."""
    struck = None
    if not store.faults():
        return None
    with store.transaction():
        call = store.next_number("calls")
        for fault in store.faults():
            if struck is None and _concerns(fault, operation, token) and _strikes(store, fault, seed, call):
                struck = fault
    return struck


def _concerns(fault: Fault, operation: str, token: str) -> bool:
    return fault.operation in ("*", operation) and fault.type in ("*", token)


def _strikes(store: Store, fault: Fault, seed: str, call: int) -> bool:
    if fault.at > 1:
        store.change_fault(fault.number, fault.at - 1, fault.remaining)
        return False
    if fault.at == 0 and random.Random(f"{seed}/fault/{fault.number}/{call}").random() >= fault.rate:  # noqa: S311
        return False
    store.change_fault(
        fault.number, fault.at, fault.remaining - 1 if fault.remaining > 0 else fault.remaining
    )
    return True


@contextmanager
def keep_if_refused(store: Store, fault: Fault | None) -> Generator[None]:
    """Keep a fault that follows an effect for another call where this one is refused and has none."""
    try:
        yield
    except Exception:
        if fault:
            with store.transaction():
                store.give_fault_back(fault.number)
        raise


def strike_before(fault: Fault | None, token: str) -> None:
    """Let a fault happen that keeps a call from having its effect; any other passes.

    Raises `ApiError` or `RefusedError`, or kills this process.
    """
    if fault and fault.kind in _BEFORE:
        _BEFORE[fault.kind](token)


def strike_after(fault: Fault | None, operation: str, known: WorldObject) -> None:
    """Let a fault happen to a call that had its effect; `known` is the object as the provider knows it.

    Raises `AnswerLostError`, or what `timeouts.give_up` raises, or kills this process.
    """
    if fault and fault.kind in _AFTER:
        _AFTER[fault.kind](operation, known)


def _rate_limit(token: str) -> None:
    message = (
        "Quota exceeded for quota metric 'Mutate requests' and limit 'Mutate requests per minute' "
        f"of service '{find_api(token) or 'googleapis.com'}'."
    )
    raise ApiError(HTTPStatus.TOO_MANY_REQUESTS, message, "rateLimitExceeded")


def _unavailable(_: str) -> None:
    raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "The service is currently unavailable.", "backendError")


def _time_out(_: str) -> None:
    raise RefusedError(STOPPED_WAITING)


def _lose_answer(_: str, known: WorldObject) -> None:
    raise AnswerLostError(
        f'Post "https://{find_api(known.type) or "googleapis.com"}/": http2: client connection lost'
    )


def crash() -> None:
    """End this process at once, as if the machine had failed."""
    os.kill(os.getpid(), signal.SIGKILL)


_BEFORE: Final[dict[str, Callable[[str], None]]] = {
    RATE_LIMIT: _rate_limit,
    UNAVAILABLE: _unavailable,
    TIMEOUT: _time_out,
    CRASH: lambda _: crash(),
}
_AFTER: Final[dict[str, Callable[[str, WorldObject], None]]] = {
    TIMEOUT_AFTER: give_up,
    LOST: _lose_answer,
    CRASH_AFTER: lambda *_: crash(),
}
