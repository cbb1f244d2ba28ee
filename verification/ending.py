"""How a verification is held and how it ends: under its line's lock, once, and told to the partner (invariant 4)."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from ansim.lib import rows
from ansim.lib.problem import Refused
from pushes import delivery
from pushes.models import Message
from verification import metrics, webhooks
from verification.models import Line, Verification
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


def hold(**which: object) -> Verification:
    """The verification under lock, its line locked before it: every story takes them in this order, so none deadlocks.

    PostgreSQL locks in the order of `OF`. Raises Verification.DoesNotExist.
    """
    found = Verification.objects.select_related("partner").filter(**which).order_by()
    # Naming a column of the line makes it an inner join, which can be locked; before the match there is no line.
    matched = found.select_related("line__device").filter(line__serial__isnull=False)
    with_line = matched.select_for_update(of=("line", "self"))
    return with_line.first() or _unmatched(found) or with_line.get()


def _unmatched(found: QuerySet[Verification]) -> Verification | None:
    """Before the match, under lock. None when it got its line while we waited: then the savepoint's rollback lets it go
    again, because its line comes first.
    """
    try:
        with transaction.atomic():
            return found.filter(line=None).select_for_update(of=("self",)).get()
    except Verification.DoesNotExist:
        return None


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
    delivery.ring(*messages)
    webhooks.ring()


def end_if_overdue(verification: Verification, *, now: datetime) -> bool:
    """End by the clock. The number was never delivered: that is the reason, not that nobody typed it."""
    if not verification.is_open or verification.expires_at > now:
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


def end_open(line: Line, state: State, reason: str, *, now: datetime, only: Iterable[uuid.UUID] | None = None) -> None:
    """End what is open on a line that the caller holds (all of it, or those named)."""
    ids = Verification.objects.filter(line=line, ended_at=None).values_list("pk", flat=True) if only is None else only
    for pk in list(ids):
        verification = hold(pk=pk)
        if not end_if_overdue(verification, now=now) and verification.is_open:
            end(verification, state, reason, now=now)
