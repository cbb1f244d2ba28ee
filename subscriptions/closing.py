"""The month close (mission.md section 6): what every line is charged, and what puts right the months closed before.

It goes through the lines by their ids, some hundred in a transaction, and each line's month is closed once: its own
charge and its adjustments stand or fall together. So a close that was killed goes on where it was, and a second one
changes nothing. What the carrier is told is owed in the same transactions (`charges` posts it).
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import connection, transaction

from ansim.lib import birth
from subscriptions import billing, lifecycle, metrics
from subscriptions.billing import Account
from subscriptions.models import Charge, ClosedMonth, Posting, Price, Subscription, Unsettled
from subscriptions.timeline import Course

LINES = 500  # in one transaction: about 0.1 s, for which who changes one of these lines waits
A_POST = 1000  # charges in one request to the carrier
ONE_AT_A_TIME = 0x616E7369  # the advisory lock of all closes

# Lines with service in the month, and lines with new facts that were charged before; not those closed already.
WAITING = """
SELECT id FROM (
    (SELECT DISTINCT s.line_id AS id FROM subscriptions_subscription s
      WHERE s.line_id > %(after)s AND s.joined_at < %(end)s AND (s.ended_at IS NULL OR s.ended_at >= %(begin)s)
        AND NOT EXISTS (SELECT FROM subscriptions_charge c
                         WHERE c.line_id = s.line_id AND c.line_id > %(after)s AND c.month = %(month)s
                           AND c.adjusts IS NULL)
      ORDER BY s.line_id LIMIT %(most)s)
    UNION
    (SELECT u.line_id FROM subscriptions_unsettled u
      WHERE u.line_id > %(after)s
        AND EXISTS (SELECT FROM subscriptions_charge c WHERE c.line_id = u.line_id)
        AND NOT EXISTS (SELECT FROM subscriptions_charge c
                         WHERE c.line_id = u.line_id AND c.month = %(month)s AND c.adjusts IS NULL)
      ORDER BY u.line_id LIMIT %(most)s)
) AS waiting ORDER BY id LIMIT %(most)s
"""
# Who changes facts holds the line (`protection.hold`), or at least its mark: both come before the facts are read.
HOLD = "SELECT id, contract_fingerprint FROM verification_line WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


class NotOver(Exception):
    """The month is not over in Seoul."""


@dataclass
class Closed:
    """What one close did; of a month that was closed before, nothing. Amounts in won."""

    month: date
    lines: int = 0
    charges: int = 0
    adjustments: int = 0
    amount: int = 0
    finished: bool = True


def close(month: date, *, seconds: float | None = None, progress: Callable[[int], None] = lambda lines: None) -> Closed:
    """Close the month that begins on `month`; after `seconds` the rest is left for the next call. Raises NotOver.

    `progress` hears how many lines were done since it last heard.
    """
    if billing.next_month(month) > birth.today():
        raise NotOver(month)
    done, prices, after = Closed(month), price_list(), uuid.UUID(int=0)
    ends = time.monotonic() + seconds if seconds else None
    while waiting := _waiting(month, after, most=LINES):
        if ends and time.monotonic() > ends:
            done.finished = False
            return done
        with transaction.atomic():
            _close_lines(waiting, done, prices)
        metrics.CLOSED_LINES.inc(len(waiting))
        after = waiting[-1]
        progress(len(waiting))
    ClosedMonth.objects.get_or_create(month=month)
    return done


def price_list() -> list[billing.Price]:
    return [billing.Price(row.starts_on, row.won) for row in Price.objects.order_by("starts_on")]


def left(month: date) -> int:
    """How many lines the close of that month still has to look at."""
    return len(_waiting(month, uuid.UUID(int=0), most=None))


def account(courses: Iterable[Course], month: date, prices: Sequence[billing.Price]) -> Account:
    """The month from scratch, by this system's settings."""
    return billing.account(courses, month, prices, free_same_day=settings.FREE_SAME_DAY)


def courses_of(line_ids: Iterable[uuid.UUID], contracts: dict[uuid.UUID, str]) -> dict[uuid.UUID, list[Course]]:
    """The courses of all subscriptions of these lines; `contracts` are the fingerprints of their contracts."""
    events = lifecycle.events_by_contract(contracts.values())
    courses: defaultdict[uuid.UUID, list[Course]] = defaultdict(list)
    for subscription in Subscription.objects.filter(line_id__in=line_ids).defer("holder"):
        course = lifecycle.course_of(subscription, events[contracts[subscription.line_id]])
        courses[subscription.line_id].append(course)
    return courses


def adjustment(charges: Sequence[Charge], present: Account) -> Charge | None:
    """What puts a month right for which these `charges` were made, its own first. None when it is right.

    The row is not complete: line, month and posting are the caller's.
    """
    amount = present.amount - sum(charge.amount for charge in charges)
    if not amount:
        return None
    before = 0
    for charge in charges:
        before ^= charge.day_bits
    changed = present.bits ^ before
    causes = (cause for day in present.days if changed >> day.on.day - 1 & 1 for cause in day.because)
    return Charge(
        adjusts=present.days[0].on,
        amount=amount,
        days=len(present.charged) - sum(charge.days for charge in charges),
        day_bits=changed,
        because=list(dict.fromkeys(causes)),
    )


def _waiting(month: date, after: uuid.UUID, *, most: int | None) -> list[uuid.UUID]:
    begin, end = _midnight(month), _midnight(billing.next_month(month))
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"month": month, "begin": begin, "end": end, "after": after, "most": most})
        return [row[0] for row in cursor.fetchall()]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=birth.KOREA)


def _close_lines(waiting: list[uuid.UUID], done: Closed, prices: list[billing.Price]) -> None:
    month = done.month
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        cursor.execute(HOLD, [waiting])
        contracts = dict(cursor.fetchall())
    for line_id in Charge.objects.filter(line_id__in=waiting, month=month, adjusts=None).values_list(
        "line_id", flat=True
    ):
        del contracts[line_id]  # another close was here a moment ago
    marks = Unsettled.objects.select_for_update().filter(line_id__in=contracts).order_by("line_id")
    marked = set(marks.values_list("line_id", flat=True))
    courses = courses_of(contracts, contracts)
    former = _former(marked)
    charges: list[Charge] = []
    for line_id in contracts:
        made = _adjustments(former[line_id], courses[line_id], done, prices)
        own = account(courses[line_id], month, prices)
        if made or own.used:
            made.insert(0, Charge(month=month, amount=own.amount, days=len(own.charged), day_bits=own.bits))
        for charge in made:
            charge.line_id = line_id
        charges += made
    _write(charges, done)
    Unsettled.objects.filter(line_id__in=marked).delete()
    done.lines += len(contracts)


def _former(lines: set[uuid.UUID]) -> defaultdict[uuid.UUID, dict[date, list[Charge]]]:
    """The charges of these lines, by line and by the month that they are for."""
    former: defaultdict[uuid.UUID, dict[date, list[Charge]]] = defaultdict(dict)
    for charge in Charge.objects.filter(line_id__in=lines).order_by("made_at"):
        former[charge.line_id].setdefault(charge.adjusts or charge.month, []).append(charge)
    return former


def _adjustments(
    former: dict[date, list[Charge]], courses: list[Course], done: Closed, prices: list[billing.Price]
) -> list[Charge]:
    made = []
    for month in sorted(former):
        row = adjustment(former[month], account(courses, month, prices))
        if row:
            row.month = done.month
            made.append(row)
    return made


def _write(charges: list[Charge], done: Closed) -> None:
    """Charges and what is owed to the carrier with them; 0 won are not posted."""
    posted = [charge for charge in charges if charge.amount]
    postings = [Posting(month=done.month) for _ in range(0, len(posted), A_POST)]
    for number, charge in enumerate(posted):
        charge.posting = postings[number // A_POST]
    Posting.objects.bulk_create(postings)
    Charge.objects.bulk_create(charges)
    done.charges += sum(charge.adjusts is None for charge in posted)
    done.adjustments += sum(charge.adjusts is not None for charge in posted)
    done.amount += sum(charge.amount for charge in posted)
