"""Every verification that was asked of a line, as its owner may see it on the web: all of it, also the unopened ones.

(The twenty of S9 are the app's.) Newest first by the line's own serial, which an index holds.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from subscriptions.billing import next_month
from verification.models import Line, Verification
from verification.states import OPEN, State

PAGE = 20
EXPORTED_AT_ONCE = 500

RESULTS: dict[str, Q] = {
    "verified": Q(state=State.VERIFIED),
    "wrong_number": Q(state=State.FAILED, reason="too_many_wrong_codes"),
    "too_late": Q(state=State.EXPIRED),
    "denied": Q(state=State.DENIED),
    "given_up": Q(state=State.CANCELLED),
    "stopped": Q(state=State.FAILED) & ~Q(reason="too_many_wrong_codes"),
    "open": Q(state__in=OPEN),
}


def result_of(verification: Verification) -> str:
    """Which of RESULTS it is."""
    if verification.state == State.FAILED:
        return "wrong_number" if verification.reason == "too_many_wrong_codes" else "stopped"
    found = {
        State.VERIFIED: "verified", State.EXPIRED: "too_late", State.DENIED: "denied", State.CANCELLED: "given_up",
    }  # fmt: skip
    return found.get(State(verification.state), "open")


@dataclass(frozen=True)
class Wanted:
    """What the owner looks for: of one partner, with one result, in one month (its first day; Asia/Seoul)."""

    partner: uuid.UUID | None = None
    result: str = ""
    month: date | None = None

    def of(self, rows: QuerySet[Verification]) -> QuerySet[Verification]:
        if self.partner:
            rows = rows.filter(partner_id=self.partner)
        if self.result:
            rows = rows.filter(RESULTS[self.result])
        if self.month:
            rows = rows.filter(created_at__gte=_start(self.month), created_at__lt=_start(next_month(self.month)))
        return rows


@dataclass(frozen=True)
class Page:
    """Some rows, and `older`: the serial to go on from, None at the end."""

    rows: list[Verification]
    older: int | None


def of(line: Line) -> QuerySet[Verification]:
    """All of the present owner's, also from before they joined."""
    rows = Verification.objects.filter(line=line).order_by("-line_serial")
    return rows.filter(matched_at__gte=line.owner_since) if line.owner_since else rows


def page(line: Line, wanted: Wanted, *, before: int | None = None, size: int = PAGE) -> Page:
    rows = wanted.of(of(line))
    if before is not None:
        rows = rows.filter(line_serial__lt=before)
    found = list(rows.defer("holder", "receipt", "first_answer")[: size + 1])
    return Page(found[:size], found[size - 1].line_serial if len(found) > size else None)


def one(line: Line, verification_id: uuid.UUID) -> Verification | None:
    """None for what is not on this line, or from before this owner."""
    return of(line).select_related("partner").filter(pk=verification_id).first()


def partners(line: Line) -> list[tuple[uuid.UUID, str]]:
    """Who ever asked, by name."""
    return list(of(line).order_by("partner__name").values_list("partner_id", "partner__name").distinct())


def months(line: Line) -> list[date]:
    """The months that may hold something, the newest first."""
    first = of(line).order_by().aggregate(first=Min("created_at"))["first"]
    found, month = [], timezone.localdate().replace(day=1)
    while first and next_month(month) > timezone.localdate(first):
        found.append(month)
        month = (month - timedelta(days=1)).replace(day=1)
    return found


def exported(line: Line, wanted: Wanted) -> Iterator[Verification]:
    """All that was looked for, however many, in flat memory."""
    rows = wanted.of(of(line)).defer("holder", "receipt", "first_answer")
    return rows.iterator(chunk_size=EXPORTED_AT_ONCE)


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
