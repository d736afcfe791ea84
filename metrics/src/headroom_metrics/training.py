"""Training runs as timestamps: when one started, ended, last ended well, last failed."""

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

from headroom_metrics.errors import MetricsError, PushError
from headroom_metrics.exporter import Exporter
from headroom_metrics.identity import require_label, require_seconds

_log = logging.getLogger("headroom_metrics")


class TrainingMonitor:
    """Exports training runs, one at a time, beside what alerts compare them with.

    `baseline_seconds` is how long a run usually takes, `schedule_seconds` how often one is due.
    """

    def __init__(self, exporter: Exporter, *, baseline_seconds: float, schedule_seconds: float):
        require_seconds("baseline_seconds", baseline_seconds)
        require_seconds("schedule_seconds", schedule_seconds)
        exporter.reserve("TrainingMonitor")
        self._exporter = exporter
        self._under_way = Lock()
        exporter.set("ml_training_duration_baseline_seconds", baseline_seconds)
        exporter.set("ml_training_schedule_seconds", schedule_seconds)

    @contextmanager
    def run(self, name: str) -> Generator[None]:
        """Export a run's start, and in the end whether it ended well, how long it took, or that it failed.

        With a gateway both are pushed; a push that fails is logged and does not fail the run. What leaves the
        block by an exception, also an interrupt or an exit other than 0, has failed. A process that is killed
        says nothing more: its run has a start and no end, for which there is an alert of its own. A second
        run beside the first is refused with a MetricsError.
        """
        require_label("run", name)
        if not self._under_way.acquire(blocking=False):
            raise MetricsError(f"run {name}: another is under way: give it an exporter and a job of its own")
        try:
            start = self._start(name)
            try:
                yield
            except BaseException as error:
                self._end(name, start, failed=not _is_clean_exit(error))
                raise
            self._end(name, start, failed=False)
        finally:
            self._under_way.release()

    def _start(self, name: str) -> float:
        start = time.time()
        self._exporter.clear("ml_training_run_start_timestamp_seconds")
        self._exporter.clear("ml_training_run_end_timestamp_seconds")
        self._exporter.set("ml_training_run_start_timestamp_seconds", start, run=name)
        self._push()
        return start

    def _end(self, name: str, start: float, *, failed: bool) -> None:
        now = time.time()
        self._exporter.set("ml_training_run_end_timestamp_seconds", now, run=name)
        if failed:
            self._exporter.set("ml_training_last_failure_timestamp_seconds", now)
        else:
            self._exporter.set("ml_training_last_success_timestamp_seconds", now)
            self._exporter.set("ml_training_run_duration_seconds", now - start)
        self._push()

    def _push(self) -> None:
        if self._exporter.gateway is None:
            return
        try:
            self._exporter.push()
        except PushError as error:
            _log.error("%s", error)


def _is_clean_exit(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and error.code in (None, 0)
