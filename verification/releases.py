"""The life of a temporary release, on a line that the caller holds (mission.md S11, section 4; invariant 1).

Opened by the owner (`controls.release`), used up by one request in the transaction that owes the SMS, over by time
without anybody's doing. Whatever changes about the line, its phone or its lock ends it.
"""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ansim.lib.problem import Refused
from pushes.models import Device, Message
from verification import owner_notices
from verification.lines import Standing
from verification.models import Line, Partner, Release, Verification

End = Release.End
SHOWN = timedelta(days=1)  # how long the app is shown one that was used


def begin(line: Line, partner: Partner, *, minutes: int) -> Release:
    """For the partner's next request within so many minutes; one that lives for it already gives way."""
    now = timezone.now()
    _end(line, Release.objects.filter(partner=partner), by=End.RENEWED)
    release = Release.objects.create(
        line=line, partner=partner, created_at=now, expires_at=now + timedelta(minutes=minutes)
    )
    line.read_again()
    owner_notices.tell(line, "release_started")
    return release


def use(standing: Standing, verification: Verification, *, now: datetime) -> list[Message]:
    """This verification goes by SMS: one alone, by a conditional update, whoever else asks at this instant.

    Returns the notices that are owed with the SMS; none when there is no release (any more), and then it goes by app.
    """
    if standing.release is None:
        return []
    live = Release.objects.live(now=now).filter(line=standing.line, partner=verification.partner_id)
    if not live.filter(pk=standing.release).update(used_at=now, used_by=verification.pk):
        return []
    phone = Device(pk=standing.line.device_id, platform=standing.platform or "")
    return owner_notices.owed(standing.line, "release_used", phone=phone)


def end_all(line: Line, *, by: Release.End = End.CHANGED) -> None:
    """Nothing of this line goes by SMS any more; the phone it has still is told."""
    _end(line, Release.objects.all(), by=by)


def withdraw(release: uuid.UUID, *, line: Line) -> None:
    """The owner ends it: one press, because it turns protection up. Refused: `not_found`, `wrong_state` (used)."""
    with transaction.atomic():
        held = Line.objects.select_for_update(of=("self",)).select_related("device").get(pk=line.pk)
        found = listed(held).filter(pk=release).first()
        if found is None:
            raise Refused("not_found")
        if found.used_by_id:
            raise Refused("wrong_state")
        _end(held, Release.objects.filter(pk=found.pk), by=End.OWNER)


def end_overdue(line_id: uuid.UUID) -> None:
    """The clock's part: it was over by time; now the owner is told."""
    with transaction.atomic():
        line = Line.objects.select_for_update(of=("self",)).select_related("device").get(pk=line_id)
        _end(line, Release.objects.over(now=timezone.now()), by=End.TIME)


def listed(line: Line) -> QuerySet[Release]:
    """What the owner is shown, newest first: what lives, and what was used within a day."""
    now = timezone.now()
    alive, used = Q(used_by=None, ended_at=None, expires_at__gt=now), Q(used_at__gt=now - SHOWN)
    return Release.objects.filter(alive | used, line=line).order_by("-created_at")


def _end(line: Line, which: QuerySet[Release], *, by: Release.End) -> None:
    now = timezone.now()
    ended = 0
    for release in which.filter(line=line, used_by=None, ended_at=None):
        over = release.expires_at <= now
        release.ended_at, release.ended_by = (release.expires_at, End.TIME) if over else (now, by)
        release.save(update_fields=["ended_at", "ended_by"])
        ended += 1
    if ended:
        line.read_again()
        owner_notices.tell(line, "release_ended")
