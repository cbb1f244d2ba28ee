"""Temporary release: the one exception to "never by SMS" (mission.md S11, section 4; api.md section 2)."""

import json

import jwt
import pytest
from django.db import transaction
from django.utils import timezone

from ansim.lib.problem import Refused
from pushes.models import Message
from pushes.tasks import drain
from subscriptions import enrolment, leaving, pending
from subscriptions.models import PendingChange, Subscription
from subscriptions.proving import site
from tests import make
from tests.client.phone import PhoneClient
from tests.verification import callers, hours
from tests.verification.crowd import at_once
from tests.verification.test_flow import sms_number
from verification import clock, flow, protection, registration, releases, results
from verification.models import Line, Release, Verification

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mina():
    return make.Member()


@pytest.fixture
def bookshop():
    return make.partner()


def opens(mina, bookshop, **changed):
    body = {"password": make.PASSWORD, "partner_id": str(bookshop.pk), "minutes": 10, **changed}
    return callers.call(mina, "POST", "/app/v1/releases", {name: value for name, value in body.items() if value != ()})


def get(mina, target):
    return callers.call(mina, "GET", target).json()


def ways(*asked):
    return [(one.state, one.channel, one.released) for one in asked]


def notices(device):
    told = Message.objects.filter(device=device, kind="notice").order_by("created_at")
    return [message.body["notice"] for message in told]


BY_APP, BY_SMS = ("awaiting_app", "app", False), ("awaiting_code", "sms", True)


# --- What it does -----------------------------------------------------------------------------------------------------


def test_the_next_request_of_that_partner_goes_by_sms_and_the_one_after_by_app(mina, bookshop):
    made = opens(mina, bookshop)
    assert (made.status_code, set(made.json())) == (201, {"id", "partner_id", "expires_at", "used_at"})
    assert (made.json()["partner_id"], made.json()["used_at"]) == (str(bookshop.pk), None)

    first = make.verification(mina.person, at=bookshop)
    assert ways(first) == [BY_SMS]
    assert flow.confirm(code=sms_number(first), pk=first.pk).refusal is None
    second = make.verification(mina.person, at=bookshop)

    assert ways(second) == [BY_APP]
    (shown,) = get(mina, "/app/v1/releases")["items"]
    assert (shown["id"], shown["used_at"] is None) == (made.json()["id"], False)


def test_the_partner_the_result_and_the_receipt_say_so(mina, bookshop):
    mina.release(bookshop)
    asked = make.verification(mina.person, at=bookshop)
    assert results.shown(asked) | {"channel": "sms", "released": True, "match_number": None} == results.shown(asked)

    flow.confirm(code=sms_number(asked), pk=asked.pk)

    asked.refresh_from_db()
    result = results.shown(asked)["result"]
    assert (result["channel"], result["risk"]["released"]) == ("sms", True)
    claims = jwt.decode(asked.receipt, options={"verify_signature": False})
    assert (claims["channel"], claims["released"]) == ("sms", True)


def test_nobody_else_goes_by_sms(mina, bookshop):
    mina.release(bookshop)
    other = make.verification(mina.person, at=make.partner())
    somebody_else = make.verification(make.Member().person, at=bookshop)
    assert ways(other, somebody_else) == [BY_APP, BY_APP]
    assert ways(make.verification(mina.person, at=bookshop)) == [BY_SMS]


def test_a_request_whose_identity_does_not_match_uses_nothing_up(mina, bookshop):
    mina.release(bookshop)
    stranger = make.ask(mina.person).identity
    wrong = make.verification(None, at=bookshop, identity=type(stranger)("900101", "2", mina.person.phone))
    assert wrong.reason == "identity_mismatch"
    assert ways(make.verification(mina.person, at=bookshop)) == [BY_SMS]


def test_a_refused_request_uses_nothing_up(mina):
    narrow = make.partner(limits={"line_per_10min": 1})
    make.verification(mina.person, at=narrow)
    mina.release(narrow)
    assert make.verification(mina.person, at=narrow).reason == "line_blocked"
    assert Release.objects.live(now=timezone.now()).count() == 1


def test_the_window_uses_it_up_as_well_and_says_so(mina, bookshop):
    mina.release(bookshop)
    asked = make.verification(at=bookshop)
    assert callers.identify(asked.pk, make.identity(mina.person)).refusal is None
    asked.refresh_from_db()
    assert ways(asked) == [BY_SMS]


def test_the_same_number_comes_again(mina):
    hasty = make.partner(limits={"resend_after": 0})
    mina.release(hasty)
    asked = make.verification(mina.person, at=hasty)
    assert flow.resend(pk=asked.pk).refusal is None
    bodies = [message.body for message in Message.objects.filter(about=asked.pk, kind="sms")]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


def test_after_its_minutes_protection_is_back_with_every_worker_dead(mina, bookshop):
    mina.release(bookshop, minutes=1)
    hours.pass_by(seconds=59)
    assert ways(make.verification(mina.person, at=bookshop)) == [BY_SMS]
    mina.release(bookshop, minutes=1)
    hours.pass_by(seconds=61)
    assert ways(make.verification(mina.person, at=bookshop)) == [BY_APP]
    assert get(mina, "/app/v1/releases")["items"][0]["used_at"]


def test_it_costs_nothing_and_changes_nothing_of_the_service(mina, bookshop):
    before = Subscription.objects.values().get()
    mina.release(bookshop)
    make.verification(mina.person, at=bookshop)
    assert Subscription.objects.values().get() == before
    assert mina.line.protection == "on"


# --- Who may open it --------------------------------------------------------------------------------------------------


def test_it_takes_the_password_and_a_wrong_one_counts(mina, bookshop):
    for left in (4, 3, 2, 1, 0):
        wrong = opens(mina, bookshop, password="999888")
        assert (wrong.status_code, wrong.json()["tries_left"]) == (422, left)
    assert opens(mina, bookshop).json()["code"] == "locked"
    assert not Release.objects.exists()


def test_the_right_password_resets_the_count(mina, bookshop):
    opens(mina, bookshop, password="999888")
    assert opens(mina, bookshop).status_code == 201
    assert mina.line.wrong_passwords == 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"minutes": 0}, "minutes"), ({"minutes": 11}, "minutes"), ({"minutes": "10"}, "minutes"),
     ({"minutes": True}, "minutes"), ({"minutes": 1.5}, "minutes"), ({"minutes": ()}, "minutes"),
     ({"partner_id": "x"}, "partner_id"), ({"partner_id": None}, "partner_id"),
     ({"partner_id": "8f14e45f-ceea-467f-9a3b-2d1c0b5a7e61"}, "partner_id"), ({"password": 259173}, "password"),
     ({"password": ()}, "password"), ({"phone": "1"}, "phone")],
    ids=str,
)  # fmt: skip
def test_nonsense_is_refused_with_its_field_and_is_no_try(mina, bookshop, wrong, field):
    answer = opens(mina, bookshop, **{"password": make.PASSWORD, **wrong})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not Release.objects.exists()
    assert mina.line.wrong_passwords == 0


def test_our_own_site_is_never_released(mina):
    assert opens(mina, site()).status_code == 400


def test_a_suspended_line_releases_nobody(mina, bookshop):
    protection.pause(mina.line)
    assert opens(mina, bookshop).json()["code"] == "wrong_state"


def test_a_phone_that_was_replaced_opens_nothing(mina, bookshop):
    former, _ = mina.phone, re_register(mina)
    body = {"password": make.PASSWORD, "partner_id": str(bookshop.pk), "minutes": 10}
    mina.phone = former
    assert callers.call(mina, "POST", "/app/v1/releases", body).status_code == 401


# --- Who may end it ---------------------------------------------------------------------------------------------------


def test_one_press_ends_it(mina, bookshop):
    made = opens(mina, bookshop).json()
    address = f"/app/v1/releases/{made['id']}"
    assert callers.call(mina, "DELETE", address).status_code == 204
    assert callers.call(mina, "DELETE", address).status_code == 404
    assert get(mina, "/app/v1/releases")["items"] == []
    assert ways(make.verification(mina.person, at=bookshop)) == [BY_APP]


def test_nobody_ends_anothers_and_what_was_used_cannot_be_ended(mina, bookshop):
    release, other = mina.release(bookshop), make.Member()
    address = f"/app/v1/releases/{release.pk}"
    assert callers.call(other, "DELETE", address).status_code == 404
    make.verification(mina.person, at=bookshop)
    assert callers.call(mina, "DELETE", address).json()["code"] == "wrong_state"


def test_opened_again_the_newer_one_counts_and_there_is_one(mina, bookshop):
    first, second = mina.release(bookshop), mina.release(bookshop, minutes=2)
    assert [item["id"] for item in get(mina, "/app/v1/releases")["items"]] == [str(second.pk)]
    first.refresh_from_db()
    assert first.ended_by == "renewed"
    asked = [make.verification(mina.person, at=bookshop) for _ in range(2)]
    assert ways(asked[1]) == [BY_APP]
    assert asked[0].released


# --- What suspends it and what ends it --------------------------------------------------------------------------------


def put(mina, **wanted):
    return callers.call(mina, "PUT", "/app/v1/controls", {"stop_all": False, "blocked_partners": [], **wanted})


@pytest.mark.parametrize("how", ["stop-all", "block"])
def test_stop_all_and_a_block_stand_above_it_and_give_it_back(mina, bookshop, how):
    mina.release(bookshop)
    put(mina, **{"stop_all": True} if how == "stop-all" else {"blocked_partners": [str(bookshop.pk)]})
    assert make.verification(mina.person, at=bookshop).reason == "line_blocked"
    put(mina, password=make.PASSWORD)
    assert ways(make.verification(mina.person, at=bookshop)) == [BY_SMS]


def test_stop_all_ends_the_released_one_that_is_open(mina, bookshop):
    mina.release(bookshop)
    asked = make.verification(mina.person, at=bookshop)
    put(mina, stop_all=True)
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("failed", "line_blocked")
    assert flow.resend(pk=asked.pk).refusal.code == "closed"


def lock(mina):
    for _ in range(5):
        registration.change_password(mina.device, current="999888", new="111222")


def re_register(mina):
    code = enrolment.renew_activation(mina.person.contract).activation_code
    mina.phone = PhoneClient("")
    given = mina.phone.registration(code, make.PASSWORD)
    phone = registration.Phone(**{name: given[name] for name in registration.Phone.__dataclass_fields__})
    mina.device, _ = registration.register(code, phone=phone, password=make.PASSWORD, address="here")
    mina.phone.device_id = str(mina.device.pk)


def suspend_and_resume(mina):
    line = protection.hold(mina.person.contract)
    protection.pause(line)
    protection.resume(line)


def leave_and_join_again(mina):
    leaving.cancel(mina.person.contract, reason="customer")
    enrolment.join(mina.person.phone)
    re_register(mina)


@pytest.mark.parametrize(
    "change",
    [lock, re_register, suspend_and_resume, leave_and_join_again,
     lambda mina: registration.remove(mina.device, password=make.PASSWORD)],
    ids=["locked", "another phone", "suspended and resumed", "left and joined again", "app removed"],
)  # fmt: skip
def test_what_changes_about_the_line_its_phone_or_its_lock_ends_it(mina, bookshop, change):
    release = mina.release(bookshop)
    in_transaction(lambda: change(mina))
    release.refresh_from_db()
    assert release.ended_at
    later = make.verification(mina.person, at=bookshop)
    assert (later.channel, later.released) != ("sms", True)
    assert not Message.objects.filter(channel="sms").exists()


def in_transaction(deed):
    with transaction.atomic():
        deed()


def test_what_is_taken_down_at_the_desk_does_not_open_and_does_not_end_it(mina, bookshop):
    release = mina.release(bookshop)
    pending.ask(mina.person.contract, PendingChange.Kind.CANCELLATION, by=None)
    assert Release.objects.live(now=timezone.now()).get() == release


# --- The owner is told ------------------------------------------------------------------------------------------------


def test_the_phone_is_told_of_start_and_use(mina, bookshop):
    mina.release(bookshop)
    make.verification(mina.person, at=bookshop)
    assert notices(mina.device) == ["release_started", "release_used"]


def test_the_phone_is_told_of_the_end_by_time_once(mina, bookshop):
    mina.release(bookshop)
    hours.pass_by(minutes=11)
    for _ in range(2):
        clock.end_releases()
    assert notices(mina.device) == ["release_started", "release_ended"]
    assert Release.objects.get().ended_by == "time"


def test_the_phone_is_told_of_the_end_by_the_owner(mina, bookshop):
    releases.withdraw(mina.release(bookshop).pk, line=mina.line)
    assert notices(mina.device) == ["release_started", "release_ended"]


def test_the_clock_leaves_alone_what_lives_and_what_was_used(mina, bookshop):
    mina.release(bookshop)
    make.verification(mina.person, at=bookshop)
    hours.pass_by(minutes=11)
    mina.release(make.partner())
    clock.end_releases()
    assert not Release.objects.exclude(ended_at=None).exists()


def test_the_text_leaves_and_the_words_on_the_lock_screen_name_nobody(mina, bookshop, texts):
    mina.release(bookshop)
    asked = make.verification(mina.person, at=bookshop)
    drain("sms")
    (text,) = texts(mina.person.phone)
    assert sms_number(asked) in text["text"]
    told = Message.objects.filter(kind="notice", device=mina.device)
    assert all(bookshop.name not in json.dumps(message.body) for message in told)


# --- At the same instant ----------------------------------------------------------------------------------------------


def test_of_many_requests_at_the_same_instant_exactly_one_goes_by_sms():
    bookshop = make.partner(limits={"line_per_10min": 100})
    for _ in range(4):
        mina = make.Member()
        mina.release(bookshop)
        asked = at_once(*[lambda who=mina: make.verification(who.person, at=bookshop)] * 4)
        rows = Verification.objects.filter(pk__in=[one.pk for one in asked])
        assert rows.filter(released=True, channel="sms").count() == 1
        assert rows.filter(channel="app", released=False).count() == 3
        assert Message.objects.filter(channel="sms", about__in=rows.values("pk")).count() == 1


def test_two_windows_filled_in_at_the_same_instant_use_it_once():
    bookshop = make.partner(limits={"line_per_10min": 100})
    for _ in range(3):
        mina = make.Member()
        mina.release(bookshop)
        windows = [make.verification(at=bookshop) for _ in range(2)]
        at_once(*(lambda pk=one.pk, who=mina: callers.identify(pk, make.identity(who.person)) for one in windows))
        assert Verification.objects.filter(pk__in=[one.pk for one in windows], released=True).count() == 1


@pytest.mark.parametrize("what", ["withdrawn", "locked", "stopped", "left"])
def test_what_ends_it_at_the_instant_of_a_request_leaves_no_sms_on_a_protected_line_without_its_release(what):
    bookshop = make.partner()
    for _ in range(5):
        mina = make.Member()
        release = mina.release(bookshop)
        line = mina.line
        deeds = {
            "withdrawn": lambda release=release, line=line: quietly(lambda: releases.withdraw(release.pk, line=line)),
            "locked": lambda who=mina: lock(who),
            "stopped": lambda who=mina: put(who, stop_all=True),
            "left": lambda who=mina: leaving.cancel(who.person.contract, reason="customer"),
        }
        asked, _ = at_once(lambda who=mina: make.verification(who.person, at=bookshop), deeds[what])
        asked.refresh_from_db()
        release.refresh_from_db()
        used = release.used_by_id == asked.pk
        assert asked.released == used
        assert used == (release.ended_at is None) or what == "stopped"
        if asked.ended_at is None and asked.channel == "sms":
            assert used or Line.objects.get(pk=line.pk).protection == "off"
        if what in ("locked", "left", "stopped") and used:
            assert asked.ended_at


def quietly(deed):
    try:
        deed()
    except Refused as refusal:
        return refusal
    return None


def test_two_that_open_at_the_same_instant_leave_one(mina, bookshop):
    at_once(*[lambda: opens(mina, bookshop)] * 3)
    assert Release.objects.live(now=timezone.now()).count() == 1
