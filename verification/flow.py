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

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from ansim.lib import fingerprint, rows
from ansim.lib.problem import Refused
from pushes import delivery
from pushes.models import Device, Message
from verification import carrier, codes, receipts, sms, webhooks
from verification.ending import Outcome, closed, end, end_if_overdue, end_open, hold
from verification.identity import Identity, kept
from verification.limits import Limits
from verification.lines import Standing
from verification.models import Line, Partner, Verification, WebhookDelivery
from verification.states import Channel, State

Protection = Line.Protection


@dataclass(frozen=True)
class Ask:
    """What a partner asks. `site` is what people are shown; `region` is where the request came from."""

    reference: str
    purpose: str
    site: dict[str, str]
    identity: Identity | None = None
    return_url: str = ""
    region: str = ""
    livemode: bool = False
    idempotency_key: str | None = None
    request_hash: str | None = None


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
    facts = carrier.look_up(ask.identity.phone) if ask.identity else None
    now, limits, secret = timezone.now(), Limits.of(partner.limits), secrets.token_urlsafe(24)
    verification = Verification(
        partner=partner, reference=ask.reference, purpose=ask.purpose, site=ask.site, return_url=ask.return_url,
        region=ask.region, livemode=ask.livemode, tries_left=limits.tries, resends_left=limits.resends,
        identity_tries_left=limits.identity_tries, window_fingerprint=fingerprint.of("window", secret),
        created_at=now, expires_at=now + timedelta(seconds=limits.identity_ttl),
        idempotency_key=ask.idempotency_key, request_hash=ask.request_hash,
    )  # fmt: skip
    started = Started(verification, secret)
    try:
        with transaction.atomic():
            owed: list[Message] = []
            if ask.identity:
                owed = _go(verification, ask.identity, facts, limits=limits, now=now)
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


def identify(verification_id: uuid.UUID, *, identity: Identity, region: str) -> Outcome:
    """The customer typed who they are into the window. A mismatch leaves it open until the tries are used up.

    Refused: `closed`, `wrong_state` (identified before), `unavailable` (carrier): it stays as it was.
    """
    facts = carrier.look_up(identity.phone)
    with transaction.atomic():
        now, verification = timezone.now(), hold(pk=verification_id)
        if end_if_overdue(verification, now=now) or not verification.is_open:
            return Outcome(verification, closed(verification))
        if verification.state != State.CREATED:
            return Outcome(verification, Refused("wrong_state"))
        verification.region = verification.region or region
        if not identity.matches(facts) and verification.identity_tries_left > 1:
            verification.identity_tries_left -= 1
            verification.save(update_fields=["identity_tries_left", "region"])
            return Outcome(verification, Refused("invalid"))
        owed = _go(verification, identity, facts, limits=Limits.of(verification.partner.limits), now=now)
        rows.write(insert=[*_told(verification, now=now), *owed], update=[(verification, _MATCHED_FIELDS)])
        _ring(verification, owed)
        return Outcome(verification)


_MATCHED_FIELDS = (
    "state", "reason", "channel", "line", "line_serial", "match_number", "code_fingerprint", "expires_at",
    "code_expires_at", "sent_at", "ended_at", "holder", "region",
)  # fmt: skip


def _go(
    verification: Verification, identity: Identity, facts: carrier.LineFacts | None, *, limits: Limits, now: datetime
) -> list[Message]:
    """From `created` to wherever this identity leads, on the object; returns what phones are owed for it."""
    if facts is None or not identity.matches(facts):
        verification.move(State.FAILED, now=now, reason="identity_mismatch")
        return []
    standing = Line.objects.take(facts)
    line = verification.line = standing.line
    verification.line_serial = line.serial
    others = _make_room(verification, standing, now=now)
    reason = _refusal(standing, others, limits, now=now)
    if reason:
        verification.move(State.FAILED, now=now, reason=reason)
        return []
    verification.holder = kept(facts, line.protection_ended_at)
    verification.sent_at = now
    return [
        _by_app(verification, standing, limits, now)
        if line.protection == Protection.ON
        else _by_sms(verification, facts.phone, limits, now)
    ]


def _make_room(verification: Verification, standing: Standing, *, now: datetime) -> int:
    """End this partner's older one and whatever is overdue; returns how many of other partners stay open."""
    end_open(
        standing.line,
        State.CANCELLED,
        "superseded",
        now=now,
        only=[pk for pk, owner in standing.open.items() if owner == verification.partner_id],
    )
    others = [pk for pk, owner in standing.open.items() if owner != verification.partner_id]
    return sum(not _gone(pk, now=now) for pk in others)


def _gone(pk: uuid.UUID, *, now: datetime) -> bool:
    other = hold(pk=pk)
    return end_if_overdue(other, now=now) or not other.is_open


def _refusal(standing: Standing, others: int, limits: Limits, *, now: datetime) -> str | None:
    """Why a line whose owner was recognised may not be verified now. All but the app's two reasons look alike."""
    line = standing.line
    wrong = sum(at > now - timedelta(hours=1) for at in line.wrong_numbers_at)
    busy = standing.last_ten_minutes >= limits.line_per_10min or standing.last_day >= limits.line_per_day
    if (
        line.protection == Protection.PAUSED
        or wrong >= limits.line_wrong_per_hour
        or busy
        or others >= limits.line_open
    ):
        return "line_blocked"
    if line.protection == Protection.ON and line.device_id is None:
        return "app_not_registered"
    if line.protection == Protection.ON and line.wrong_passwords >= settings.PASSWORD_TRIES:
        return "app_locked"
    return None


def _by_app(verification: Verification, standing: Standing, limits: Limits, now: datetime) -> Message:
    """The protected road (S2): the phone is told to open the app. There is no number yet, so none can leak."""
    verification.channel, verification.match_number = Channel.APP, codes.match_number()
    verification.expires_at = now + timedelta(seconds=limits.app_ttl)
    verification.move(State.AWAITING_APP, now=now)
    device = Device(pk=standing.line.device_id, platform=standing.platform or "")
    return delivery.wake(device, verification=verification.pk, until=verification.expires_at)


def _by_sms(verification: Verification, phone: str, limits: Limits, now: datetime) -> Message:
    """The old road (S1), only for a line without protection; the database refuses it for others (migration 0002)."""
    code = codes.number()
    verification.channel = Channel.SMS
    issue(verification, code, limits, now=now)
    words = sms.words(code, site=verification.site["name"], seconds=limits.code_ttl)
    return delivery.text(phone, words, verification=verification.pk, until=verification.expires_at)


def issue(verification: Verification, code: str, limits: Limits, *, now: datetime) -> None:
    """From here on this number is awaited. Only its keyed fingerprint is kept (invariant 2)."""
    verification.code_fingerprint = codes.number_fingerprint(
        code, verification=verification.pk, partner=verification.partner_id
    )
    verification.code_expires_at = verification.expires_at = now + timedelta(seconds=limits.code_ttl)
    verification.move(State.AWAITING_CODE, now=now)


def _told(verification: Verification, *, now: datetime) -> list[WebhookDelivery]:
    quiet = verification.state in (State.CREATED, State.AWAITING_APP)
    return [] if quiet else webhooks.owed(verification, verification.partner, now=now)


def _ring(verification: Verification, owed: list[Message]) -> None:
    delivery.ring(*owed)
    if verification.state not in (State.CREATED, State.AWAITING_APP):
        webhooks.ring()


def confirm(*, code: str, **which: object) -> Outcome:
    """Type the number in. Exactly one call sees it right; wrong ones are counted exactly, here and per line.

    Refused: `closed`, `wrong_state` (no number is awaited yet), `wrong_code` with `tries_left`.
    """
    with transaction.atomic():
        now, verification = timezone.now(), hold(**which)
        if end_if_overdue(verification, now=now) or not verification.is_open:
            return Outcome(verification, closed(verification))
        if (
            verification.state != State.AWAITING_CODE
            or verification.line is None
            or verification.code_fingerprint is None
        ):
            return Outcome(verification, Refused("wrong_state"))
        typed = codes.number_fingerprint(code, verification=verification.pk, partner=verification.partner_id)
        if codes.same(typed, verification.code_fingerprint):
            verification.ended_at = now
            verification.receipt = receipts.make(verification, verification.partner)
            _verified(verification, now=now)
            return Outcome(verification)
        return _wrong(verification, verification.line, now=now)


def _verified(verification: Verification, *, now: datetime) -> None:
    verification.move(State.VERIFIED, now=now)
    told = webhooks.owed(verification, verification.partner, now=now)
    rows.write(insert=told, update=[(verification, ("state", "ended_at", "receipt"))])
    webhooks.ring()


def _wrong(verification: Verification, line: Line, *, now: datetime) -> Outcome:
    """Count it. The last try ends this one; the line's last in an hour ends all that are open on it (invariant 3)."""
    limits = Limits.of(verification.partner.limits)
    verification.tries_left -= 1
    line.wrong_numbers_at = [at for at in line.wrong_numbers_at if at > now - timedelta(hours=1)] + [now]
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


def resend(**which: object) -> Outcome:
    """The same number by SMS again, or the wake-up again; a new number would kill the one in flight.

    Refused: `closed`, `wrong_state` (nothing sent yet, or unlocked already), `resend_too_soon`, `resends_used_up`.
    """
    with transaction.atomic():
        now, verification = timezone.now(), hold(**which)
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
        message = delivery.again(verification.pk, kind=kind)
        rows.write(insert=[message], update=[(verification, ("resends_left", "sent_at"))])
        delivery.ring(message)
        return Outcome(verification)


def cancel(*, reason: str, **which: object) -> Outcome:
    """The partner or the customer at the window gives up. Refused: `closed`."""
    with transaction.atomic():
        now, verification = timezone.now(), hold(**which)
        if end_if_overdue(verification, now=now) or not verification.is_open:
            return Outcome(verification, closed(verification))
        end(verification, State.CANCELLED, reason, now=now)
        return Outcome(verification)


def expire(verification_id: uuid.UUID) -> None:
    """The clock's part. Ended or prolonged a moment ago: fine."""
    with transaction.atomic():
        end_if_overdue(hold(pk=verification_id), now=timezone.now())


def undeliverable(verification_id: uuid.UUID) -> None:
    """The SMS gateway refused for good: nobody can type a number that never left."""
    with transaction.atomic():
        verification = hold(pk=verification_id)
        if verification.is_open and delivery.never_left(verification.pk):
            end(verification, State.FAILED, "undeliverable", now=timezone.now())


def request_hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
