"""Sending what is owed. A task is a bell for a channel; the rows say what to send (design.md section 4.1)."""

import functools
import logging
import queue
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from celery import shared_task
from django.db import InterfaceError, OperationalError, connection

from pushes import bell, outbox
from pushes.gateways import DeadAddress, Failure, Later, Misconfigured, Sent, apns, fcm, sms
from pushes.models import Message

log = logging.getLogger(__name__)

IN_THE_AIR = 32  # messages of one channel that a process sends at once
SHIFT = 10.0  # seconds after which a drain hands over to the next one, so that a worker can end in good order
GATEWAYS: dict[str, Callable[[Message], Sent]] = {
    Message.Channel.FCM: fcm.send,
    Message.Channel.APNS: apns.send,
    Message.Channel.SMS: sms.send,
}
Said = tuple[Message, Sent | Failure]


@shared_task(name="pushes.tasks.drain", max_retries=0)
def drain(channel: str) -> None:
    """Sends everything due on that channel. Safe to ring twice, from anywhere, at any time.

    Nothing is repeated by Celery: what stays owed is due again later, and the clock rings for it.
    """
    if _drains[Message.Channel(channel)].ring():
        bell.pull(channel)


class Drain:
    """The sending of one channel in one process: one loop at a time, many messages in the air.

    Sending threads never touch the database. They put what the gateway said into the inbox; the loop takes new
    messages as places become free, so that one slow answer holds up nobody else.
    """

    def __init__(self, channel: Message.Channel) -> None:
        self.channel = channel
        self._busy = threading.Lock()
        self._inbox: queue.SimpleQueue[Said | None] = queue.SimpleQueue()  # None: the bell rang
        self._flying = 0

    def ring(self) -> bool:
        """Drains, or lets the loop at work know that there is more. True when the shift ended with work left."""
        self._inbox.put(None)
        while not self._inbox.empty() and self._busy.acquire(blocking=False):
            try:
                if not self._shift():
                    return True
            finally:
                self._busy.release()
        return False

    def _shift(self) -> bool:
        """Until nothing is due and nothing in the air: True. False when time was up first."""
        ends = time.monotonic() + SHIFT
        with ThreadPoolExecutor(IN_THE_AIR, thread_name_prefix=f"push-{self.channel}") as pool:
            try:
                while time.monotonic() < ends:
                    taken = self._take(pool)
                    if not taken and not self._flying:
                        return True
                    self._write(self._heard(wait=bool(self._flying)))
                return False
            finally:
                while self._flying:  # whatever stopped us: what we know is written down
                    self._write(self._heard(wait=True))

    def _take(self, pool: ThreadPoolExecutor) -> int:
        """Claims as many as there are free places and sends them off."""
        if self._flying >= IN_THE_AIR:
            return 0
        while not self._inbox.empty() and not self._flying:
            self._inbox.get()  # bells from before this claim
        claimed = outbox.claim(self.channel, most=IN_THE_AIR - self._flying)
        for message in claimed:
            if message.state == Message.State.OWED:  # else it came too late
                self._flying += 1
                pool.submit(self._send, message)
        return len(claimed)

    def _send(self, message: Message) -> None:
        said: Sent | Failure
        try:
            said = GATEWAYS[self.channel](message)
        except Failure as failure:
            said = failure
        except Exception as error:
            # Not its words: they may hold what was sent.
            where = traceback.format_tb(error.__traceback__)
            log.error("sending_broke", extra={"channel": self.channel, "error": type(error).__name__, "where": where})
            said = Later(type(error).__name__)
        self._inbox.put((message, said))

    def _heard(self, *, wait: bool) -> list[Said]:
        """What came back since we last looked; `wait`: at least one answer or bell."""
        heard: list[Said] = []
        while wait or not self._inbox.empty():
            entry = self._inbox.get()
            wait = False
            if entry is not None:
                heard.append(entry)
        self._flying -= len(heard)
        return heard

    def _write(self, heard: list[Said]) -> None:
        _persist(lambda: outbox.record([outbox.became(message, said) for message, said in heard]))
        for message, said in heard:
            if isinstance(said, DeadAddress) and message.device is not None:
                _persist(functools.partial(outbox.forget_address, message.device))
        self._tell(heard)

    def _tell(self, heard: list[Said]) -> None:
        """One line for each kind of answer. Our own misconfiguration is the alarm: somebody must be woken."""
        kinds = Counter((type(said), "" if isinstance(said, Sent) else said.code) for _, said in heard)
        for (kind, code), messages in kinds.items():
            about = {"channel": str(self.channel), "messages": messages}
            if kind is Sent:
                log.info("sent", extra=about)
            elif kind is Misconfigured:
                log.error("gateway_misconfigured", extra={**about, "code": code})
            else:
                log.warning("not_sent", extra={**about, "code": code, "means": kind.__name__})


_drains = {channel: Drain(channel) for channel in Message.Channel}


def _persist(write: Callable[[], None]) -> None:
    """Writes what a provider already did. The database may be away for a moment: forgetting would send it twice."""
    patience = time.monotonic() + outbox.LEASE.total_seconds()
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > patience:
                raise
            connection.close()
            time.sleep(0.2)
