"""Sending what is owed. A task is a bell for a channel; the rows say what to send (design.md section 4.1)."""

import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

from celery import Task, shared_task

from ansim import drain as drains
from ansim.lib.transfers import Answer, Broken
from pushes import bell, metrics, outbox
from pushes.gateways import DeadAddress, Failure, Later, Misconfigured, Sent, Streams, apns, fcm, mail, sms
from pushes.models import Message

log = logging.getLogger(__name__)

IN_THE_AIR = 32  # mails that a process sends at once, each in a thread
# Seconds from one drain of a channel to the next at least, so that under load many commits cost one drain; and seconds
# that the first answer waits for others. Somebody waits for a push; a text takes seconds anyway.
PUSHES, OTHERS = (0.02, 0.005), (0.04, 0.02)
STREAMS = 500  # pushes of one provider that a process sends at once; providers allow 500 to 1,000 on a connection
_persist = functools.partial(drains.persist, patience=outbox.LEASE)


@shared_task(bind=True, name="pushes.tasks.drain", max_retries=0)
def drain(self: "Task[..., None]", channel: str) -> None:
    """Sends everything due on that channel. Safe to ring twice, from anywhere, at any time.

    Nothing is repeated by Celery: what stays owed is due again later, and the clock rings for it.
    """
    _drains[Message.Channel(channel)].work(listen=not self.request.called_directly)


class _Drain(drains.Drain[Message, Sent | Failure]):
    """The sending of one channel in one process."""

    def __init__(self, channel: Message.Channel, *, places: int) -> None:
        [rung] = bell.of([channel])
        apart, together = PUSHES if channel in (Message.Channel.FCM, Message.Channel.APNS) else OTHERS
        super().__init__(str(channel), bell=rung, places=places, apart=apart, together=together)
        self.channel = channel

    def claim(self, most: int) -> Sequence[Message]:
        in_time: list[Message] = []
        while (free := most - len(in_time)) > 0:
            taken = outbox.claim(self.channel, most=free)
            in_time += [message for message in taken if message.state == Message.State.OWED]
            if len(taken) < free:
                break
        return in_time

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


class ByStreams(_Drain):
    """Pushes and texts: all of them on a few connections."""

    def __init__(self, channel: Message.Channel, gateway: Streams, *, places: int = STREAMS) -> None:
        super().__init__(channel, places=places)
        self._gateway = gateway

    def set_off(self, owed: Message) -> None:
        try:
            call = self._gateway.call(owed)
        except Failure as failure:
            self.came(owed, failure)
        else:
            if isinstance(call, Sent):
                return self.came(owed, call)
            self._gateway.transfers().start(call, functools.partial(self._heard_of, owed, time.perf_counter()))

    def _heard_of(self, owed: Message, began: float, said: Answer | Broken) -> None:
        self._guarded(owed, functools.partial(self._mean, said=said))
        metrics.SENDING_SECONDS.labels(self.channel).observe(time.perf_counter() - began)

    def _mean(self, owed: Message, *, said: Answer | Broken) -> None:
        try:
            meaning: Sent | Failure = self._gateway.heard(said)
        except Failure as failure:
            meaning = failure
        self.came(owed, meaning)


class ByThreads(_Drain, drains.InThreads[Message, Sent | Failure]):
    """Mails: each waits in a thread of its own."""

    def __init__(self, channel: Message.Channel, send: Callable[[Message], Sent]) -> None:
        super().__init__(channel, places=IN_THE_AIR)
        self._gateway = send

    def send(self, owed: Message) -> Sent | Failure:
        with metrics.SENDING_SECONDS.labels(self.channel).time():
            try:
                return self._gateway(owed)
            except Failure as failure:
                return failure


_drains: dict[str, _Drain] = {
    Message.Channel.FCM: ByStreams(Message.Channel.FCM, fcm),
    Message.Channel.APNS: ByStreams(Message.Channel.APNS, apns),
    Message.Channel.SMS: ByStreams(Message.Channel.SMS, sms, places=sms.PLACES),
    Message.Channel.MAIL: ByThreads(Message.Channel.MAIL, mail.send),
}
