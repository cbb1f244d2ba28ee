"""The app again (mission.md S5, invariant 6): lost, removed, or on another phone of the same line.

It takes the identity and the SIM (`verification.letters`) and the old app password; without the password a reset that
the call centre took down a day ago and that nobody stopped. The phone registered so far is told each time.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ansim.lib.problem import Refused
from subscriptions import pending
from subscriptions.enrolment import Joined
from subscriptions.models import PendingChange, Subscription
from verification import letters, protection, registration
from verification.models import Line


class Way(StrEnum):
    """What stands between the owner and an activation code, after the letters."""

    PASSWORD = "password"  # noqa: S105 - the name of a way, not a password
    RESET = "reset"  # the day is over: nothing more is asked
    WAITING = "waiting"  # a reset is taken down, its day is not over
    LOCKED = "locked"
    CALL_CENTRE = "call_centre"  # there never was a password


@dataclass(frozen=True)
class Standing:
    """Where somebody stands whose letters were right. `reset_at`: from when on a reset that waits may be used."""

    way: Way
    line: Line
    reset_at: datetime | None = None


def standing(letters_id: uuid.UUID) -> Standing | None:
    """None for letters that are not confirmed, used or too old, and when the service has ended."""
    found = letters.confirmed(letters_id)
    if found is None or found.line is None or found.line.protection == Line.Protection.OFF:
        return None
    return _standing(found.line, _resets(found.line).first())


def _standing(line: Line, reset: PendingChange | None) -> Standing:
    if reset and reset.due_at <= timezone.now():
        return Standing(Way.RESET, line)
    closed = Way.LOCKED if line.wrong_passwords >= settings.PASSWORD_TRIES else Way.CALL_CENTRE
    if line.password and closed is not Way.LOCKED:
        return Standing(Way.PASSWORD, line, reset.due_at if reset else None)
    return Standing(Way.WAITING if reset else closed, line, reset.due_at if reset else None)


def _resets(line: Line) -> QuerySet[PendingChange]:
    open_now = PendingChange.objects.filter(~pending.UNAPPROVED, kind=PendingChange.Kind.RESET, **pending.OPEN)
    mine = open_now.filter(subscription__line=line, subscription__state=Subscription.State.ACTIVE)
    return mine.filter(due_at__gt=timezone.now() - pending.RESET_LIFE)


def issue(letters_id: uuid.UUID, *, password: str) -> Joined | Refused:
    """An activation code for the owner, once for these letters; it uses up a reset that is due. The old phone is told.

    Returned, because a wrong try must be written: `wrong_password` with `tries_left`, `locked`, `wrong_state` (no way
    but the call centre), `closed` (letters used or too old, service ended).
    """
    found = letters.confirmed(letters_id)
    if found is None or found.line is None:
        return Refused("closed")
    with transaction.atomic():
        line = protection.hold(found.line.contract)
        subscription = line.subscriptions.filter(state=Subscription.State.ACTIVE).first()
        if subscription is None or letters.confirmed(letters_id) is None:  # two at once with the same: one has them
            return Refused("closed")
        refusal = _allowed(line, password)
        if refusal:
            return refusal
        letters.use(letters_id)
        code = registration.issue_activation(line)
        registration.tell(line, "re_registration")
        return Joined(subscription, line, code)


def _allowed(line: Line, password: str) -> Refused | None:
    reset = _resets(line).select_for_update(of=("self",)).first()
    way = _standing(line, reset).way
    if way is Way.RESET and reset:
        reset.done_at = timezone.now()
        reset.save(update_fields=["done_at"])
        return None
    if way is Way.PASSWORD:
        refusal = registration.try_password(line, password, now=timezone.now())
        if refusal is None:
            line.save(update_fields=["wrong_passwords"])
        return refusal
    return Refused("locked" if line.password else "wrong_state")
