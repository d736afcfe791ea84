"""Calls to a cluster that go wrong on purpose: the faults of the imitated cloud strike its clusters too."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

from sandbox.google import faults
from sandbox.google.delays import read_pace
from sandbox.google.store import Fault, Store
from sandbox.kubernetes.errors import RefusedError

# What client-go says. Source: k8s.io/apimachinery v0.36.3, pkg/api/errors/errors.go,
# NewGenericServerResponse, read 2026-11-21.
_TOO_MANY: Final = "the server has received too many requests and has asked us to try again later"
_UNABLE: Final = "the server is currently unable to handle the request"
_NO_ANSWER_IN_TIME: Final = (
    "the server was unable to return a response in the time allotted, but may still be processing the request"
)
_BEFORE: Final = {
    faults.RATE_LIMIT: _TOO_MANY,
    faults.UNAVAILABLE: _UNABLE,
    faults.TIMEOUT: _NO_ANSWER_IN_TIME,
}
_AFTER: Final = {faults.TIMEOUT_AFTER: _NO_ANSWER_IN_TIME, faults.LOST: "http2: client connection lost"}


class Faults:
    """The faults of the world in the file `cloud`; where there is no such file nothing goes wrong."""

    def __init__(self, cloud: Path) -> None:
        self._cloud = cloud

    @cached_property
    def _store(self) -> Store:
        return Store(self._cloud)

    @contextmanager
    def around(self, operation: str, token: str) -> Generator[None]:
        """Let the fault happen that strikes this call, before its effect or after it.

        Raises RefusedError, or kills this process.
        """
        fault = self._choose(operation, token)
        if fault is None:
            yield
            return
        if fault.kind in _BEFORE:
            raise RefusedError(f"{operation} of {token}: {_BEFORE[fault.kind]}")
        if fault.kind == faults.CRASH:
            faults.crash()
        with faults.keep_if_refused(self._store, fault):
            yield
        if fault.kind in _AFTER:
            raise RefusedError(f"{operation} of {token}: {_AFTER[fault.kind]}")
        faults.crash()

    def _choose(self, operation: str, token: str) -> Fault | None:
        if not self._cloud.is_file():
            return None
        return faults.choose_fault(self._store, read_pace(self._store).seed, operation, token)
