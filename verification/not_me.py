""" "I did not ask for this" (mission.md section 4): slows that partner for this line and opens a case at the desk.

In the app it ends a request (`unlocking.deny`); on the owner's pages it is said of any request of the line (`report`).
How long a partner is slowed is decided by time at the ask: its requests are `line_blocked` for 10 minutes, after the
next report for an hour, then for a day.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from ansim.lib.problem import Refused
from ansim.lib.times import instant
from ansim.models import Agent
from verification import owner_notices
from verification.ending import end, end_if_overdue, end_open, hold
from verification.models import Case, Line, Verification
from verification.states import State

STEPS = (timedelta(minutes=10), timedelta(hours=1), timedelta(days=1))
DAY = timedelta(days=1)
OFFER = 3  # reports within a day, after which stop-all is offered


@dataclass(frozen=True)
class Reported:
    """What came of it. `offer_stop_all`: it was the third within a day."""

    case: Case
    slowed_until: datetime
    offer_stop_all: bool


def take_down(verification: Verification, line: Line, *, now: datetime) -> Reported:
    """For a line and a verification that the caller holds, before the verification ends. Said twice: counts once."""
    case = Case.objects.filter(kind=Case.Kind.NOT_ME, verification=verification).first()
    if case is None:
        former = Case.objects.filter(kind=Case.Kind.NOT_ME, line=line, partner=verification.partner).count()
        case = Case.objects.create(
            kind=Case.Kind.NOT_ME, line=line, partner=verification.partner, verification=verification, opened_at=now,
            slowed_until=now + STEPS[min(former, len(STEPS) - 1)], facts=facts_of(verification, line, now=now),
        )  # fmt: skip
        line.read_again()
        owner_notices.tell(line, "not_me")
    return Reported(case, case.slowed_until, is_stop_all_offered(line))


def is_stop_all_offered(line: Line) -> bool:
    """After three reports within a day somebody is trying hard (mission.md section 4)."""
    since = timezone.now() - DAY
    return Case.objects.filter(kind=Case.Kind.NOT_ME, line=line, opened_at__gt=since).count() >= OFFER


def report(verification_id: uuid.UUID, *, line: Line) -> Reported:
    """From the owner's own pages, one press: also of what has ended. What is open of that partner ends.

    Refused: `not_found` for what is no request of this line.
    """
    with transaction.atomic():
        now = timezone.now()
        try:
            verification = hold(verification_id, line_id=line.pk)
        except Verification.DoesNotExist as error:
            raise Refused("not_found") from error
        held = verification.line
        if held is None:
            raise Refused("not_found")
        end_if_overdue(verification, now=now)
        reported = take_down(verification, held, now=now)
        if verification.is_open:
            end(verification, State.DENIED, "not_me", now=now)
        others = Verification.objects.filter(line=held, partner=verification.partner, ended_at=None)
        end_open(held, State.FAILED, "line_blocked", now=now, only=others.values_list("pk", flat=True))
        return reported


def close(case_id: uuid.UUID, *, line: Line, by: Agent, note: str) -> None:
    """The desk is done with it, on a line that the caller holds. Refused: `wrong_state` for one that is closed."""
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id, line=line, closed_at=None).first()
    if case is None:
        raise Refused("wrong_state")
    case.closed_at, case.closed_by, case.note = timezone.now(), by, note
    case.save(update_fields=["closed_at", "closed_by", "note"])


def facts_of(verification: Verification, line: Line, *, now: datetime) -> dict[str, Any]:
    """All that the desk needs to see what happened, and nothing that says who the customer is."""
    lately = Verification.objects.filter(line=line, matched_at__gt=now - DAY)
    held = verification.holder or {}
    device = line.device
    return {
        "site": verification.site,
        "purpose": verification.purpose,
        "region": verification.region,
        "channel": verification.channel,
        "released": verification.released,
        "match_number": verification.match_number,
        "created_at": instant(verification.created_at),
        "opened_at": instant(verification.opened_at),
        "ended_at": instant(verification.ended_at),
        "state": verification.state,
        "reason": verification.reason,
        "tries_left": verification.tries_left,
        "risk": held.get("risk"),
        "phone": {"model": device.model, "registered_at": instant(device.registered_at)} if device else None,
        "requests_within_a_day": lately.count(),
        "of_this_partner": lately.filter(partner=verification.partner).count(),
    }
