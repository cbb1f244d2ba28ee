"""Sending what is owed, many at once, while new things come (design.md section 4.1, docs/adr/0002).

One loop at a time in a process claims rows, hands each to a thread and writes down what came of it. Sending threads
put what was said into the inbox; the loop takes new rows as places become free, so one slow answer holds up nobody.
"""

import logging
import queue
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)

SHIFT = 10.0  # seconds after which a loop hands over to the next task, so that a worker can end in good order
Owed = TypeVar("Owed")
Said = TypeVar("Said")


class Drain(ABC, Generic[Owed, Said]):
    """The sending of one channel in one process. `places`: how many may be in the air at once."""

    def __init__(self, name: str, *, places: int) -> None:
        self.name, self.places = name, places
        self._busy = threading.Lock()
        self._inbox: queue.SimpleQueue[tuple[Owed, Said] | None] = queue.SimpleQueue()  # None: the bell rang
        self._flying = 0

    @abstractmethod
    def claim(self, most: int) -> Sequence[Owed]:
        """Takes what is due, at most so many, for a lease."""

    @abstractmethod
    def send(self, owed: Owed) -> Said:
        """In a thread, without the database. An exception is a bug and becomes what `broke` says."""

    @abstractmethod
    def broke(self, owed: Owed, error: Exception) -> Said:
        """What stands for an answer when sending raised."""

    @abstractmethod
    def record(self, heard: Sequence[tuple[Owed, Said]]) -> None:
        """Writes what came of them."""

    def ring(self) -> bool:
        """Drains, or lets the loop at work know that there is more. True when its shift ended: ring for the next one.

        What is in the air then stays there; whoever comes next hears it, or else the sending thread itself.
        """
        self._inbox.put(None)
        while not self._inbox.empty() and self._busy.acquire(blocking=False):
            try:
                finished = self._shift()
            finally:
                self._busy.release()
            if not finished:
                self._hand_in()
                return True
        return False

    def _shift(self) -> bool:
        """Until nothing is due and nothing in the air: True. False when time was up first."""
        ends = time.monotonic() + SHIFT
        while time.monotonic() < ends:
            if not self._take() and not self._flying:
                return True
            self._write(self._heard(until=ends if self._flying else None))
        return False

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.places, thread_name_prefix=self.name)

    def _take(self) -> int:
        """Claims as many as there are free places and sends them off."""
        if self._flying >= self.places:
            return 0
        while not self._inbox.empty() and not self._flying:
            self._inbox.get()  # bells from before this claim
        claimed = self.claim(self.places - self._flying)
        for owed in claimed:
            self._pool.submit(self._send, owed)
            self._flying += 1
        return len(claimed)

    def _send(self, owed: Owed) -> None:
        try:
            said = self.send(owed)
        except Exception as error:
            # Not its words: they may hold what was sent.
            where = traceback.format_tb(error.__traceback__)
            log.error("sending_broke", extra={"channel": self.name, "error": type(error).__name__, "where": where})
            said = self.broke(owed, error)
        self._inbox.put((owed, said))
        try:
            self._hand_in()
        finally:
            connection.close()  # this thread's own, which is open only when there was no loop

    def _hand_in(self) -> None:
        """Between two shifts nobody reads the inbox: then who has an answer writes it. A bell that falls into this
        moment is lost, and the clock rings again."""
        while not self._inbox.empty() and self._busy.acquire(blocking=False):
            try:
                self._write(self._heard())
            finally:
                self._busy.release()

    def _heard(self, *, until: float | None = None) -> list[tuple[Owed, Said]]:
        """What came back since we last looked; `until`: waits so long for the first answer or bell."""
        heard = []
        try:
            wait = max(0.0, until - time.monotonic()) if until else 0.0
            entry = self._inbox.get(block=bool(until), timeout=wait)
            while True:
                if entry is not None:
                    heard.append(entry)
                entry = self._inbox.get_nowait()
        except queue.Empty:
            self._flying -= len(heard)
            return heard

    def _write(self, heard: Sequence[tuple[Owed, Said]]) -> None:
        if heard:
            self.record(heard)


def persist(write: Callable[[], None], *, patience: timedelta) -> None:
    """Writes what was already done outside. The database may be away for a moment: forgetting would do it twice."""
    ends = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > ends:
                raise
            connection.close()
            time.sleep(0.2)
