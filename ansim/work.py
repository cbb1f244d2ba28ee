"""How tasks run here and how the clock ticks: measured, with a sign of life, under the correlator of who rang.

Celery finds both by their names in `ansim.celery`.
"""

import logging
import time
from datetime import timedelta
from typing import Any

import celery
from celery.beat import PersistentScheduler

from ansim import heartbeat
from ansim.drain import fresh_connection
from ansim.lib import correlator, metrics

log = logging.getLogger(__name__)

SET = 0.5  # seconds by which a clock that is kept by NTP does not move from one round to the next
TASK_SECONDS = metrics.histogram(
    "task_seconds", "Tasks that a worker ran, by outcome.", "task", "outcome",
    buckets=(0.01, 0.1, 0.5, 1.0, 5.0, 11.0, 30.0),
)  # fmt: skip


class Task(celery.Task):  # type: ignore[misc,type-arg] # celery has no types
    """Every task of ours."""

    abstract = True

    def __call__(self, *args: Any, **given: Any) -> Any:
        """In a worker an error ends here, after it was told; who calls it directly hears of it."""
        outcome, began = "broke", time.perf_counter()
        if not self.request.called_directly:
            fresh_connection()
        try:
            with correlator.carrying(self._rung_by()):
                done = self._run(*args, **given)
            outcome = "done"
            return done
        except Exception:
            if self.request.called_directly:
                raise
        finally:
            TASK_SECONDS.labels(self.name, outcome).observe(time.perf_counter() - began)
            self._live()

    def _run(self, *args: Any, **given: Any) -> Any:
        """Told here, because Celery's own line quotes the error. Nothing is repeated: what stays owed is due again."""
        try:
            return super().__call__(*args, **given)
        except Exception as error:
            log.error("task_broke", exc_info=error, extra={"task": self.name})
            raise

    def _rung_by(self) -> str:
        """The correlator of the request that rang the bell; empty for the clock's ticks."""
        return str((self.request.headers or {}).get(correlator.HEADER) or "")

    def _live(self) -> None:
        if self.request.hostname:
            heartbeat.beat(self.request.hostname)
        if ".clock." in self.name:
            heartbeat.tick()


class Clock(PersistentScheduler):  # type: ignore[misc]
    """The timetable's keeper; each round is a sign of life.

    What was due in a second stays due in a second when somebody sets the host's clock (docs/adr/0034): Celery reckons
    by the time of day, and would wait for a day to come again that it has seen once.
    """

    _ahead: float | None = None
    """Of the time of day, in seconds, before the clock that nobody sets."""

    def setup_schedule(self) -> None:
        super().setup_schedule()
        for entry in self.schedule.values():  # kept in a file: the clock that wrote it may have been wrong
            entry.last_run_at = min(entry.last_run_at or entry.default_now(), entry.default_now())

    def tick(self, *args: Any, **given: Any) -> Any:
        heartbeat.beat("clock")
        self._follow(time.time() - time.monotonic())
        return super().tick(*args, **given)

    def _follow(self, ahead: float) -> None:
        """The timetable moves with the clock."""
        before, self._ahead = self._ahead, ahead
        if before is not None and abs(moved := ahead - before) > SET:
            log.error("clock_set", extra={"seconds": round(moved, 1)})
            for entry in self.schedule.values():
                entry.last_run_at = (entry.last_run_at or entry.default_now()) + timedelta(seconds=moved)
            self._heap = None  # made anew
