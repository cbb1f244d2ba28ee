"""Sending what is owed. A task is a bell for a channel; the rows say what to send (design.md section 4.1)."""

import functools
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from celery import shared_task

from ansim import drain as drains
from pushes import bell, metrics, outbox
from pushes.gateways import DeadAddress, Failure, Later, Misconfigured, Sent, apns, fcm, mail, sms
from pushes.models import Message

log = logging.getLogger(__name__)

IN_THE_AIR = 32  # messages of one channel that a process sends at once
GATEWAYS: dict[str, Callable[[Message], Sent]] = {
    Message.Channel.FCM: fcm.send,
    Message.Channel.APNS: apns.send,
    Message.Channel.SMS: sms.send,
    Message.Channel.MAIL: mail.send,
}
_persist = functools.partial(drains.persist, patience=outbox.LEASE)


@shared_task(name="pushes.tasks.drain", max_retries=0)
def drain(channel: str) -> None:
    """Sends everything due on that channel. Safe to ring twice, from anywhere, at any time.

    Nothing is repeated by Celery: what stays owed is due again later, and the clock rings for it.
    """
    bell.heard(channel)
    if _drains[Message.Channel(channel)].ring():
        bell.pull(channel)


class Drain(drains.Drain[Message, Sent | Failure]):
    """The sending of one channel in one process."""

    def __init__(self, channel: Message.Channel) -> None:
        super().__init__(str(channel), places=IN_THE_AIR)
        self.channel = channel

    def claim(self, most: int) -> Sequence[Message]:
        while taken := outbox.claim(self.channel, most=most):
            in_time = [message for message in taken if message.state == Message.State.OWED]
            if in_time:
                return in_time
        return []

    def send(self, owed: Message) -> Sent | Failure:
        with metrics.SENDING_SECONDS.labels(self.channel).time():
            try:
                return GATEWAYS[self.channel](owed)
            except Failure as failure:
                return failure

    def broke(self, owed: Message, error: Exception) -> Failure:
        return Later(type(error).__name__)

    def record(self, heard: Sequence[tuple[Message, Sent | Failure]]) -> None:
        _persist(lambda: outbox.record([outbox.became(message, said) for message, said in heard]))
        for message, said in heard:
            if isinstance(said, DeadAddress) and message.device is not None:
                _persist(functools.partial(outbox.forget_address, message.device))
        self._tell(heard)

    def _tell(self, heard: Sequence[tuple[Message, Sent | Failure]]) -> None:
        """One line for each kind of answer. Our own misconfiguration is the alarm: somebody must be woken."""
        metrics.heard(heard)
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
