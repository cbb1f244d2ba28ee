"""The conversion breaker: SMS that nobody completes are somebody's income (SMS pumping), so their sender is slowed."""

import logging
from datetime import datetime, timedelta

from django.db.models import Count, F, Q
from django.utils import timezone

from ansim.lib.times import APART
from verification.models import Partner, Verification
from verification.states import Channel, State

log = logging.getLogger(__name__)
LOOKS_BACK = timedelta(hours=1)
SLOWED_FOR = timedelta(hours=1)
ENOUGH_LINES = 200  # different lines; fewer prove nothing
COMPLETED_AT_LEAST = 10  # per cent of what was sent by SMS and has ended


def trip(*, now: datetime | None = None) -> list[str]:
    """Slow whoever sent SMS to many lines in the last hour and had hardly any typed in; returns their ids.

    The desk is told by the log's alarm and by `Partner.slowed_until` in its list. It ends by itself.
    """
    now = now or timezone.now()
    by_sms = Verification.objects.filter(channel=Channel.SMS, ended_at__gt=now - LOOKS_BACK)
    counted = by_sms.values("partner").annotate(
        lines=Count("line", distinct=True), sent=Count("pk"), completed=Count("pk", filter=Q(state=State.VERIFIED))
    )
    suspects = counted.filter(lines__gte=ENOUGH_LINES, completed__lt=F("sent") * COMPLETED_AT_LEAST / 100)
    ids = [str(row["partner"]) for row in suspects]
    newly = Partner.objects.filter(pk__in=ids).exclude(slowed_until__gt=now)
    for partner in newly:
        log.error("partner_slowed", extra={"partner": str(partner.pk), "until": (now + SLOWED_FOR).isoformat()})
    newly.update(slowed_until=now + SLOWED_FOR)
    Partner.objects.filter(slowed_until__gt=now + SLOWED_FOR + APART).update(slowed_until=None)  # by a wrong clock
    return ids
