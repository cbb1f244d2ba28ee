"""What a month costs (mission.md section 6): the days, the won, and what each day is because of. Sums without rows."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansim.lib.birth import KOREA
from subscriptions import billing
from subscriptions.billing import Price, State
from subscriptions.timeline import Event, Membership, course

FEE = [Price(date(2000, 1, 1), 1100)]
SEPTEMBER, OCTOBER, FEBRUARY = date(2026, 9, 1), date(2026, 10, 1), date(2026, 2, 1)
LONG_AGO = (2025, 3, 1)


def at(year, month, day, hour=12, minute=0, second=0):
    """A time in Seoul."""
    return datetime(year, month, day, hour, minute, second, tzinfo=KOREA)


def member(joined, *events, cancelled=None):
    """member((2026, 9, 16), ("suspended", (2026, 9, 20))): the ids of the events are e1, e2 …"""
    told = [Event(at(*when), f"e{number}", kind) for number, (kind, when) in enumerate(events, 1)]
    ended = at(*cancelled) if cancelled else None
    return course(Membership(at(*joined), ended, "customer" if ended else ""), told)


def account(month, *courses, prices=FEE, free=True):
    return billing.account(courses, month, prices, free_same_day=free)


def days(account):
    return [day.on.day for day in account.charged]


# --- The examples of the contract -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "course", "service_days", "won"),
    [
        (SEPTEMBER, member((2026, 9, 16)), 15, 550),
        (OCTOBER, member(LONG_AGO, ("suspended", (2026, 10, 10))), 10, 354),
        (FEBRUARY, member((2026, 2, 28)), 1, 39),
        (SEPTEMBER, member(LONG_AGO, ("suspended", (2026, 9, 10)), ("resumed", (2026, 9, 20))), 21, 770),
        (SEPTEMBER, member(LONG_AGO), 30, 1100),
        (OCTOBER, member(LONG_AGO), 31, 1100),
        (FEBRUARY, member(LONG_AGO), 28, 1100),
    ],
    ids=["joined 16th of 30", "suspended 10th of 31", "joined 28th of 28", "10th to 20th", "30", "31", "28"],
)
def test_the_examples(month, course, service_days, won):
    found = account(month, course)

    assert (len(found.charged), found.amount) == (service_days, won)


def test_who_cancels_and_joins_again_on_one_day_does_not_pay_it_twice():
    left = member(LONG_AGO, cancelled=(2026, 9, 10, 9))
    back = member((2026, 9, 10, 15))

    found = account(SEPTEMBER, left, back)

    assert (len(found.charged), found.amount) == (30, 1100)
    assert found.days[9].because == ("joined", "cancelled")
    assert account(SEPTEMBER, back, left) == found


# --- Which days count -------------------------------------------------------------------------------------------------


def test_who_joins_and_leaves_on_one_day_pays_nothing_unless_the_setting_says_so():
    day = member((2026, 9, 10, 9), cancelled=(2026, 9, 10, 18))

    assert (days(account(SEPTEMBER, day)), account(SEPTEMBER, day).amount) == ([], 0)
    assert account(SEPTEMBER, day).days[9].because == ("joined", "cancelled")
    assert (days(account(SEPTEMBER, day, free=False)), account(SEPTEMBER, day, free=False).amount) == ([10], 36)


def test_a_day_in_seoul_is_what_counts():
    almost = member((2026, 8, 31, 23, 59, 59))
    just = member((2026, 9, 1, 0, 0, 0))

    assert len(account(date(2026, 8, 1), almost).charged) == 1
    assert len(account(date(2026, 8, 1), just).charged) == 0
    assert len(account(SEPTEMBER, almost).charged) == len(account(SEPTEMBER, just).charged) == 30
    utc = course(Membership(datetime(2026, 8, 31, 15, 0, tzinfo=UTC)), [])
    assert account(SEPTEMBER, utc) == account(SEPTEMBER, just)


def test_two_days_that_are_one_night_apart_are_two_days():
    night = member((2026, 9, 10, 23, 59), cancelled=(2026, 9, 11, 0, 1))

    assert days(account(SEPTEMBER, night)) == [10, 11]


def test_cancelled_while_suspended_costs_nothing_that_day():
    found = account(SEPTEMBER, member(LONG_AGO, ("suspended", (2026, 9, 10)), cancelled=(2026, 9, 15)))

    assert days(found) == list(range(1, 11))
    assert found.days[14].state is State.SUSPENDED
    assert found.days[14].because == ("e1", "cancelled")


def test_suspended_and_resumed_on_one_day_is_a_day_of_service():
    found = account(SEPTEMBER, member(LONG_AGO, ("suspended", (2026, 9, 10, 9)), ("resumed", (2026, 9, 10, 18))))

    assert found.amount == 1100
    assert found.days[9].because == ("joined", "e1", "e2")


def test_resumed_for_an_instant_counts_that_day():
    flicker = member(LONG_AGO, ("suspended", (2026, 9, 10)), ("resumed", (2026, 9, 20)), ("suspended", (2026, 9, 20)))

    assert days(account(SEPTEMBER, flicker)) == [*range(1, 11), 20]


def test_a_month_before_the_joining_and_after_the_end_is_free():
    left = member((2026, 9, 16), cancelled=(2026, 10, 3))

    assert account(date(2026, 8, 1), left).amount == account(date(2026, 11, 1), left).amount == 0
    assert not account(date(2026, 11, 1), left).used
    assert days(account(OCTOBER, left)) == [1, 2, 3]


def test_suspended_all_month_is_free_but_part_of_the_course():
    found = account(SEPTEMBER, member(LONG_AGO, ("suspended", (2026, 8, 10))))

    assert (found.amount, found.charged, found.used) == (0, (), True)
    assert {day.because for day in found.days} == {("e1",)}


def test_what_ends_the_service_is_what_the_days_after_it_are_free_because_of():
    found = account(SEPTEMBER, member(LONG_AGO, ("ported_out", (2026, 9, 10))))

    assert found.days[8].because == ("joined",)
    assert found.days[9].because == ("joined", "e1")
    assert (found.days[10].state, found.days[10].because) == (State.NONE, ("e1",))
    assert account(OCTOBER, member(LONG_AGO, ("ported_out", (2026, 9, 10)))).days[0].because == ("e1",)


def test_days_after_a_second_end_are_free_because_of_that_one():
    first = member(LONG_AGO, cancelled=(2026, 9, 5))
    second = member((2026, 9, 8), ("ported_out", (2026, 9, 10)))

    found = account(SEPTEMBER, first, second)

    assert [found.days[day].because for day in (5, 10)] == [("cancelled",), ("e1",)]


def test_every_charged_day_says_why():
    found = account(SEPTEMBER, member((2026, 9, 5), ("suspended", (2026, 9, 10)), ("resumed", (2026, 9, 20))))

    assert found.days[4].because == ("joined",)
    assert found.days[9].because == ("joined", "e1")
    assert found.days[19].because == ("e2",)
    assert all(day.because for day in found.charged)


# --- Prices -----------------------------------------------------------------------------------------------------------


def test_each_day_costs_what_the_price_of_that_day_says_and_the_month_is_floored_once():
    prices = [*FEE, Price(date(2026, 9, 11), 2200)]

    assert account(SEPTEMBER, member(LONG_AGO), prices=prices).amount == (10 * 1100 + 20 * 2200) // 30 == 1833
    assert account(date(2026, 8, 1), member(LONG_AGO), prices=prices).amount == 1100
    assert account(OCTOBER, member(LONG_AGO), prices=list(reversed(prices))).amount == 2200


def test_before_the_first_price_nothing_costs():
    assert account(date(1999, 12, 1), member((1999, 12, 1))).amount == 0


# --- Runs -------------------------------------------------------------------------------------------------------------


def test_days_in_a_row_are_put_together():
    found = account(SEPTEMBER, member((2026, 9, 5), ("suspended", (2026, 9, 10)), ("resumed", (2026, 9, 20))))

    runs = [(run.first.day, run.last.day, run.state.name, run.because) for run in billing.runs(found.days)]

    assert runs == [
        (1, 4, "NONE", ()),
        (5, 9, "ACTIVE", ("joined",)),
        (10, 10, "ACTIVE", ("joined", "e1")),
        (11, 19, "SUSPENDED", ("e1",)),
        (20, 30, "ACTIVE", ("e2",)),
    ]
    gap = list(billing.runs(day for day in found.days if day.on.day not in (7, 8)))
    assert [(run.first.day, run.last.day) for run in gap][1:3] == [(5, 6), (9, 9)]


@pytest.mark.parametrize("given", ["2026-13", "2026-1", "2026-10-01", "1899-01", "２０２６-10", ""])
def test_what_is_no_month(given):
    with pytest.raises(ValueError, match="month"):
        billing.month(given)


# --- For any course ---------------------------------------------------------------------------------------------------

moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 30)).map(lambda naive: naive.replace(tzinfo=KOREA))  # noqa: DTZ001
kinds = st.sampled_from(["suspended", "resumed", "suspended", "resumed", "sim_changed", "terminated"])
events = st.lists(st.tuples(moments, kinds), max_size=8).map(
    lambda told: [Event(when, f"e{number}", kind) for number, (when, kind) in enumerate(told)]
)
months = st.sampled_from([date(2026, month, 1) for month in range(1, 8)])


@st.composite
def memberships(draw):
    joined, stays = draw(moments), draw(st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=120))))
    return Membership(joined) if stays is None else Membership(joined, joined + stays, "customer")


@given(st.lists(memberships(), min_size=1, max_size=3), events, months, st.booleans())
def test_no_month_costs_less_than_nothing_or_more_than_the_fee(facts, told, month, free):
    found = account(month, *[course(one, told) for one in facts], free=free)

    assert 0 <= found.amount <= 1100
    assert (found.amount == 1100) == (len(found.charged) == len(found.days))
    assert found.amount == 1100 * len(found.charged) // len(found.days)
    assert all(day.because for day in found.charged)


@given(st.lists(memberships(), min_size=1, max_size=3), events, months, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(facts, told, month, chance: random.Random):
    mixed, shuffled = list(facts), [*told, *told[:2]]  # some come twice
    chance.shuffle(mixed)
    chance.shuffle(shuffled)

    found = account(month, *[course(one, told) for one in facts])
    again = account(month, *[course(one, shuffled) for one in mixed])

    assert (again.amount, days(again)) == (found.amount, days(found))


@given(memberships(), events, st.booleans())
def test_service_days_are_those_that_an_active_span_touches(facts, told, free):
    """The same by a slower road: every day asked one by one."""
    one = course(facts, told)
    begins, ends = one.spans[0].began_at, one.ended_at
    one_day = free and ends is not None and begins.astimezone(KOREA).date() == ends.astimezone(KOREA).date()
    for month in (date(2026, number, 1) for number in range(1, 8)):
        expected = set() if one_day else {
            day.on for day in account(month, one).days
            for span in one.spans
            if span.active and _touches(span, day.on)
        }  # fmt: skip
        assert {day.on for day in account(month, one, free=free).charged} == expected


def _touches(span, day):
    midnight = datetime(day.year, day.month, day.day, tzinfo=KOREA)
    began = span.began_at < midnight + timedelta(days=1)
    return began and (span.ended_at is None or span.ended_at >= midnight)
