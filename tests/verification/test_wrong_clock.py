"""The clock of the whole host was wrong, or was set back: what it dated ends nobody's protection, holds up nobody and
is not open for ever (docs/adr/0034). `pass_by` with less than nothing sets the clock back.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pushes import outbox
from pushes.models import Message
from tests import make
from tests.verification import callers
from tests.verification.callers import Partner
from tests.verification.hours import pass_by
from tests.verification.test_flow import sms_number
from verification import breaker, clock, flow, releases, webhook_outbox
from verification.models import Line, Mismatch, Release, Verification, WebhookDelivery

pytestmark = pytest.mark.django_db
BACK = [{"hours": -1}, {"days": -40}]


@pytest.fixture
def shop():
    return Partner(webhook_url="https://bookshop.example/hook")


def begun(shop, person=None):
    asked = Verification.objects.get(pk=shop.create(person or make.person()).json()["id"])
    return asked, sms_number(asked)


@pytest.mark.parametrize("back", BACK, ids=str)
def test_set_back_what_is_open_ends_at_the_next_tick(shop, back):
    asked, _ = begun(shop)
    pass_by(**back)

    clock.expire_overdue()

    asked.refresh_from_db()
    assert asked.state in ("expired", "failed")  # failed: there is no worker here that sends


@pytest.mark.parametrize("back", BACK, ids=str)
def test_set_back_an_old_number_is_worth_nothing_even_before_the_tick(shop, back):
    asked, number = begun(shop)
    pass_by(**back)

    assert shop.confirm(asked.pk, number).status_code == 409


def test_partners_with_longer_times_of_their_own_keep_them_and_the_clock_holds_none_of_theirs():
    shop = Partner(limits={"code_ttl": 3600})
    asked = [begun(shop)[0] for _ in range(3)]

    with CaptureQueriesContext(connection) as statements:
        clock.expire_overdue()

    assert not [one for one in statements if "FOR UPDATE" in one["sql"]]
    assert {Verification.objects.get(pk=one.pk).state for one in asked} == {"awaiting_code"}
    pass_by(days=-40)
    clock.expire_overdue()
    assert not Verification.objects.filter(ended_at=None).exists()


def test_clocks_that_differ_by_seconds_end_nothing(shop):
    asked, number = begun(shop)
    pass_by(seconds=-50)

    clock.expire_overdue()

    assert shop.confirm(asked.pk, number).json()["state"] == "verified"


def test_the_longer_time_that_a_partner_has_is_not_taken_for_a_wrong_clock():
    shop = Partner(limits={"code_ttl": 3_000})
    asked, number = begun(shop)

    clock.expire_overdue()

    assert shop.confirm(asked.pk, number).json()["state"] == "verified"


@pytest.mark.parametrize("back", BACK, ids=str)
def test_a_release_of_a_time_to_come_never_comes_to_life(back):
    mina, shop = make.Member(), Partner()
    callers.call(mina, "POST", "/app/v1/releases",
                 {"password": make.PASSWORD, "partner_id": str(shop.row.pk), "minutes": 10})  # fmt: skip
    assert Release.objects.live(now=timezone.now()).count() == 1
    pass_by(**back)

    assert not Release.objects.live(now=timezone.now()).exists()
    assert shop.create(mina.person).json()["channel"] == "app", "protected, and no number by SMS"
    clock.end_releases()
    pass_by(days=40, minutes=5)
    assert not Release.objects.live(now=timezone.now()).exists()
    assert Release.objects.get().ended_by == "time"


def test_nobody_is_blocked_for_forty_days_by_what_a_wrong_clock_counted(shop):
    mina = make.person()
    for _ in range(5):
        begun(shop, mina)
    asked, number = begun(shop)
    for wrong in range(4):
        shop.confirm(asked.pk, f"{(int(number) + 1 + wrong) % 10**6:06}")
    Line.objects.filter(pk=asked.line_id).update(wrong_numbers_at=[timezone.now() + timedelta(days=40)] * 10)
    assert shop.create(mina).json()["reason"] == "line_blocked"
    pass_by(days=-40)

    clock.expire_overdue()
    assert shop.create(mina).json()["state"] == "awaiting_code"


def test_a_report_of_a_time_to_come_does_not_outdate_every_look_up(shop):
    mina = make.person()
    line = begun(shop, mina)[0].line
    Line.objects.filter(pk=line.pk).update(disturbed_at=timezone.now() + timedelta(days=40))
    assert shop.create(mina).json()["state"] == "awaiting_code"
    Line.objects.filter(pk=line.pk).update(disturbed_at=timezone.now() + timedelta(seconds=5))
    assert shop.create(mina).json()["reason"] == "line_changed"


@pytest.mark.parametrize("back", BACK, ids=str)
def test_wrong_numbers_count_on_for_an_hour_whoever_sets_the_clock(shop, back):
    now, line = timezone.now(), Verification.objects.get(pk=begun(shop, mina := make.person())[0].pk).line
    Line.objects.filter(pk=line.pk).update(wrong_numbers_at=[now] * 10)
    assert shop.create(mina).json()["reason"] == "line_blocked"
    pass_by(minutes=-50)
    assert shop.create(mina).json()["reason"] == "line_blocked"
    pass_by(**back)
    assert shop.create(mina).json()["state"] == "awaiting_code"


def test_mismatches_of_a_time_to_come_are_forgotten(shop):
    mina = make.person()
    for _ in range(11):
        shop.create(mina, birthdate="010203")
    assert shop.create(mina).json()["reason"] == "identity_mismatch"
    pass_by(days=-40)

    clock.forget()

    assert not Mismatch.objects.exists()
    assert shop.create(mina).json()["state"] == "awaiting_code"


@pytest.mark.parametrize("back", BACK, ids=str)
def test_a_result_of_a_time_to_come_is_erased(shop, back):
    asked, number = begun(shop)
    assert shop.confirm(asked.pk, number).json()["state"] == "verified"
    pass_by(**back)

    clock.erase_results()

    asked.refresh_from_db()
    assert (asked.state, asked.holder) == ("verified", None)


@pytest.mark.parametrize("back", BACK, ids=str)
def test_what_partners_are_owed_does_not_wait_for_the_day_to_come_again(shop, back):
    asked, number = begun(shop)
    shop.confirm(asked.pk, number)
    pass_by(**back)
    assert webhook_outbox.claim(most=10) == []

    clock.forget()

    assert len(webhook_outbox.claim(most=10)) == WebhookDelivery.objects.count() > 0


@pytest.mark.parametrize(
    ("attempts", "hours", "error", "kept"),
    [(9, 24, "status_500", True), (4, 1.9, "status_500", True), (1, 1, "status_500", False), (1, 1, "", False),
     (1, 1, "status_503", True), (9, 40 * 24, "status_503", False)],
)  # fmt: skip
def test_a_webhook_keeps_the_rung_of_its_ladder_and_waits_for_no_other_day(shop, attempts, hours, error, kept):
    asked, number = begun(shop)
    shop.confirm(asked.pk, number)
    then = timezone.now() + timedelta(hours=hours)
    WebhookDelivery.objects.update(attempts=attempts, due_at=then, last_error=error)

    clock.forget()

    assert (set(WebhookDelivery.objects.values_list("due_at", flat=True)) == {then}) is kept


@pytest.mark.parametrize("back", BACK, ids=str)
def test_what_phones_are_owed_neither_and_its_words_are_not_kept_till_then(back):
    mina, shop = make.Member(), Partner()
    releases.begin(Line.objects.get(device=mina.device), shop.row, minutes=5)  # its owner is told by a notice
    begun(shop)
    pass_by(**back)

    outbox.redate(now=timezone.now())

    now = timezone.now()
    assert not Message.objects.filter(state="owed", due_at__gt=now).exists()
    assert not Message.objects.filter(expires_at__gt=now + Message.LONGEST_LIFE).exists() or back == {"hours": -1}
    assert Message.objects.get(kind="notice").body == {"notice": "release_started"}, "it is still to be sent"


def test_a_partner_slowed_by_a_wrong_clock_is_not_slow_for_forty_days(shop):
    type(shop.row).objects.update(slowed_until=timezone.now() + timedelta(days=40))

    breaker.trip()

    shop.row.refresh_from_db()
    assert shop.row.slowed_until is None


def test_a_clock_set_ahead_verifies_nobody_with_an_old_number(shop):
    asked, number = begun(shop)
    pass_by(days=40)

    assert shop.confirm(asked.pk, number).status_code == 409
    flow.expire(asked.pk)
    pass_by(days=-40)
    assert shop.confirm(asked.pk, number).status_code == 409
