"""Being signed in to "my page": opened by one proof by the app, bound to its browser, over when that app is.

There is no account and no site password (mission.md section 2). A session ends 15 minutes after it was last used, an
hour after it began, when somebody ends it in the list, and with whatever ends the subscription or the registration of
the phone that proved it.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ansim.lib import fingerprint
from subscriptions.models import CustomerSession, Subscription
from subscriptions.proving import Person
from verification import proofs
from verification.models import Line

IDLE = timedelta(minutes=15)
LIFE = timedelta(minutes=60)
NOTED = timedelta(seconds=20)
"""How exactly we note when it was last used: a page and what it loads are one use."""
KEPT = timedelta(days=1)


class NotJoined(Exception):
    """Nobody with an active subscription: the line has none, or it is somebody else's."""


class NotProved(Exception):
    """No proof by the app: by SMS, during a temporary release, used before, or older than five minutes."""


@dataclass(frozen=True)
class Browser:
    """What a browser says of itself, in words that outlive its updates: "Chrome · Android"."""

    words: str

    @property
    def fingerprint(self) -> str:
        return fingerprint.of("browser", self.words)


def begin(person: Person, *, browser: Browser, region: str = "") -> tuple[CustomerSession, str]:
    """A new session and its token, which is kept nowhere but in the browser. Raises NotJoined, NotProved."""
    with transaction.atomic():
        line = Line.objects.select_for_update(of=("self",)).select_related("device").get(pk=person.line.pk)
        subscription = line.subscriptions.filter(
            state=Subscription.State.ACTIVE, holder_fingerprint=fingerprint.of("ci", person.ci)
        ).first()
        if subscription is None:
            raise NotJoined
        if line.device is None or not proofs.spend(person.verification, line=line, purpose="login"):
            raise NotProved
        token = secrets.token_urlsafe(32)
        session = CustomerSession.objects.create(
            subscription=subscription, device=line.device, verification=person.verification, region=region,
            token_fingerprint=fingerprint.of("session", token),
            browser=browser.words, browser_fingerprint=browser.fingerprint, ends_at=timezone.now() + LIFE,
        )  # fmt: skip
        return session, token


def current(token: str, *, browser: Browser) -> CustomerSession | None:
    """Whose token that is, while everything still holds: one question to the database. Using it keeps it awake."""
    now = timezone.now()
    session = (
        _good(now)
        .filter(token_fingerprint=fingerprint.of("session", token), browser_fingerprint=browser.fingerprint)
        .select_related("subscription__line", "device")
        .first()
    )
    if session is not None and session.seen_at < now - NOTED:
        CustomerSession.objects.filter(pk=session.pk, ended_at=None).update(seen_at=now)
        session.seen_at = now
    return session


def _good(now: datetime) -> QuerySet[CustomerSession]:
    return CustomerSession.objects.filter(
        ended_at=None,
        ends_at__gt=now,
        seen_at__gt=now - IDLE,
        subscription__state=Subscription.State.ACTIVE,
        subscription__line__device=F("device"),
    )


def over_at(session: CustomerSession) -> datetime:
    """When it ends if nobody uses it again."""
    return min(session.seen_at + IDLE, session.ends_at)


def alive(subscription: Subscription) -> list[CustomerSession]:
    """Where this customer is signed in, the newest first."""
    return list(_good(timezone.now()).filter(subscription=subscription).order_by("-began_at"))


def end(subscription: Subscription, *, only: uuid.UUID | None = None) -> int:
    """End one of this customer's sessions, or all. How many ended."""
    mine = CustomerSession.objects.filter(subscription=subscription, ended_at=None)
    return (mine.filter(pk=only) if only else mine).update(ended_at=timezone.now())


def forget() -> None:
    """Sessions that were over a day ago leave nothing behind."""
    CustomerSession.objects.filter(ends_at__lt=timezone.now() - KEPT).delete()
