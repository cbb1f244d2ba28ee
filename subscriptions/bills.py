"""A bill that explains itself (issue 5.5): each won with its days, and each day with what it is because of.

`templates/parts/bill.html` shows one `Bill`, the same on "my page", at the desk and on paper; `static/css/bill.css` is
its sheet. Everything here is in the reader's language.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.utils import dateformat
from django.utils.translation import gettext as _

from ansim.lib import birth
from subscriptions import billing, statements
from subscriptions.bill_words import Causes, days, formula, span, state_word, won
from subscriptions.billing import Day, State
from subscriptions.models import Charge
from subscriptions.statements import Statement
from verification.models import Line

SIGNS = {State.ACTIVE: "●", State.SUSPENDED: "○", State.NONE: "·"}


@dataclass(frozen=True)
class Listed:
    """One line of the list of months. `month` is the first day; `amount` in won, with all adjustments.

    `closed` False: an estimate, as if the service went on as it stands until the month is over.
    """

    month: date
    amount: int
    closed: bool
    title: str
    """`2026년 11월`."""
    standing: str
    """`확정` or `예상`."""


@dataclass(frozen=True)
class Cell:
    """A day of the calendar. `state` is "active", "suspended" or "none"; `ahead`: it is yet to come."""

    on: date
    state: str
    sign: str
    words: str
    ahead: bool


@dataclass(frozen=True)
class Row:
    """Days in a row with the same state: `11월 1일~10일`, `보호`, `10일`, and why."""

    span: str
    state: str
    word: str
    days: str
    why: str


@dataclass(frozen=True)
class Adjustment:
    """What puts a closed month right. `when`: with which month's bill it goes."""

    amount: str
    days: str
    why: str
    when: str


@dataclass(frozen=True)
class Bill:
    """One month of one line, for a page. Amounts in won; `total` is what the month costs with all adjustments."""

    month: date
    closed: bool
    amount: int
    total: int
    total_words: str
    standing: str
    """`확정` or `예상`."""
    sentence: str
    month_words: str
    weekdays: Sequence[str]
    weeks: Sequence[Sequence[Cell | None]]
    """From Sunday on; None outside the month."""
    ahead: bool
    """Whether some of its days are yet to come."""
    rows: Sequence[Row]
    formula: str
    first: str
    """What was charged when the month was closed, where adjustments followed; else empty."""
    adjustments: Sequence[Adjustment]


def of(line: Line, month: date, holder_fingerprint: str | None = None) -> Bill:
    """The bill of the month that begins on `month`; never refused: a month without service is a bill of 0 won.

    With `holder_fingerprint` only what that person's own subscriptions of the line cost: a contract may have had
    another owner before, whose days nobody else is shown.
    """
    found = statements.of(line, month, holder_fingerprint)
    causes = Causes.of(found.courses, found.events)
    standing = _("확정") if found.closed else _("예상")
    return Bill(
        month=month,
        closed=found.closed,
        amount=found.amount,
        total=found.total,
        total_words=won(found.total),
        standing=standing,
        sentence=_sentence(found),
        month_words=_month(month),
        weekdays=_("일 월 화 수 목 금 토").split(),
        weeks=list(_weeks(found.present.days)),
        ahead=found.present.days[-1].on > birth.today(),
        rows=[_row(list(group), causes) for _state, group in groupby(found.present.days, key=lambda day: day.state)],
        formula=formula(found.present, found.prices),
        first=_first(found),
        adjustments=[_adjustment(row, causes) for row in found.adjustments],
    )


def months(line: Line, holder_fingerprint: str | None = None) -> list[Listed]:
    """Every month from the first joining to the present or to the last end of service, newest first."""
    listed = statements.every_month(line, until=birth.today(), holder_fingerprint=holder_fingerprint)
    return [
        Listed(one.month, one.total, one.closed, _month(one.month), _("확정") if one.closed else _("예상"))
        for one in listed
    ]


def _month(month: date) -> str:
    return _("%(year)d년 %(month)s") % {"year": month.year, "month": dateformat.format(month, "F")}


def _sentence(found: Statement) -> str:
    served, length = len(found.present.charged), len(found.present.days)
    said = {"days": served, "length": length}
    if not served:
        return _("이 달에는 보호한 날이 없어요.")
    if billing.last_day(found.month) >= birth.today():
        return _("지금처럼 쓰면 %(length)d일 가운데 %(days)d일치 요금이에요.") % said
    return _("%(length)d일 가운데 %(days)d일 동안 보호했어요.") % said


def _weeks(days_of_month: Sequence[Day]) -> Iterator[list[Cell | None]]:
    before: list[Cell | None] = [None] * (days_of_month[0].on.isoweekday() % 7)
    cells = [*before, *map(_cell, days_of_month)]
    for begin in range(0, len(cells), 7):
        week = cells[begin : begin + 7]
        yield week + [None] * (7 - len(week))


def _cell(day: Day) -> Cell:
    ahead = day.on > birth.today()
    word = state_word(day.state)
    words = _("%(state)s 예정") % {"state": word} if ahead and day.state else word
    return Cell(day.on, day.state.name.lower(), SIGNS[day.state], words, ahead)


def _row(run: Sequence[Day], causes: Causes) -> Row:
    first, last = run[0], run[-1]
    return Row(
        span=span(first.on, last.on),
        state=first.state.name.lower(),
        word=state_word(first.state),
        days=days(len(run)),
        why=causes.of_run(run),
    )


def _first(found: Statement) -> str:
    if not found.own or not found.adjustments:
        return ""
    return _("처음 확정한 요금은 %(won)s(%(days)s)이었어요.") % {
        "won": won(found.own.amount),
        "days": days(found.own.days),
    }


def _adjustment(row: Charge, causes: Causes) -> Adjustment:
    when = _("%(month)s 요금과 함께") % {"month": _month(row.month)} if row.posting_id else _("다음 청구 때")
    return Adjustment(won(row.amount, signed=True), days(row.days, signed=True), causes.listed(row.because), when)
