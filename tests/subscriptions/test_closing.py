"""The month close (mission.md section 6, api.md section 3): each won once, whatever is late, repeated or killed."""

import random
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from ansim.lib.birth import today
from subscriptions import billing, charges, closing, statements
from subscriptions.models import Charge, ClosedMonth, Posting, Price, Unsettled
from tests.subscriptions import bookkeeping as books
from tests.subscriptions.bookkeeping import NOVEMBER, OCTOBER, SEPTEMBER
from tests.verification.crowd import at_once


@pytest.fixture(autouse=True)
def _price(request):
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("_django_db_helper")
        books.first_price()


@pytest.fixture
def told(world):
    """What the carrier accepted of a line: [(month, adjusts, amount, days, posts)], oldest first."""

    def told(line):
        accepted = [row for row in world.get("/world/charges").json() if row["contract"] == line.contract]
        return [(row["month"], row["adjusts"], row["amount"], row["days"], row["posts"]) for row in reversed(accepted)]

    return told


def charged(line):
    """[(month, adjusts, amount, days)], as they were made."""
    rows = line.charges.order_by("made_at", "adjusts")
    return [(row.month, row.adjusts, row.amount, row.days) for row in rows]


def post():
    return charges.post_owed(seconds=30, at_once=True)


# --- Closing ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_line_with_service_is_charged_and_the_carrier_is_told_once(told):
    mina, jisu, gone = books.member(2025, 9, 16), books.member(2025, 1, 1), books.member(2025, 1, 1)
    books.leave(gone, 2025, 8, 31, 23, 59)

    done = closing.close(SEPTEMBER)

    assert (done.charges, done.adjustments, done.amount, done.finished) == (2, 0, 1650, True)
    assert charged(mina) == [(SEPTEMBER, None, 550, 15)]
    assert charged(jisu) == [(SEPTEMBER, None, 1100, 30)]
    assert charged(gone) == []
    assert charges.owed() == 2
    assert post()
    assert told(mina) == [("2025-09", None, 550, 15, 1)]
    assert told(jisu) == [("2025-09", None, 1100, 30, 1)]
    assert charges.owed() == 0


@pytest.mark.django_db
def test_a_month_closed_twice_is_closed_once(told):
    mina = books.member(2025, 9, 16)
    closing.close(SEPTEMBER)
    post()
    books.report(mina, "suspended", 2025, 9, 20)  # late, and still nothing for the month that was closed

    again = closing.close(SEPTEMBER)
    post()

    assert (again.charges, again.adjustments) == (0, 0)
    assert charged(mina) == [(SEPTEMBER, None, 550, 15)]
    assert told(mina) == [("2025-09", None, 550, 15, 1)]


@pytest.mark.django_db
def test_a_month_that_is_not_over_is_not_closed():
    books.member(2025, 9, 16)
    this_month = today().replace(day=1)

    for month in (this_month, billing.next_month(this_month)):
        with pytest.raises(closing.NotOver):
            closing.close(month)

    assert not Charge.objects.exists()
    assert closing.close((this_month - timedelta(days=1)).replace(day=1)).charges == 1


@pytest.mark.django_db
def test_months_are_closed_in_any_order():
    mina = books.member(2025, 9, 16)

    for month in (NOVEMBER, SEPTEMBER, OCTOBER):
        closing.close(month)

    assert sorted(row[0:3:2] for row in charged(mina)) == [(SEPTEMBER, 550), (OCTOBER, 1100), (NOVEMBER, 1100)]


@pytest.mark.django_db
def test_a_month_of_suspension_costs_nothing_and_the_carrier_is_not_told(told):
    mina = books.member(2025, 9, 16)
    books.report(mina, "suspended", 2025, 9, 20)

    done = closing.close(OCTOBER)
    post()

    assert (done.charges, done.amount) == (0, 0)
    assert charged(mina) == [(OCTOBER, None, 0, 0)]
    assert told(mina) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("free", "amount"), [(True, 0), (False, 36)])
def test_who_joins_and_leaves_on_one_day_is_not_charged_by_default(settings, free, amount):
    settings.FREE_SAME_DAY = free
    line = books.member(2025, 9, 16, 9)
    books.leave(line, 2025, 9, 16, 18)

    assert closing.close(SEPTEMBER).amount == amount


@pytest.mark.django_db
def test_cancelled_and_joined_again_on_one_day_is_one_charge():
    mina = books.member(2025, 9, 1)
    books.leave(mina, 2025, 9, 10, 9)
    books.join(mina, 2025, 9, 10, 15)

    closing.close(SEPTEMBER)

    assert charged(mina) == [(SEPTEMBER, None, 1100, 30)]


@pytest.mark.django_db
def test_a_line_that_joined_unseen_is_charged_when_its_month_is_closed_again():
    closing.close(SEPTEMBER)
    late = books.member(2025, 9, 16)

    assert closing.close(SEPTEMBER).charges == 1
    assert closing.close(SEPTEMBER).charges == 0
    assert charged(late) == [(SEPTEMBER, None, 550, 15)]


# --- Late events ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_late_event_is_put_right_with_the_next_close_in_every_month_it_touches(told):
    mina, jisu = books.member(2025, 1, 1), books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    closing.close(OCTOBER)
    event = books.report(mina, "suspended", 2025, 9, 10)

    done = closing.close(NOVEMBER)
    post()

    assert (done.charges, done.adjustments) == (1, 2)
    assert charged(mina)[2:] == [
        (NOVEMBER, None, 0, 0),
        (NOVEMBER, SEPTEMBER, 366 - 1100, -20),
        (NOVEMBER, OCTOBER, -1100, -31),
    ]
    assert [row.because for row in mina.charges.filter(adjusts__isnull=False)] == [[event], [event]]
    assert sorted(told(mina)[2:]) == [("2025-11", "2025-09", -734, -20, 1), ("2025-11", "2025-10", -1100, -31, 1)]
    assert charged(jisu)[2:] == [(NOVEMBER, None, 1100, 30)]
    assert not Unsettled.objects.exists()


@pytest.mark.django_db
def test_what_was_put_right_wrongly_is_put_right_again():
    mina = books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    books.report(mina, "suspended", 2025, 9, 10)
    closing.close(OCTOBER)
    resumed = books.report(mina, "resumed", 2025, 9, 20)

    closing.close(NOVEMBER)

    assert [row for row in charged(mina) if SEPTEMBER in row] == [
        (SEPTEMBER, None, 1100, 30),
        (OCTOBER, SEPTEMBER, -734, -20),
        (NOVEMBER, SEPTEMBER, 404, 11),
    ]
    assert mina.charges.get(month=NOVEMBER, adjusts=SEPTEMBER).because == [resumed]


@pytest.mark.django_db
def test_a_late_end_after_which_there_is_no_service_any_more_is_put_right():
    mina = books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    event = books.report(mina, "ported_out", 2025, 9, 10)

    assert closing.close(NOVEMBER).adjustments == 1
    assert closing.close(NOVEMBER).adjustments == 0

    assert charged(mina) == [(SEPTEMBER, None, 1100, 30), (NOVEMBER, None, 0, 0), (NOVEMBER, SEPTEMBER, -734, -20)]
    assert mina.charges.get(adjusts=SEPTEMBER).because == [event]


@pytest.mark.django_db
def test_a_cancellation_that_took_effect_before_it_was_written_is_put_right():
    mina = books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    books.leave(mina, 2025, 9, 10)

    closing.close(OCTOBER)

    assert mina.charges.get(adjusts=SEPTEMBER).because == ["cancelled"]


@pytest.mark.django_db
def test_a_late_event_without_consequence_makes_no_adjustment():
    mina = books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    books.report(mina, "suspended", 2025, 9, 30)

    assert closing.close(OCTOBER).adjustments == 0
    assert not Unsettled.objects.exists()


@pytest.mark.django_db
def test_a_statement_says_at_once_what_the_next_close_will_put_right():
    mina = books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    event = books.report(mina, "suspended", 2025, 9, 10)

    before = statements.of(mina, SEPTEMBER)
    closing.close(OCTOBER)
    after = statements.of(mina, SEPTEMBER)

    assert (before.amount, before.total, after.amount, after.total) == (1100, 366, 1100, 366)
    assert [(row.amount, row.days, row.because, row.posting) for row in before.adjustments] == [
        (-734, -20, [event], None)
    ]
    assert [(row.amount, row.days, row.because) for row in after.adjustments] == [(-734, -20, [event])]
    assert after.adjustments[0].posting


days = st.dates(date(2025, 5, 1), date(2025, 10, 31))
deeds = st.one_of(
    st.tuples(st.sampled_from(["suspended", "resumed", "suspended", "resumed", "ported_out"]), days),
    st.tuples(st.just("close"), days),
)


@pytest.mark.django_db
@how(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days, st.lists(deeds, max_size=10), st.randoms(use_true_random=False))
def test_charges_and_adjustments_sum_up_to_the_charge_from_scratch(joined, told, chance: random.Random):
    line = books.member(joined.year, joined.month, joined.day)
    for what, on in told:
        if what == "close":
            closing.close(on.replace(day=1))
        else:
            books.report(line, what, on.year, on.month, on.day, chance.randrange(24))
    closing.close(NOVEMBER)  # the next close after the last event

    prices, courses = closing.price_list(), statements.courses(line)
    for month in {row.month for row in line.charges.filter(adjusts=None)}:
        rows = [row for row in line.charges.all() if (row.adjusts or row.month) == month]
        scratch = closing.account(courses, month, prices)
        if closing.adjustment(sorted(rows, key=lambda row: row.adjusts is not None), scratch):
            assert NOVEMBER in {on.replace(day=1) for what, on in told if what == "close"}
        assert sum(row.amount for row in rows) == scratch.amount == statements.of(line, month).total
        assert sum(row.days for row in rows) == len(scratch.charged)


# --- Killed, and many at once -----------------------------------------------------------------------------------------


class Killed(BaseException):
    """Nobody catches it, as nobody catches a SIGKILL."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_close_that_was_killed_goes_on_where_it_was(monkeypatch, after):
    monkeypatch.setattr(closing, "LINES", 1)
    lines = [books.member(2025, 9, day) for day in (16, 16, 16, 16)]
    seen = []

    def dies(lines):
        seen.append(lines)
        if len(seen) == after:
            raise Killed

    with pytest.raises(Killed):
        closing.close(SEPTEMBER, progress=dies)
    assert Charge.objects.count() == after
    assert not ClosedMonth.objects.exists()
    assert closing.left(SEPTEMBER) == 4 - after

    assert closing.close(SEPTEMBER).charges == 4 - after
    assert [charged(line) for line in lines] == [[(SEPTEMBER, None, 550, 15)]] * 4
    assert ClosedMonth.objects.get().month == SEPTEMBER


@pytest.mark.django_db
def test_what_is_killed_within_a_step_leaves_nothing_of_it(monkeypatch):
    mina = books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    books.report(mina, "suspended", 2025, 9, 10)

    def dies(*_, **__):
        raise Killed

    monkeypatch.setattr(Charge.objects, "bulk_create", dies)
    with pytest.raises(Killed), transaction.atomic():
        closing.close(OCTOBER)
    assert (Charge.objects.count(), Posting.objects.count(), Unsettled.objects.count()) == (1, 1, 1)

    monkeypatch.undo()
    assert closing.close(OCTOBER).adjustments == 1


@pytest.mark.django_db
def test_a_close_with_little_time_leaves_the_rest_to_the_next(monkeypatch):
    monkeypatch.setattr(closing, "LINES", 1)
    for _ in range(3):
        books.member(2025, 9, 16)

    assert not closing.close(SEPTEMBER, seconds=1e-9).finished
    assert not ClosedMonth.objects.exists()
    assert closing.close(SEPTEMBER, seconds=60).finished


@pytest.mark.django_db(transaction=True)
def test_closes_at_the_same_time_charge_everybody_once(monkeypatch):
    monkeypatch.setattr(closing, "LINES", 2)
    lines = [books.member(2025, 9, 16) for _ in range(7)]

    came = at_once(*[lambda: closing.close(SEPTEMBER)] * 3)

    assert sum(done.charges for done in came) == 7
    assert [charged(line) for line in lines] == [[(SEPTEMBER, None, 550, 15)]] * 7
    assert Posting.objects.filter(charges=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_event_during_the_close_is_either_in_it_or_put_right_by_the_next():
    lines = [books.member(2025, 9, 1) for _ in range(12)]

    at_once(
        lambda: closing.close(SEPTEMBER),
        *[lambda line=line: books.report(line, "suspended", 2025, 9, 10) for line in lines[:4]],
    )
    closing.close(OCTOBER)

    for line in lines[:4]:
        assert sum(row.amount for row in line.charges.all()) == 366
    for line in lines[4:]:
        assert sum(row.amount for row in line.charges.all()) == 2200


# --- Posting ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "posts"), [("error", 2), ("drop", 2)])
def test_what_the_carrier_did_not_answer_is_posted_again_and_counts_once(told, fail, mode, posts):
    mina = books.member(2025, 9, 16)
    closing.close(SEPTEMBER)
    fail("carrier", mode, 1)

    assert not post()
    assert charges.owed() == 1
    posting = Posting.objects.get()
    assert (posting.tries, posting.held_until, posting.accepted_at) == (1, None, None)
    assert timedelta(0) < posting.due_at - timezone.now() <= timedelta(seconds=5)
    assert charges.post_owed(seconds=5)  # nothing is due yet: the carrier is left alone
    assert charges.owed() == 1

    Posting.objects.update(due_at=timezone.now())
    assert charges.post_owed(seconds=5)
    assert told(mina) == [("2025-09", None, 550, 15, posts)]
    assert charges.owed() == 0


@pytest.mark.django_db
def test_who_died_while_posting_gives_it_back_after_a_while(told):
    mina = books.member(2025, 9, 16)
    closing.close(SEPTEMBER)
    held = charges._claim(at_once=True)

    assert charges._claim(at_once=True) is None
    Posting.objects.filter(pk=held.pk).update(held_until=timezone.now() - timedelta(seconds=1))

    assert post()
    assert told(mina) == [("2025-09", None, 550, 15, 1)]


@pytest.mark.django_db
def test_a_great_close_is_posted_in_portions_with_a_key_each(monkeypatch, told):
    monkeypatch.setattr(closing, "A_POST", 2)
    lines = [books.member(2025, 9, 16) for _ in range(5)]
    closing.close(SEPTEMBER)

    heard = []
    assert charges.post_owed(seconds=30, progress=heard.append)

    assert sorted(heard) == [1, 2, 2]
    assert [told(line) for line in lines] == [[("2025-09", None, 550, 15, 1)]] * 5


@pytest.mark.django_db
def test_a_carrier_that_is_away_is_asked_once_and_not_for_every_portion(monkeypatch, fail):
    monkeypatch.setattr(closing, "A_POST", 1)
    for _ in range(4):
        books.member(2025, 9, 16)
    closing.close(SEPTEMBER)
    fail("carrier", "error")

    assert not post()

    assert sorted(Posting.objects.values_list("tries", flat=True)) == [0, 0, 0, 1]


# --- The database keeps what was said ---------------------------------------------------------------------------------


def refused():
    return pytest.raises(IntegrityError, match="never changed")


@pytest.mark.django_db
def test_a_charge_is_never_changed():
    books.member(2025, 9, 16)
    closing.close(SEPTEMBER)

    with refused(), transaction.atomic():
        Charge.objects.update(amount=1)
    with refused(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM subscriptions_charge")
    assert Charge.objects.get().amount == 550


@pytest.mark.django_db
def test_a_line_is_charged_for_a_month_once_whoever_writes():
    mina = books.member(2025, 9, 16)
    closing.close(SEPTEMBER)
    own = Charge.objects.get()

    with pytest.raises(IntegrityError, match="charge_once_a_month"), transaction.atomic():
        Charge.objects.create(line=mina, month=SEPTEMBER, amount=550, days=15, posting=own.posting)
    with pytest.raises(IntegrityError, match="charge_of_won_is_posted"), transaction.atomic():
        Charge.objects.create(line=mina, month=OCTOBER, amount=550, days=15)
    with pytest.raises(IntegrityError, match="charge_adjusts_another"), transaction.atomic():
        Charge.objects.create(line=mina, month=OCTOBER, adjusts=OCTOBER, amount=5, days=1, posting=own.posting)


@pytest.mark.django_db
def test_a_price_that_began_is_never_changed_and_none_is_put_before_today():
    tomorrow = today() + timedelta(days=1)

    for change in (
        lambda: Price.objects.update(won=2200),
        lambda: Price.objects.update(starts_on=tomorrow),
        lambda: Price.objects.get().delete(),
        lambda: Price.objects.create(starts_on=date(2025, 9, 1), won=2200),
        lambda: Price.objects.create(starts_on=today(), won=2200),
    ):
        with refused(), transaction.atomic():
            change()

    planned = Price.objects.create(starts_on=tomorrow, won=2200)
    Price.objects.filter(pk=planned.pk).update(won=3300)
    planned.delete()
    assert [(row.starts_on, row.won) for row in Price.objects.all()] == [(date(2000, 1, 1), 1100)]
