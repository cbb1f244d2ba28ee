""" "I did not ask for this": ends it, slows that partner for this line, opens a case (mission.md section 4; S9)."""

import json
import uuid
from datetime import timedelta

import pytest

from ansim.lib.problem import Refused
from pushes.models import Message
from tests import make
from tests.desk import Staff
from tests.verification import callers, hours
from tests.verification.crowd import at_once
from tests.verification.test_flow import sms_number
from verification import flow, not_me, unlocking
from verification.models import Case, Verification, WebhookDelivery

pytestmark = pytest.mark.django_db(transaction=True)
PATIENT = {"line_per_10min": 100, "line_per_day": 100}


@pytest.fixture
def mina():
    return make.Member()


@pytest.fixture
def bookshop():
    return make.partner(limits=PATIENT)


def deny(mina, asked, reason="not_me"):
    return callers.call(mina, "POST", f"/app/v1/verifications/{asked.pk}/deny", {"reason": reason})


def asks(mina, bookshop):
    return make.verification(mina.person, at=bookshop)


def test_it_ends_the_request_and_the_partner_hears_denied(mina, bookshop):
    asked = asks(mina, bookshop)
    answer = deny(mina, asked)
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (200, "denied", "not_me")
    assert WebhookDelivery.objects.get(verification=asked).type == "verification.denied"
    told = Message.objects.filter(device=mina.device, kind="notice")
    assert [message.body["notice"] for message in told] == ["not_me"]


def test_the_partner_is_slowed_for_this_line_ten_minutes_then_an_hour_then_a_day(mina, bookshop):
    for minutes in (10, 60, 24 * 60, 24 * 60):
        deny(mina, asks(mina, bookshop))
        assert asks(mina, bookshop).reason == "line_blocked"
        hours.pass_by(minutes=minutes, seconds=-10)
        assert asks(mina, bookshop).reason == "line_blocked"
        hours.pass_by(seconds=11)
        assert asks(mina, bookshop).state == "awaiting_app"


def test_nobody_else_is_slowed_and_the_partner_is_not_slowed_elsewhere(mina, bookshop):
    deny(mina, asks(mina, bookshop))
    assert asks(mina, make.partner()).state == "awaiting_app"
    assert asks(make.Member(), bookshop).state == "awaiting_app"


def test_a_release_waits_while_its_partner_is_slowed(mina, bookshop):
    deny(mina, asks(mina, bookshop))
    hours.pass_by(minutes=9)
    mina.release(bookshop)
    assert asks(mina, bookshop).reason == "line_blocked"
    hours.pass_by(minutes=2)
    assert asks(mina, bookshop).released


def test_to_think_better_of_it_slows_nobody_and_opens_no_case(mina, bookshop):
    answer = deny(mina, asks(mina, bookshop), "cancel")
    assert answer.json() == {"state": "cancelled", "reason": "cancelled_by_customer"}
    assert asks(mina, bookshop).state == "awaiting_app"
    assert not Case.objects.exists()


def test_the_case_holds_what_happened_and_not_who_it_is(mina, bookshop):
    asked = asks(mina, bookshop)
    Verification.objects.filter(pk=asked.pk).update(region="서울")
    deny(mina, asked)
    case = Case.objects.get()
    assert (case.line, case.partner, case.verification_id) == (mina.line, bookshop, asked.pk)
    facts = case.facts
    assert (facts["site"]["domain"], facts["purpose"], facts["region"]) == ("bookshop.example", "login", "서울")
    assert (facts["match_number"], facts["requests_within_a_day"], facts["phone"]["model"]) == (
        asked.match_number, 1, "SM-S921N",
    )  # fmt: skip
    assert set(facts["risk"]) == {
        "sim_changed_at", "device_changed_at", "number_changed_at", "protection_ended_at",
    }  # fmt: skip
    said = json.dumps(facts, ensure_ascii=False)
    for personal in (mina.person.name, mina.person.phone, mina.person.phone[-8:], mina.person.birthdate):
        assert personal not in said


def test_at_the_desk_the_case_is_read_in_words(mina, bookshop, at_the_desk):
    deny(mina, asks(mina, bookshop))
    page = Staff("supervisor").come_in().get(f"/admin/verification/case/{Case.objects.get().pk}/change/")
    said = page.content.decode()
    assert "번호가 간 길: 앱" in said
    assert [name for name in Case.objects.get().facts if f"{name}:" in said] == []


def test_the_third_within_a_day_offers_to_stop_all(mina):
    shops = [make.partner(limits=PATIENT) for _ in range(4)]
    offered = [deny(mina, asks(mina, shop)).json()["offer_stop_all"] for shop in shops[:3]]
    assert offered == [False, False, True]
    hours.pass_by(hours=25)
    assert not deny(mina, asks(mina, shops[3])).json()["offer_stop_all"]


def test_the_answer_says_until_when(mina, bookshop):
    answer = deny(mina, asks(mina, bookshop)).json()
    case = Case.objects.get()
    assert case.slowed_until - case.opened_at == timedelta(minutes=10)
    assert answer["slowed_until"].endswith("Z")


def test_a_partner_that_asks_at_the_instant_of_the_report_is_slowed_or_came_before_it():
    bookshop = make.partner(limits=PATIENT)
    for _ in range(5):
        mina = make.Member()
        asked = asks(mina, bookshop)
        _, newer = at_once(
            lambda who=mina, one=asked: outcome(lambda: unlocking.deny(one.pk, device=who.device, reason="not_me")),
            lambda who=mina: asks(who, bookshop),
        )
        asked.refresh_from_db()
        newer.refresh_from_db()
        came_first = asked.state == "cancelled"  # superseded before it could be denied
        assert came_first or newer.reason == "line_blocked"


def outcome(deed):
    try:
        return deed()
    except Refused as refusal:
        return refusal


# --- From the owner's pages -------------------------------------------------------------------------------------------


def test_what_has_ended_can_be_reported_and_slows_as_well(mina, bookshop):
    asked = asks(mina, bookshop)
    flow.confirm(code=mina.number(asked), pk=asked.pk)
    reported = not_me.report(asked.pk, line=mina.line)
    asked.refresh_from_db()
    assert (asked.state, reported.slowed_until) == ("verified", Case.objects.get().slowed_until)
    assert asks(mina, bookshop).reason == "line_blocked"


def test_what_is_open_ends_by_the_report_also_when_it_is_another(mina, bookshop):
    first = asks(mina, bookshop)
    unlocking.deny(first.pk, device=mina.device, reason="cancel")
    second = asks(mina, bookshop)
    not_me.report(first.pk, line=mina.line)
    second.refresh_from_db()
    assert (second.state, second.reason) == ("failed", "line_blocked")
    third = asks(mina, make.partner())
    not_me.report(third.pk, line=mina.line)
    third.refresh_from_db()
    assert (third.state, third.reason) == ("denied", "not_me")


def test_said_twice_it_counts_once(mina, bookshop):
    asked = asks(mina, bookshop)
    deny(mina, asked)
    at_once(*[lambda: not_me.report(asked.pk, line=mina.line)] * 3)
    assert Case.objects.count() == 1
    assert Case.objects.get().slowed_until - Case.objects.get().opened_at == timedelta(minutes=10)


def test_nobody_reports_anothers_request(mina, bookshop):
    asked = asks(mina, bookshop)
    for pk, line in ((asked.pk, make.Member().line), (uuid.uuid4(), mina.line)):
        with pytest.raises(Refused, match="not_found"):
            not_me.report(pk, line=line)
    assert not Case.objects.exists()


def test_a_released_request_can_be_denied_in_the_app_and_not_unlocked(mina, bookshop):
    mina.release(bookshop)
    asked = asks(mina, bookshop)
    number = sms_number(asked)
    assert callers.unlock(mina, asked.pk).status_code == 404
    assert deny(mina, asked).json()["state"] == "denied"
    assert flow.confirm(code=number, pk=asked.pk).refusal.code == "closed"


def test_a_request_by_sms_before_joining_cannot_be_denied_in_the_app(bookshop):
    somebody = make.person()
    asked = make.verification(somebody, at=bookshop)
    assert deny(make.Member(), asked).status_code == 404
    assert asked.channel == "sms"
