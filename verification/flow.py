"""The road of a verification from the partner's side: start, identify, confirm, resend, cancel (design.md section 3).

The app's side of the same road is `unlocking`; how it ends is `ending`. The carrier is asked before a
transaction opens.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from ansim.lib import fingerprint, rows
from ansim.lib.problem import Refused
from pushes import delivery
from pushes.models import Message
from verification import codes, metrics, receipts, routing, sandbox, webhooks
from verification.ending import Outcome, closed, end, end_if_overdue, end_open, hold
from verification.identity import Identity
from verification.limits import Limits
from verification.models import Line, Mismatch, Partner, Verification, WebhookDelivery
from verification.states import Channel, State

Protection = Line.Protection


@dataclass(frozen=True)
class Ask:
    """What a partner asks. `site` is what people are shown; `region` and `address` say where it came from."""

    reference: str
    purpose: str
    site: dict[str, str]
    identity: Identity | None = None
    return_url: str = ""
    region: str = ""
    address: str = ""
    livemode: bool = False
    idempotency_key: str | None = None
    request_hash: str | None = None
    browser: str | None = None
    """Fingerprint of the one browser that may open the window; None: the first that posts there binds it."""


@dataclass(frozen=True)
class Started:
    verification: Verification
    window_secret: str


class Repeated(Exception):
    """Another request with this idempotency key was committed a moment before."""


def start(ask: Ask, *, partner: Partner, answer: Any) -> Started:
    """Begin a verification; with an identity it goes on at once. `answer` makes the 201 that is kept for repeats.

    Refused: `reference_taken`; `unavailable` when the carrier gives no clear answer, then nothing is created.
    Raises `Repeated` when an equal request won the race.
    """
    facts = sandbox.facts_of(ask.identity, livemode=ask.livemode, partner=partner) if ask.identity else None
    now, limits, secret = timezone.now(), Limits.of(partner.limits), secrets.token_urlsafe(24)
    verification = Verification(
        partner=partner, reference=ask.reference, purpose=ask.purpose, site=ask.site, return_url=ask.return_url,
        region=ask.region, livemode=ask.livemode, tries_left=limits.tries, resends_left=limits.resends,
        identity_tries_left=limits.identity_tries, window_fingerprint=fingerprint.of("window", secret),
        created_at=now, expires_at=now + timedelta(seconds=limits.identity_ttl),
        idempotency_key=ask.idempotency_key, request_hash=ask.request_hash, browser_fingerprint=ask.browser,
    )  # fmt: skip
    started = Started(verification, secret)
    try:
        with transaction.atomic():
            owed: list[Model] = []
            if ask.identity:
                if sandbox.plays(ask.identity, livemode=ask.livemode) and facts:
                    owed = sandbox.go(verification, facts, limits=limits, now=now)
                else:
                    found = routing.recognise(
                        verification, ask.identity, facts, address=ask.address, limits=limits, now=now
                    )
                    owed = routing.go(verification, facts, found, limits=limits, now=now)
            verification.first_answer = answer(started)
            rows.write(insert=[verification, *_told(verification, now=now), *owed])
            _ring(verification, owed)
    except IntegrityError as error:
        raise _which(error) from error
    return started


def _which(error: IntegrityError) -> Exception:
    """The unique constraint that refused the row, as our own word."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    known: dict[str, Exception] = {
        "verification_reference_once": Refused("reference_taken"),
        "verification_idempotency_once": Repeated(),
    }
    return known.get(constraint, error)


def identify(
    asked: Verification, *, identity: Identity, address: str, region: str, consented: dict[str, Any] | None = None
) -> Outcome:
    """The customer typed who they are into the window. A mismatch leaves it open until the tries are used up.

    Refused: `closed`, `wrong_state` (identified before), `invalid` (no match, tries are left), `unavailable` (carrier):
    it stays as it was.
    """
    facts = sandbox.facts_of(identity, livemode=asked.livemode, partner=asked.partner)
    with transaction.atomic():
        now, verification = timezone.now(), hold(asked.pk)
        if end_if_overdue(verification, now=now) or not verification.is_open:
            return Outcome(verification, closed(verification))
        if verification.state != State.CREATED:
            return Outcome(verification, Refused("wrong_state"))
        verification.region, verification.consented = verification.region or region, consented
        limits = Limits.of(verification.partner.limits)
        if sandbox.plays(identity, livemode=verification.livemode) and facts:
            owed = sandbox.go(verification, facts, limits=limits, now=now)
        else:
            found = routing.recognise(verification, identity, facts, address=address, limits=limits, now=now)
            if isinstance(found, Mismatch) and verification.identity_tries_left > 1:
                verification.identity_tries_left -= 1
                rows.write(insert=[found], update=[(verification, ("identity_tries_left", "region"))])
                return Outcome(verification, Refused("invalid"))
            owed = routing.go(verification, facts, found, limits=limits, now=now)
        rows.write(insert=[*_told(verification, now=now), *owed], update=[(verification, _MATCHED_FIELDS)])
        _ring(verification, owed)
        return Outcome(verification)


_MATCHED_FIELDS = (
    "state", "reason", "channel", "line", "line_serial", "match_number", "code_fingerprint", "expires_at",
    "code_expires_at", "sent_at", "ended_at", "holder", "region", "consented", "matched_at", "released",
)  # fmt: skip


def _told(verification: Verification, *, now: datetime) -> list[WebhookDelivery]:
    quiet = verification.state in (State.CREATED, State.AWAITING_APP)
    return [] if quiet else webhooks.owed(verification, verification.partner, now=now)


def _ring(verification: Verification, owed: list[Model]) -> None:
    messages = [row for row in owed if isinstance(row, Message)]
    metrics.moved(verification)
    if verification.state in (State.CREATED, State.AWAITING_APP):
        delivery.ring(*messages)
    else:
        webhooks.ring(*messages)


def confirm(*, code: str, pk: uuid.UUID, **of: uuid.UUID) -> Outcome:
    """Type the number in. Exactly one call sees it right; wrong ones are counted exactly, here and per line.

    Refused: `closed`, `wrong_state` (no number is awaited yet), `wrong_code` with `tries_left`.
    """
    with transaction.atomic():
        now, verification = timezone.now(), hold(pk, **of)
        if end_if_overdue(verification, now=now) or not verification.is_open:
            return Outcome(verification, closed(verification))
        if (
            verification.state != State.AWAITING_CODE
            or verification.line is None
            or verification.code_fingerprint is None
        ):
            return Outcome(verification, Refused("wrong_state"))
        awaited = verification.code_fingerprint
        if codes.is_number(code, awaited, verification=verification.pk, partner=verification.partner_id):
            verification.ended_at = now
            verification.receipt = receipts.make(verification, verification.partner)
            _verified(verification, now=now)
            return Outcome(verification)
        return _wrong(verification, verification.line, now=now)


def _verified(verification: Verification, *, now: datetime) -> None:
    verification.move(State.VERIFIED, now=now)
    told = webhooks.owed(verification, verification.partner, now=now)
    rows.write(insert=told, update=[(verification, ("state", "ended_at", "receipt"))])
    metrics.moved(verification)
    webhooks.ring()


def _wrong(verification: Verification, line: Line, *, now: datetime) -> Outcome:
    """Count it. The last try ends this one; the line's last in an hour ends all that are open on it (invariant 3)."""
    limits = Limits.of(verification.partner.limits)
    verification.tries_left -= 1
    line.wrong_numbers_at = [at for at in line.wrong_numbers_at if abs(now - at) < timedelta(hours=1)] + [now]
    line.save(update_fields=["wrong_numbers_at"])
    used_up = len(line.wrong_numbers_at) >= limits.line_wrong_per_hour
    if used_up:
        verification.tries_left = 0
    if verification.tries_left == 0:
        end(verification, State.FAILED, "too_many_wrong_codes", now=now)
    else:
        verification.save(update_fields=["tries_left"])
    if used_up:
        end_open(line, State.FAILED, "too_many_wrong_codes", now=now)
    return Outcome(verification, Refused("wrong_code", tries_left=verification.tries_left))


def resend(*, pk: uuid.UUID, **of: uuid.UUID) -> Outcome:
    """The same number by SMS again, or the wake-up again; a new number would kill the one in flight.

    Refused: `closed`, `wrong_state` (nothing sent yet, or unlocked already), `resend_too_soon`, `resends_used_up`.
    """
    with transaction.atomic():
        now, verification = timezone.now(), hold(pk, **of)
        if end_if_overdue(verification, now=now) or not verification.is_open:
            return Outcome(verification, closed(verification))
        kind = {State.AWAITING_APP: Message.Kind.WAKE, State.AWAITING_CODE: Message.Kind.SMS}.get(
            State(verification.state)
        )
        by_app_already = verification.state == State.AWAITING_CODE and verification.channel == Channel.APP
        if kind is None or by_app_already or verification.sent_at is None:
            return Outcome(verification, Refused("wrong_state"))
        if verification.resends_left == 0:
            return Outcome(verification, Refused("resends_used_up"))
        wait = verification.sent_at + timedelta(seconds=Limits.of(verification.partner.limits).resend_after) - now
        if wait > timedelta(0):
            return Outcome(verification, Refused("resend_too_soon", retry_after=int(wait.total_seconds()) + 1))
        verification.resends_left, verification.sent_at = verification.resends_left - 1, now
        messages = delivery.again(verification.pk, kind=kind)
        rows.write(insert=messages, update=[(verification, ("resends_left", "sent_at"))])
        delivery.ring(*messages)
        return Outcome(verification)


def cancel(*, reason: str, pk: uuid.UUID, **of: uuid.UUID) -> Outcome:
    """The partner or the customer at the window gives up. Refused: `closed`."""
    with transaction.atomic():
        now, verification = timezone.now(), hold(pk, **of)
        if end_if_overdue(verification, now=now) or not verification.is_open:
            return Outcome(verification, closed(verification))
        end(verification, State.CANCELLED, reason, now=now)
        return Outcome(verification)


def expire(verification_id: uuid.UUID) -> None:
    """The clock's part. Ended or prolonged a moment ago: fine."""
    with transaction.atomic():
        end_if_overdue(hold(verification_id), now=timezone.now())


def undeliverable(verification_id: uuid.UUID) -> None:
    """The SMS gateway refused for good: nobody can type a number that never left."""
    with transaction.atomic():
        verification = hold(verification_id)
        if verification.is_open and delivery.never_left(verification.pk):
            end(verification, State.FAILED, "undeliverable", now=timezone.now())


def request_hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
