"""One attempt to deliver a webhook: signed as Standard Webhooks wants it, posted through the guard of `outbound`."""

import atexit
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

from django.conf import settings
from standardwebhooks.webhooks import Webhook

from ansim.lib.outbound import Failure, Outbound
from ansim.lib.transfers import Answer
from verification.models import Partner, WebhookDelivery

TIMEOUT = 15.0  # seconds for all of it, api.md
LONGEST_WAIT = 86_400.0  # seconds; nobody puts us off for longer
LOOK_UP = 3.0  # seconds that somebody who changes the address waits for its name
GONE = 410
BUSY = (429, 503)  # their Retry-After is obeyed


@dataclass(frozen=True)
class Heard:
    """What came of one attempt. `error` stands where no status came; `retry_after` is in seconds."""

    at: datetime
    ms: int
    status: int | None = None
    error: str = ""
    retry_after: float = 0.0

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def code(self) -> str:
        """What went wrong in one word; empty when it was heard."""
        return "" if self.taken else self.error or f"status_{self.status}"


def send(delivery: WebhookDelivery, told: Callable[[Heard], None]) -> None:
    """Delivers once and does not wait; whatever comes is told, in another thread. No database here."""
    at, began = datetime.now(UTC), time.monotonic()

    def said(answer: Answer | Failure) -> None:
        ms = round((time.monotonic() - began) * 1000)
        if isinstance(answer, Failure):
            told(Heard(at, ms, error=answer.code))
        else:
            wait = retry_after(answer.headers.get("retry-after", ""), now=at) if answer.status in BUSY else 0.0
            told(Heard(at, ms, status=answer.status, retry_after=wait))

    _outbound(loopback=settings.DEMO).post(
        delivery.partner.webhook_url,
        content=delivery.body.encode(),
        headers=[f"{name}: {value}" for name, value in headers(delivery, delivery.partner, at=at).items()],
        seconds=TIMEOUT,
        told=said,
    )


def acceptable(url: str) -> bool:
    """Whether webhooks could be sent there: a public address (the demo's loopback as well), by TLS, on a usual port."""
    try:
        _outbound(loopback=settings.DEMO).check(url, seconds=LOOK_UP)
    except Failure:
        return False
    return True


def headers(delivery: WebhookDelivery, partner: Partner, *, at: datetime) -> dict[str, str]:
    """`at` in UTC: the library reads any time as if it were, and signs another second than the header's."""
    signatures = [
        Webhook(secret).sign(delivery.webhook_id, at, delivery.body) for secret in partner.webhook_secrets(now=at)
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Ansim-Webhooks ({settings.BASE_URL})",
        "webhook-id": delivery.webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def retry_after(header: str, *, now: datetime) -> float:
    """Seconds to wait, from a number or an HTTP date (RFC 9110, 10.2.3), at most a day; nonsense is no wait."""
    if header.isascii() and header.isdigit():
        seconds = float(header)
    else:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return 0.0
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


@cache
def _outbound(*, loopback: bool) -> Outbound:
    """This process's connections. Loopback is open in the demo alone: its world lives there."""
    made = Outbound(loopback=loopback)
    atexit.register(made.close)
    return made
