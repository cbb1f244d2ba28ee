"""A circuit breaker: after many failures in a row nobody waits for somebody who does not answer (fail fast).

Closed, calls pass. After `failures` in a row within `within` seconds it opens: for `pause` seconds nobody calls. Then
one call goes through as a probe (half open): it closes the circuit or opens it again. One for each process; it decides
only whether to call, never what the answer is.
"""

import threading
import time
from collections.abc import Callable
from enum import StrEnum


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Circuit:
    def __init__(
        self, *, failures: int, within: float, pause: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._within, self._pause, self._clock = failures, within, pause, clock
        self._lock = threading.Lock()
        self._failures, self._first_at = 0, 0.0
        self._opened_at: float | None = None
        self._probed_at: float | None = None

    @property
    def state(self) -> State:
        if self._opened_at is None:
            return State.CLOSED
        return State.OPEN if self._clock() < self._opened_at + self._pause else State.HALF_OPEN

    def lets_through(self) -> bool:
        """Whether to call now. A probe of which nothing is heard for `within` seconds gives way to the next one."""
        with self._lock:
            now, state = self._clock(), self.state
            if state is State.HALF_OPEN and (self._probed_at is None or now >= self._probed_at + self._within):
                self._probed_at = now
                return True
            return state is State.CLOSED

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._opened_at, self._probed_at = 0, None, None

    def failed(self) -> None:
        with self._lock:
            now = self._clock()
            if self._failures == 0 or now > self._first_at + self._within:
                self._failures, self._first_at = 0, now
            self._failures += 1
            if self._failures >= self._most or self._probed_at is not None:
                self._opened_at, self._probed_at = now, None
