"""Sending what is owed, many at once, while new things come (design.md section 4.1, docs/adr/0002).

One loop at a time in a process claims rows, sets them off and writes down what came of it. Whoever hears an answer
puts it into the inbox; the loop takes new rows as places become free, so one slow answer holds up nobody and no more
than `places` rows are in memory, however many are owed.
"""

import logging
import queue
import select
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from typing import Generic, TypeVar

from django.db import Error, connection

from ansim import bell
from ansim.bell import Bell
from ansim.ear import LINGER, Ear
from ansim.lib import correlator
from ansim.lib.problem import database_away

log = logging.getLogger(__name__)

SHIFT = 10.0  # seconds after which a loop hands over to the next task, so that a worker can end in good order
Owed = TypeVar("Owed")
Said = TypeVar("Said")


class Drain(ABC, Generic[Owed, Said]):
    """The sending of one channel in one process. `bell`: what wakes it. `places`: how many may be in the air at once.
    `apart`: seconds from one look at what is owed to the next at least, so that under load many commits cost one.
    `together`: seconds that the first answer waits for others that are in the air, to be written with them.
    """

    def __init__(self, name: str, *, bell: Bell, places: int, apart: float, together: float) -> None:
        self.name, self.bell, self.places, self.apart, self.together = name, bell, places, apart, together
        self._busy = threading.Lock()
        self._inbox: queue.SimpleQueue[tuple[Owed, Said] | str] = queue.SimpleQueue()  # str: the bell rang, whose
        self._flying = 0
        self._ended_at = float("-inf")

    @abstractmethod
    def claim(self, most: int) -> Sequence[Owed]:
        """Takes what is due, at most so many, for a lease. Fewer: there is no more, or `held_back` says so."""

    @abstractmethod
    def set_off(self, owed: Owed) -> None:
        """Begins to send it and does not wait; `came` is to be told once, from any thread, what was said."""

    @abstractmethod
    def broke(self, owed: Owed, error: Exception) -> Said:
        """What stands for an answer when sending raised, which is a bug."""

    @abstractmethod
    def record(self, heard: Sequence[tuple[Owed, Said]]) -> None:
        """Writes what came of them."""

    def work(self, *, listen: bool) -> None:
        """What the bell's task does. `listen`: for the next bell too, where another one came shortly before."""
        since = time.monotonic() - self._ended_at
        time.sleep(max(0.0, self.apart - since))
        bell.heard(self.bell)
        if self.ring(listen=listen and since < LINGER):
            bell.pull(self.bell)

    def ring(self, *, listen: bool = False) -> bool:
        """Drains, or lets the loop at work know that there is more. True when its shift ended: ring for the next one.

        What is in the air then stays there; whoever comes next hears it, or else a thread of the pool.
        """
        self._inbox.put(correlator.current())
        while not self._inbox.empty() and self._busy.acquire(blocking=False):
            ear = Ear(self.bell, self._inbox.put, apart=self.apart) if listen else None
            try:
                finished = self._shift(ear)
            finally:
                if ear:
                    ear.close()
                self._ended_at = time.monotonic()
                self._busy.release()
            if not finished:
                self._hand_in()
                return True
        return False

    def _shift(self, ear: Ear | None) -> bool:
        """Until nothing is due, nothing in the air and nobody rings: True. False when time was up first."""
        ends, more = time.monotonic() + SHIFT, True
        while time.monotonic() < ends:
            if more and self._flying < self.places:
                more = self._take()
            over = ear is None or ear.quiet
            if not more and not self._flying and over and self._inbox.empty():
                return True
            if ear and self._flying < self.places:
                ear.listen()  # also while rows are held back: the bell may be for others
            heard, rung = self._heard(until=None if over and not self._flying else ends)
            self._write(heard)
            more = more or rung
        return False

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """For what waits: for an answer, or for the database when there is no loop."""
        return ThreadPoolExecutor(self.threads, thread_name_prefix=self.name)

    @property
    def threads(self) -> int:
        return 1

    def _take(self) -> bool:
        """Claims as many as there are free places and sends them off. Whether another look may find more."""
        while not self._inbox.empty() and not self._flying:
            self._inbox.get()  # bells from before this claim
        fresh_connection()
        free = self.places - self._flying
        claimed = self.claim(free)
        for owed in claimed:
            self._flying += 1
            self._guarded(owed, self.set_off)
        return len(claimed) == free or self.held_back(claimed)

    def held_back(self, claimed: Sequence[Owed]) -> bool:
        """Whether something may be due that the claim left for when one of these is through."""
        return False

    def _guarded(self, owed: Owed, work: Callable[[Owed], None]) -> None:
        try:
            work(owed)
        except Exception as error:
            # Not its words: they may hold what was sent.
            where = traceback.format_tb(error.__traceback__)
            log.error("sending_broke", extra={"channel": self.name, "error": type(error).__name__, "where": where})
            self.came(owed, self.broke(owed, error))

    def came(self, owed: Owed, said: Said) -> None:
        """What was said about it. Never waits."""
        self._inbox.put((owed, said))
        if not self._busy.locked():
            self.pool.submit(self._hand_in_alone)

    def _hand_in_alone(self) -> None:
        try:
            with correlator.carrying(""):
                self._hand_in()
        finally:
            connection.close()  # this thread's own

    def _hand_in(self) -> None:
        """Between two shifts nobody reads the inbox: then a thread of the pool writes what came. A bell that falls into
        this moment is lost, and the clock rings again."""
        while not self._inbox.empty() and self._busy.acquire(blocking=False):
            try:
                self._write(self._heard()[0])
            finally:
                self._busy.release()

    def _heard(self, *, until: float | None = None) -> tuple[list[tuple[Owed, Said]], bool]:
        """What came back since the last look, and whether a bell rang; `until`: waits so long for the first of them."""
        heard, rung = list[tuple[Owed, Said]](), False
        try:
            wait = max(0.0, until - time.monotonic()) if until else 0.0
            entry = self._inbox.get(block=bool(until), timeout=wait)
            if not isinstance(entry, str) and self._flying > 1:
                time.sleep(self.together)
            while True:
                if isinstance(entry, str):
                    rung = True
                    correlator.take_up(entry)
                else:
                    heard.append(entry)
                entry = self._inbox.get_nowait()
        except queue.Empty:
            self._flying -= len(heard)
            return heard, rung

    def _write(self, heard: Sequence[tuple[Owed, Said]]) -> None:
        if heard:
            self.record(heard)


class InThreads(Drain[Owed, Said]):
    """Each in a thread of its own that waits for the answer."""

    @property
    def threads(self) -> int:
        return self.places

    @abstractmethod
    def send(self, owed: Owed) -> Said:
        """Without the database."""

    def set_off(self, owed: Owed) -> None:
        self.pool.submit(self._guarded, owed, self._send)

    def _send(self, owed: Owed) -> None:
        self.came(owed, self.send(owed))


def fresh_connection() -> None:
    """This thread's own, kept from task to task: given up when it is too old, broke, or the server hung up meanwhile.

    An idle connection has nothing to read but the server's farewell, so this asks the socket and not the server. In a
    transaction there is nothing to look after.
    """
    if connection.in_atomic_block:
        return
    connection.close_if_unusable_or_obsolete()
    if connection.connection is not None:
        ear = select.poll()
        ear.register(connection.connection.fileno(), select.POLLIN)
        if ear.poll(0):
            connection.close()


def persist(write: Callable[[], None], *, patience: timedelta) -> None:
    """Writes what was already done outside. The database may be away for a moment: forgetting would do it twice."""
    ends = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return write()
        except Error as error:
            if not database_away(error) or connection.in_atomic_block or time.monotonic() > ends:
                raise
            connection.close()
            time.sleep(0.2)
