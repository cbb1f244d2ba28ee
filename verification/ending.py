"""How a verification is held and how it ends: under its line's lock, once, and told to the partner (invariant 4)."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db import transaction

from ansim.lib import rows
from ansim.lib.problem import Refused
from ansim.lib.times import APART
from pushes import delivery
from pushes.models import Device, Message
from verification import metrics, webhooks
from verification.limits import Limits
from verification.models import Line, Partner, Verification
from verification.states import Channel, State

ENDED_FIELDS = ("state", "reason", "ended_at", "holder", "opened_at", "tries_left")


@dataclass(frozen=True)
class Outcome:
    """What came of a call. A refusal that must leave a trace (a wrong try) is returned: raising would roll it back."""

    verification: Verification
    refusal: Refused | None = None
    envelope: str | None = None

    def or_refuse(self) -> "Outcome":
        """For doors, after the commit."""
        if self.refusal:
            raise self.refusal
        return self


def hold(pk: uuid.UUID, **of: uuid.UUID | str) -> Verification:
    """The verification under lock, its line locked before it: every story takes them in this order, so none deadlocks.

    `of`: what it must belong to besides (`OF`). Raises Verification.DoesNotExist.
    """
    return _with_line(pk, of) or _unmatched(pk, of) or _with_line(pk, of) or _nowhere()


OF = {
    "partner_id": "verification.partner_id", "line_id": "verification.line_id", "device_id": "line.device_id",
    "purpose": "verification.purpose",
}  # fmt: skip


def _with_line(pk: uuid.UUID, of: dict[str, uuid.UUID | str]) -> Verification | None:
    """Written out as in `partner_auth`: putting it together would take Django a fifth of a whole confirm."""
    values = rows.first(_statement(*of), {"pk": pk, **of})
    if values is None:
        return None
    verification, partner = rows.read(Verification, values), rows.read(Partner, values)
    line, device = rows.read(Line, values), rows.read(Device, values)
    line.device = device if device.pk else None
    verification.partner, verification.line = partner, line
    return verification


@cache
def _statement(*of: str) -> str:
    """PostgreSQL locks in the order of `FOR UPDATE OF`."""
    return f"""
        SELECT {rows.columns(Verification, "verification")}, {rows.columns(Partner, "partner")},
               {rows.columns(Line, "line")}, {rows.columns(Device, "device")}
          FROM verification_verification verification
          JOIN verification_partner partner ON partner.id = verification.partner_id
          JOIN verification_line line ON line.id = verification.line_id
          LEFT JOIN pushes_device device ON device.id = line.device_id
         WHERE verification.id = %(pk)s {" ".join(f"AND {OF[name]} = %({name})s" for name in of)}
           FOR UPDATE OF line, verification
    """  # noqa: S608 - names of columns, our own


def _unmatched(pk: uuid.UUID, of: dict[str, uuid.UUID | str]) -> Verification | None:
    """Before the match, when there is no line, under lock. None when it got its line while we waited: then the
    savepoint's rollback lets it go again, because its line comes first.
    """
    if "device_id" in of:
        return None  # a phone belongs to a line
    found = Verification.objects.select_related("partner").filter(pk=pk, line=None, **of)
    try:
        with transaction.atomic():
            return found.select_for_update(of=("self",)).get()
    except Verification.DoesNotExist:
        return None


def _nowhere() -> Verification:
    raise Verification.DoesNotExist


def closed(verification: Verification) -> Refused:
    return Refused("closed", state=verification.state, reason=verification.reason)


def end(
    verification: Verification,
    state: State,
    reason: str | None,
    *,
    now: datetime,
    also: Iterable[Message] = (),
) -> None:
    """Leave the open states for good: one statement writes the end, the partner's webhook and what phones are owed."""
    verification.move(state, now=now, reason=reason)
    told = webhooks.owed(verification, verification.partner, now=now)
    messages = list(also)
    rows.write(insert=[*told, *messages], update=[(verification, ENDED_FIELDS)])
    metrics.moved(verification)
    if state != State.VERIFIED:
        delivery.void([verification.pk])
    webhooks.ring(*messages)


def end_if_overdue(verification: Verification, *, now: datetime) -> bool:
    """End by the clock. The number was never delivered: that is the reason, not that nobody typed it."""
    if not verification.is_open or not is_over(verification, now=now):
        return False
    reasons = {
        State.CREATED: "identity_not_entered",
        State.AWAITING_APP: "app_not_opened",
        State.AWAITING_CODE: "code_not_entered",
    }
    by_sms = verification.channel == Channel.SMS
    if by_sms and delivery.never_left(verification.pk):
        end(verification, State.FAILED, "undeliverable", now=now)
    else:
        end(verification, State.EXPIRED, reasons[State(verification.state)], now=now)
    return True


def is_over(verification: Verification, *, now: datetime) -> bool:
    """Its time is up; or it would live longer than any may: a wrong clock dated it, or somebody set ours back."""
    longest = timedelta(seconds=Limits.of(verification.partner.limits).longest)
    return not now < verification.expires_at <= now + longest + APART


def end_open(line: Line, state: State, reason: str, *, now: datetime, only: Iterable[uuid.UUID] | None = None) -> None:
    """End what is open on a line that the caller holds (all of it, or those named)."""
    ids = Verification.objects.filter(line=line, ended_at=None).values_list("pk", flat=True) if only is None else only
    for pk in list(ids):
        verification = hold(pk)
        if not end_if_overdue(verification, now=now) and verification.is_open:
            end(verification, state, reason, now=now)
