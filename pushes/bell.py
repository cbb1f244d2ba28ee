"""The bell of a channel: wakes a worker to send what is owed there."""

from ansim import bell
from pushes.models import Message

DRAIN = "pushes.tasks.drain"
QUEUES = {
    Message.Channel.FCM: "push", Message.Channel.APNS: "push", Message.Channel.SMS: "sms", Message.Channel.MAIL: "sms",
}  # fmt: skip


def pull(channel: str) -> None:
    bell.pull(DRAIN, str(channel), queue=QUEUES[Message.Channel(channel)])


def heard(channel: str) -> None:
    """Before the drain looks."""
    bell.heard(DRAIN, str(channel))
