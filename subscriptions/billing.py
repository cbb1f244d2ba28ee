"""What a month of service costs, and why (mission.md section 6). Pure: courses and prices in, days and won out.

Days are calendar days in Asia/Seoul. Whole won, integers only, floored once for the month.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from itertools import groupby

from ansim.lib.birth import KOREA
from subscriptions.timeline import Course, Span

DAY = timedelta(days=1)


class State(IntEnum):
    """What a day was. Of several on one day the greatest counts: a day with an instant of service is a service day."""

    NONE = 0
    SUSPENDED = 1
    ACTIVE = 2


@dataclass(frozen=True)
class Price:
    """The monthly fee from a day on."""

    starts_on: date
    won: int


@dataclass(frozen=True)
class Day:
    """`because`: "joined", "cancelled" or ids of carrier events, in the order of their time.

    What made it a day of service (or of suspension), and what ended that on this very day. For a day without service:
    what ended it, or nothing before the joining.
    """

    on: date
    state: State
    because: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """Days in a row with the same state because of the same."""

    first: date
    last: date
    state: State
    because: tuple[str, ...]

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Account:
    """A month of one line, from scratch."""

    days: tuple[Day, ...]
    amount: int

    @property
    def charged(self) -> tuple[Day, ...]:
        """The service days: those that cost something."""
        return tuple(day for day in self.days if day.state is State.ACTIVE)

    @property
    def used(self) -> bool:
        """Whether there was service or a suspension: something that a bill can tell of."""
        return any(day.state for day in self.days)

    @property
    def bits(self) -> int:
        """The service days; bit 0 is the first of the month."""
        return sum(1 << day.on.day - 1 for day in self.charged)


@dataclass(frozen=True)
class _Stretch:
    """A span as days of one month: what lies outside is cut off."""

    state: State
    first: date
    last: date
    because: tuple[str, ...]
    at_last: str | None = None
    """What ended it on its last day; None where it goes on beyond the month."""


def account(courses: Iterable[Course], month: date, prices: Sequence[Price], *, free_same_day: bool) -> Account:
    """The charge of the month that begins on `month`, over all subscriptions of a contract, each day counted once.

    Service days are those on which the service was active at some instant or an active span ended. What lasts is
    taken to go on to the end of the month. `free_same_day`: who joins and leaves on one day pays nothing for it.
    """
    stretches = tuple(
        stretch
        for course in sorted(courses, key=lambda course: course.spans[0].began_at)
        for stretch in _stretches(course, month, free_same_day)
    )
    return _account(stretches, month, tuple(prices))


def month(given: str) -> date:
    """`2026-10` as its first day. ValueError for anything else."""
    if not re.fullmatch(r"(19|20|21)\d\d-(0[1-9]|1[0-2])", given, re.ASCII):
        raise ValueError("a month as 2026-10")
    return date(int(given[:4]), int(given[5:]), 1)


def last_day(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])


def next_month(month: date) -> date:
    return last_day(month) + DAY


def month_before(month: date) -> date:
    return (month - DAY).replace(day=1)


def month_of(at: datetime) -> date:
    """The first day of the month in which that was, in Seoul."""
    return seoul_day(at).replace(day=1)


def seoul_day(at: datetime) -> date:
    return at.astimezone(KOREA).date()


def price_on(day: date, prices: Iterable[Price]) -> int:
    """Won a month; 0 before the first price."""
    begun = [price for price in prices if price.starts_on <= day]
    return max(begun, key=lambda price: price.starts_on).won if begun else 0


def runs(days: Iterable[Day]) -> Iterator[Run]:
    """The days put together: where the state or its cause changes, or a day is missing, another run begins."""
    numbered = enumerate(days)
    alike = groupby(numbered, key=lambda pair: (pair[1].on - DAY * pair[0], pair[1].state, pair[1].because))
    for (_, state, because), group in alike:
        of_run = [day for _, day in group]
        yield Run(of_run[0].on, of_run[-1].on, state, because)


@lru_cache(maxsize=4096)
def _account(stretches: tuple[_Stretch, ...], month: date, prices: tuple[Price, ...]) -> Account:
    """Cached, because nearly everybody's month is one of a few: all of it, or from some day on."""
    length = last_day(month).day
    days = tuple(_day(month + DAY * number, stretches) for number in range(length))
    won = sum(price_on(day.on, prices) for day in days if day.state is State.ACTIVE)
    return Account(days, won // length)


def _day(on: date, stretches: Iterable[_Stretch]) -> Day:
    covering = [stretch for stretch in stretches if stretch.first <= on <= stretch.last]
    state = max((stretch.state for stretch in covering), default=State.NONE)
    causes: list[str] = []
    for stretch in covering:
        if stretch.state is state:
            if state is State.NONE:
                causes.clear()  # only the latest end tells why there is no service
            causes += stretch.because
            if stretch.at_last and stretch.last == on:
                causes.append(stretch.at_last)
    return Day(on, state, tuple(dict.fromkeys(causes)))


def _stretches(course: Course, month: date, free_same_day: bool) -> Iterator[_Stretch]:
    end = last_day(month)
    first, last = course.spans[0], course.spans[-1]
    if last.ended_at is not None:
        ended_on = seoul_day(last.ended_at)
        if free_same_day and seoul_day(first.began_at) == ended_on:
            causes = (first.because, last.ended_because or "")
            yield from _cut(_Stretch(State.NONE, ended_on, end, causes), month, end)
            return
        yield from _cut(_Stretch(State.NONE, ended_on, end, (last.ended_because or "",)), month, end)
    for span in course.spans:
        yield from _cut(_whole(span, end), month, end)


def _whole(span: Span, end: date) -> _Stretch:
    state = State.ACTIVE if span.active else State.SUSPENDED
    last = end if span.ended_at is None else seoul_day(span.ended_at)
    return _Stretch(state, seoul_day(span.began_at), last, (span.because,), span.ended_because)


def _cut(stretch: _Stretch, month: date, end: date) -> Iterator[_Stretch]:
    if stretch.first > end or stretch.last < month:
        return
    beyond = stretch.last > end
    yield _Stretch(
        stretch.state,
        max(stretch.first, month),
        min(stretch.last, end),
        stretch.because,
        None if beyond else stretch.at_last,
    )
