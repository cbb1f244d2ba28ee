"""The bells of the channels: they wake a worker to send what is owed there."""

from collections.abc import Iterable

from ansim import bell
from pushes.models import Message

DRAIN = "pushes.tasks.drain"
QUEUES = {
    Message.Channel.FCM: "push", Message.Channel.APNS: "push", Message.Channel.SMS: "sms", Message.Channel.MAIL: "sms",
}  # fmt: skip


def of(channels: Iterable[str]) -> list[bell.Bell]:
    """One for each channel."""
    return [bell.Bell(DRAIN, QUEUES[Message.Channel(channel)], (str(channel),)) for channel in sorted(set(channels))]


def pull(channel: str) -> None:
    bell.pull(*of([channel]))
