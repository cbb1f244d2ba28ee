"""How a partner's verifications went: by day and by end. Counts alone, of nobody in particular."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from verification.models import Partner, Verification
from verification.states import State

DAYS = 14


@dataclass(frozen=True)
class Day:
    """Of what began that day (Asia/Seoul): how many, how many have ended, how many of these verified."""

    on: date
    begun: int = 0
    ended: int = 0
    verified: int = 0

    @property
    def rate(self) -> int | None:
        """Whole per cent of those that ended, rounded down so that 100 means all; None where none has ended."""
        return self.verified * 100 // self.ended if self.ended else None


@dataclass(frozen=True)
class End:
    state: str
    reason: str | None
    count: int


@dataclass(frozen=True)
class Figures:
    days: Sequence[Day]
    """DAYS of them, the oldest first, also those without any."""
    ends: Sequence[End]
    """The most frequent first."""

    @property
    def all(self) -> Day:
        """The days together, dated as the last one."""
        return Day(
            self.days[-1].on, sum(day.begun for day in self.days), sum(day.ended for day in self.days),
            sum(day.verified for day in self.days),
        )  # fmt: skip


def of(partner: Partner, *, livemode: bool, now: datetime) -> Figures:
    """Of the last DAYS days with today; test and real ones are never mixed."""
    today = timezone.localdate(now)
    first = today - timedelta(days=DAYS - 1)
    since = timezone.make_aware(datetime.combine(first, time.min))
    began = Verification.objects.filter(partner=partner, livemode=livemode, created_at__gte=since).order_by()
    by_day = began.annotate(on=TruncDate("created_at")).values("on").annotate(
        begun=Count("pk"), over=Count("ended_at"), verified=Count("pk", filter=Q(state=State.VERIFIED))
    )  # fmt: skip
    found = {row["on"]: Day(row["on"], row["begun"], row["over"], row["verified"]) for row in by_day}
    days = [found.get(on, Day(on)) for on in (first + timedelta(days=n) for n in range(DAYS))]
    over = began.filter(ended_at__isnull=False).values("state", "reason").annotate(count=Count("pk"))
    ends = [End(**row) for row in over.order_by("-count", "state", "reason")]
    return Figures(days, ends)
