"""The road of a verification from the owner's side: what waits, unlock, deny, history (design.md section 3; S2, S9)."""

import uuid
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ansim.lib import rows
from ansim.lib.problem import Refused
from pushes import delivery
from pushes.models import Device
from verification import codes, metrics, not_me, registration, routing, webhooks
from verification.ending import Outcome, closed, end, end_if_overdue, hold
from verification.limits import Limits
from verification.models import Line, Verification
from verification.states import Channel, State

HISTORY = 20  # S9


@dataclass(frozen=True)
class Denied(Outcome):
    """`reported`: what came of "not me"."""

    reported: not_me.Reported | None = None


def _mine(verification_id: uuid.UUID, device: Device) -> Verification:
    """A verification that this phone may answer, under lock. Refused `not_found` for everything else."""
    try:
        verification = hold(verification_id, device_id=device.pk)
    except Verification.DoesNotExist as error:
        raise Refused("not_found") from error
    if verification.channel != Channel.APP and not verification.released:
        raise Refused("not_found")
    return verification


def unlock(verification_id: uuid.UUID, *, device: Device, password: str) -> Outcome:
    """The right password makes the number, sealed for this phone; again while it lives, it is the same one.

    Refused: `not_found`, `closed`, `wrong_password` with `tries_left`, `locked`.
    """
    with transaction.atomic():
        now, verification = timezone.now(), _mine(verification_id, device)
        line = verification.line
        if line is None or verification.released:  # a released one went by SMS: it can be denied here, nothing else
            raise Refused("not_found")
        overdue = end_if_overdue(verification, now=now)
        if line.wrong_passwords < settings.PASSWORD_TRIES and (overdue or not verification.is_open):
            return Outcome(verification, closed(verification))
        refusal = registration.try_password(line, password, now=now)
        if refusal:
            return Outcome(verification, refusal)
        if verification.state == State.AWAITING_CODE:
            line.save(update_fields=["wrong_passwords"])
            return Outcome(verification, envelope=delivery.sealed_number(verification.pk))
        return Outcome(verification, envelope=_make_number(verification, line, device))


def _make_number(verification: Verification, line: Line, device: Device) -> str:
    """Here and nowhere else a protected line's number comes to be (invariant 2): it leaves this function sealed."""
    now, code = timezone.now(), codes.number()
    routing.issue(verification, code, Limits.of(verification.partner.limits), now=now)
    verification.opened_at = now
    claims = codes.number_claims(
        code, device=device, verification=verification.pk, match=str(verification.match_number), site=verification.site,
        now=now, until=verification.expires_at,
    )  # fmt: skip
    envelope = codes.envelope(claims, device=device, verification=verification.pk)
    message = delivery.number(device, verification=verification.pk, envelope=envelope, until=verification.expires_at)
    rows.write(
        insert=[message, *webhooks.owed(verification, verification.partner, now=now)],
        update=[
            (verification, ("state", "code_fingerprint", "code_expires_at", "expires_at", "opened_at")),
            (line, ("wrong_passwords",)),
        ],
    )
    metrics.moved(verification)
    webhooks.ring(message)
    return envelope


def deny(verification_id: uuid.UUID, *, device: Device, reason: str) -> Denied:
    """`not_me`: somebody else asked; `cancel`: the owner thought better of it. Refused: `not_found`, `closed`."""
    with transaction.atomic():
        now, verification = timezone.now(), _mine(verification_id, device)
        line = verification.line
        if end_if_overdue(verification, now=now) or not verification.is_open or line is None:
            return Denied(verification, closed(verification))
        verification.opened_at = verification.opened_at or now
        if reason != "not_me":
            end(verification, State.CANCELLED, "cancelled_by_customer", now=now)
            return Denied(verification)
        reported = not_me.take_down(verification, line, now=now)
        end(verification, State.DENIED, "not_me", now=now)
        return Denied(verification, reported=reported)


def waiting(line: Line) -> list[Verification]:
    """What the app shows when it is opened, newest first."""
    asked = {"line": line.pk, "channel": Channel.APP.value, "now": timezone.now()}
    return [rows.read(Verification, values) for values in rows.every(_waiting(), asked)]


@cache
def _waiting() -> str:
    """Written out as in `partner_auth`: an app asks whenever it is opened."""
    return f"""
        SELECT {rows.columns(Verification, "verification")} FROM verification_verification verification
         WHERE line_id = %(line)s AND channel = %(channel)s AND ended_at IS NULL AND expires_at > %(now)s
         ORDER BY created_at DESC
    """  # noqa: S608 - names of columns, our own


def of_owner(line: Line) -> QuerySet[Verification]:
    """The verifications of the line's present owner: what a former one did is nobody's business (mission.md S8)."""
    every = Verification.objects.filter(line=line)
    return every.filter(created_at__gte=line.owner_since) if line.owner_since else every


def history(line: Line) -> tuple[list[Verification], list[Verification]]:
    """S9: the twenty requests up to the newest one the app was opened for, and the newer, unopened ones."""
    newest_first = of_owner(line).order_by("-line_serial")
    last_opened = newest_first.filter(opened_at__isnull=False).first()
    if last_opened is None:
        return [], list(newest_first)
    return (
        list(newest_first.filter(line_serial__lte=last_opened.line_serial)[:HISTORY]),
        list(newest_first.filter(line_serial__gt=last_opened.line_serial)),
    )
