"""What happened to what phones were owed, counted where it is sent."""

from collections.abc import Sequence

from django.utils import timezone

from ansim.lib import metrics
from pushes.gateways import DeadAddress, Failure, Later, Misconfigured, Never, Sent
from pushes.models import Message

OUTCOMES = {
    Sent: "sent", Later: "later", Never: "never", DeadAddress: "dead_address", Misconfigured: "misconfigured",
}  # fmt: skip

SENDINGS = metrics.counter(
    "sendings", "Tries to send, by what the gateway said and its own code.", "channel", "outcome", "code"
)
SENDING_SECONDS = metrics.histogram(
    "sending_seconds", "One try, until the gateway answered.", "channel", buckets=metrics.OUTSIDE
)
DELAY_SECONDS = metrics.histogram(
    "message_delay_seconds", "From the commit that owed it until it was sent.", "channel", buckets=metrics.DELAYS
)


def heard(answers: Sequence[tuple[Message, Sent | Failure]]) -> None:
    """Count what gateways said. How long a message was owed is known once it was sent."""
    now = timezone.now()
    for message, said in answers:
        code = "" if isinstance(said, Sent) else metrics.word(said.code)
        SENDINGS.labels(message.channel, OUTCOMES[type(said)], code).inc()
        if isinstance(said, Sent):
            DELAY_SECONDS.labels(message.channel).observe((now - message.created_at).total_seconds())
