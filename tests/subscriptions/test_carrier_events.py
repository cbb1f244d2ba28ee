"""What the carrier reports acts at once, once, and in any order (mission.md S6, S8, invariants 7 and 9)."""

import random
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansim.lib import fingerprint
from pushes.models import Message
from subscriptions import carrier_events, enrolment, leaving, lifecycle, sms
from subscriptions.carrier_events import Report
from subscriptions.models import CarrierEvent, Subscription
from tests import make
from tests.subscriptions.test_activation import register
from tests.subscriptions.test_enrolment import move
from tests.verification import hours
from tests.verification.crowd import at_once
from verification import codes, unlocking
from verification.models import Line, Verification

HANDSET = {"model": "SM-S931N", "os": "android", "os_version": "16", "form": "phone"}
WINDOWS = {"model": "Lumia 950", "os": "windows_mobile", "os_version": "10", "form": "phone"}
TABLET = {"model": "iPad16,3", "os": "ios", "os_version": "19.1", "form": "tablet"}
ENDING = [
    ("terminated", None),
    ("ported_out", {"to": "KT"}),
    ("owner_changed", None),
    ("plan_changed", {"plan_type": "prepaid"}),
    ("plan_changed", {"plan_type": "m2m"}),
    ("plan_changed", {"plan_type": "special"}),
    ("device_changed", {"handset": WINDOWS}),
    ("device_changed", {"handset": TABLET}),
    ("device_changed", {"handset": HANDSET | {"os_version": "2.2"}}),
]
GOING_ON = [
    ("number_changed", {"phone": "+821088887777"}),
    ("sim_changed", None),
    ("device_changed", {"handset": HANDSET}),
    ("plan_changed", {"plan_type": "postpaid"}),
]


def told(contract, type_, data=None, *, at=None, id_=None, source="/carrier/simulated"):
    return carrier_events.take(Report(source, id_ or uuid.uuid4().hex, type_, contract, at or timezone.now(), data))


def notices():
    return [body["notice"] for body in (message.body for message in Message.objects.filter(kind="notice"))]


def words():
    """Texts without a number that are owed or were sent."""
    return [message.body["text"] for message in Message.objects.filter(kind="sms", about=None)]


def standing():
    return CarrierEvent.objects.get().standing


def now(asked):
    asked.refresh_from_db()
    return asked.state, asked.reason


# --- What each does ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("type_", "data"), ENDING)
def test_these_end_the_service_the_registration_and_what_is_open_at_once(type_, data):
    mina = make.Member()
    asked = make.verification(mina.person)

    assert told(mina.person.contract, type_, data)

    line, left = Line.objects.get(), Subscription.objects.get()
    assert (line.protection, line.device, line.password) == ("off", None, "")
    assert (left.state, left.end_reason, left.ended_at) == ("ended", type_, line.protection_ended_at)
    assert now(asked) == ("failed", "line_changed")
    assert notices() == ["cancelled"]
    assert standing() == "applied"


@pytest.mark.django_db
@pytest.mark.parametrize(("type_", "data"), GOING_ON)
def test_these_end_what_is_open_and_the_service_goes_on(type_, data):
    mina = make.Member()
    asked = make.verification(mina.person)

    told(mina.person.contract, type_, data)

    assert now(asked) == ("failed", "line_changed")
    assert Line.objects.get().protection == "on"
    assert Subscription.objects.get().state == "active"


@pytest.mark.django_db
def test_a_suspended_line_is_not_verified_until_it_resumes():
    mina = make.Member()
    asked = make.verification(mina.person)

    told(mina.person.contract, "suspended")

    assert now(asked) == ("failed", "line_changed")
    assert Subscription.objects.get().suspended_at is not None
    assert make.verification(mina.person).reason == "line_blocked"
    told(mina.person.contract, "resumed")
    assert Subscription.objects.get().suspended_at is None
    assert make.verification(mina.person).state == "awaiting_app"
    assert sorted(notices()) == ["resumed", "suspended"]


@pytest.mark.django_db
def test_resuming_ends_nothing():
    asked = make.verification(mina := make.person())
    told(mina.contract, "resumed")
    assert now(asked) == ("awaiting_code", None)


@pytest.mark.django_db
@pytest.mark.parametrize("type_", ["suspended", "terminated", "sim_changed", "owner_changed"])
def test_what_is_open_on_a_line_that_never_joined_ends_as_well(type_):
    asked = make.verification(mina := make.person())

    told(mina.contract, type_)

    assert now(asked) == ("failed", "line_changed")
    assert (Line.objects.get().protection, standing(), words()) == ("off", "without_effect", [])


@pytest.mark.django_db
def test_another_phone_must_be_registered_and_the_old_password_is_kept_to_prove_whose_it_is():
    mina = make.Member()

    told(mina.person.contract, "device_changed", {"handset": HANDSET})

    line = Line.objects.get()
    assert (line.protection, line.device) == ("on", None)
    assert codes.right_password(make.PASSWORD, line.password, line=line.pk)
    assert make.verification(mina.person).reason == "app_not_registered"
    assert (notices(), words()) == (["device_changed"], [sms.TEXTS["device_changed"]])
    register(enrolment.renew_activation(mina.person.contract).activation_code)
    assert make.verification(mina.person).state == "awaiting_app"


@pytest.mark.django_db
def test_a_late_report_of_a_phone_that_was_there_before_the_app_was_registered_revokes_nothing():
    mina = make.Member()
    hours.pass_by(days=3)
    register(enrolment.renew_activation(mina.person.contract).activation_code)

    told(mina.person.contract, "device_changed", {"handset": HANDSET}, at=timezone.now() - timedelta(days=1))

    assert Line.objects.get().device is not None
    assert make.verification(mina.person).state == "awaiting_app"


@pytest.mark.django_db
def test_a_report_dated_ahead_does_not_revoke_the_phone_that_was_registered_after_it():
    mina = make.Member()
    told(mina.person.contract, "device_changed", {"handset": HANDSET}, at=timezone.now() + timedelta(minutes=4))
    assert Line.objects.get().device is None
    register(enrolment.renew_activation(mina.person.contract).activation_code)

    told(mina.person.contract, "sim_changed")

    assert Line.objects.get().device is not None


@pytest.mark.django_db
def test_the_newest_number_stays_whichever_was_reported_first():
    mina = make.Member()
    hours.pass_by(days=9)
    for day, number in [(2, "+821088880002"), (5, "+821088880005"), (1, "+821088880001")]:
        told(mina.person.contract, "number_changed", {"phone": number}, at=timezone.now() - timedelta(days=day))

    line = Line.objects.get()
    assert (line.phone, line.phone_fingerprint) == ("+821088880001", fingerprint.of("phone", "+821088880001"))
    told(mina.person.contract, "number_changed", {"phone": "+821088880010"}, at=timezone.now() - timedelta(days=10))
    assert Line.objects.get().phone == "+821088880001"  # that was before the joining


@pytest.mark.django_db
def test_history_and_protection_go_along_with_a_new_number():
    mina = make.Member()
    mina.unlock(make.verification(mina.person))
    newer = make.people.somebody_new().phone
    move(mina.person, phone=newer)

    told(mina.person.contract, "number_changed", {"phone": newer})

    assert len(unlocking.history(mina.line)[0]) == 1
    moved = make.people.Person(mina.person.name, mina.person.birthdate, mina.person.gender, newer, {})
    assert make.verification(moved).state == "awaiting_app"
    assert notices() == ["number_changed"]


@pytest.mark.django_db
def test_who_gets_a_number_second_hand_meets_nothing_of_its_former_owner():
    mina = make.Member()
    told(mina.person.contract, "number_changed", {"phone": "+821088887777"})
    move(mina.person, phone="+821088887777")
    jun = make.people.somebody_new()
    jun = make.people.Person(jun.name, jun.birthdate, jun.gender, mina.person.phone, {})
    line = jun.in_the_world() | {"contract": f"C-{uuid.uuid4()}"}
    line["holder"]["ci"] = "j" * 88
    make.httpx.post(f"{make.settings.WORLD_URL}/world/lines", json=line).raise_for_status()

    asked = make.verification(jun)

    assert (asked.channel, asked.holder["ci"] == Subscription.objects.get().holder["ci"]) == ("sms", False)
    assert asked.line_id != mina.line.pk
    assert not Line.objects.filter(pk=mina.line.pk, phone_fingerprint=asked.line.phone_fingerprint).exists()


@pytest.mark.django_db
def test_after_a_change_of_owner_the_history_begins_anew():
    mina = make.Member()
    mina.unlock(make.verification(mina.person))
    assert len(unlocking.history(mina.line)[0]) == 1
    told(mina.person.contract, "owner_changed")

    register(enrolment.join(mina.person.phone).activation_code)

    assert unlocking.history(Line.objects.get()) == ([], [])
    asked = make.verification(mina.person)
    assert unlocking.history(Line.objects.get())[1] == [asked]


@pytest.mark.django_db
def test_a_person_who_joins_with_the_line_of_another_sees_nothing_of_the_other_although_nobody_told_us():
    mina = make.Member()
    mina.unlock(make.verification(mina.person))
    leaving.cancel(mina.person.contract, reason="customer")
    move(mina.person, holder={"ci": "z" * 88})

    register(enrolment.join(mina.person.phone).activation_code)

    assert unlocking.history(Line.objects.get()) == ([], [])


@pytest.mark.django_db
def test_who_joins_again_keeps_the_history():
    mina = make.Member()
    mina.unlock(make.verification(mina.person))
    leaving.cancel(mina.person.contract, reason="customer")
    register(enrolment.join(mina.person.phone).activation_code)
    assert len(unlocking.history(Line.objects.get())[0]) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["sim", "device", "number"])
def test_a_change_is_a_risk_of_later_results_whether_it_was_reported_or_looked_up(what):
    mina = make.person()
    make.verification(mina)
    data = {"device": {"handset": HANDSET}, "number": {"phone": mina.phone}}.get(what)
    at = timezone.now()
    told(mina.contract, f"{what}_changed", data, at=at)
    told(mina.contract, f"{what}_changed", data, at=at - timedelta(days=400))

    reported = make.verification(mina).holder["risk"][f"{what}_changed_at"]
    assert reported[:19] == at.isoformat()[:19]

    later = (at + timedelta(hours=1)).isoformat()[:19] + "Z"
    move(mina, **{f"{what}_changed_at": later})
    assert make.verification(mina).holder["risk"][f"{what}_changed_at"] == later


@pytest.mark.django_db
def test_what_was_looked_up_before_a_report_is_not_believed_after_it():
    """A thief's request is on its way while the carrier tells us that the SIM was swapped."""
    mina, shop = make.person(), make.partner()
    make.verification(mina, at=shop)
    facts = make.flow.sandbox.facts_of(make.identity(mina), livemode=False, partner=shop)
    told(mina.contract, "sim_changed")
    Verification.objects.all().delete()

    verification = Verification(partner=shop, purpose="login", tries_left=5, resends_left=3, site={"name": "책방"})
    limits = make.flow.Limits.of({})
    found = make.flow.routing.recognise(
        verification, make.identity(mina), facts, address="", limits=limits, now=timezone.now()
    )
    make.flow.routing.go(verification, facts, found, limits=limits, now=timezone.now())

    assert (verification.state, verification.reason) == ("failed", "line_changed")


# --- Who is told ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("type_", ["suspended", "sim_changed", "number_changed", "ported_out"])
def test_a_member_without_the_app_is_told_by_sms_in_words(type_):
    mina = make.member_without_app()
    data = {"number_changed": {"phone": "+821088887777"}, "ported_out": {"to": "KT"}}.get(type_)
    told(mina.contract, type_, data)
    kind = "cancelled" if type_ == "ported_out" else type_
    assert (notices(), words()) == ([], [sms.TEXTS[kind]])
    to = Message.objects.get(kind="sms").body["to"]
    assert to == ("+821088887777" if type_ == "number_changed" else mina.phone)


@pytest.mark.django_db
@pytest.mark.parametrize("type_", ["terminated", "owner_changed"])
def test_no_word_goes_to_a_number_that_is_somebody_elses_by_now(type_):
    told(make.member_without_app().contract, type_)
    assert words() == []


@pytest.mark.parametrize("kind", sorted(sms.TEXTS))
def test_the_words_are_one_sms_and_hold_no_number(kind):
    text = sms.TEXTS[kind]
    assert len(text.encode("euc-kr")) <= 90
    assert "".join(letter for letter in text if letter.isdigit()) == "15664380"
    assert "1566-4380" in text
    assert "!" not in text


@pytest.mark.django_db
def test_what_changed_nothing_is_told_to_nobody():
    mina = make.Member()
    hours.pass_by(days=9)
    told(mina.person.contract, "sim_changed", at=timezone.now() - timedelta(days=1))
    told(mina.person.contract, "sim_changed", at=timezone.now() - timedelta(days=2))
    told(mina.person.contract, "resumed")
    told(mina.person.contract, "plan_changed", {"plan_type": "postpaid"})
    assert notices() == ["sim_changed"]


# --- Once, late, unknown ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_repeat_has_no_second_effect_whatever_it_says():
    mina = make.Member()
    assert told(mina.person.contract, "sim_changed", id_="1")
    asked = make.verification(mina.person)

    assert not told(mina.person.contract, "terminated", id_="1")

    assert now(asked) == ("awaiting_app", None)
    assert (CarrierEvent.objects.count(), Line.objects.get().protection, notices()) == (1, "on", ["sim_changed"])
    assert told(mina.person.contract, "suspended", id_="1", source="/carrier/another")


@pytest.mark.django_db(transaction=True)
def test_of_many_deliveries_of_one_event_at_once_one_counts():
    mina = make.Member()
    came = at_once(*[lambda: told(mina.person.contract, "suspended", id_="1")] * 6)
    assert sorted(came) == [False] * 5 + [True]
    assert (CarrierEvent.objects.count(), notices()) == (1, ["suspended"])


@pytest.mark.django_db(transaction=True)
def test_many_different_events_of_one_line_at_once_leave_what_their_times_say():
    mina = make.Member()
    start = timezone.now()
    deeds = [
        lambda n=n: told(mina.person.contract, "suspended" if n % 2 else "resumed", at=start + timedelta(seconds=n))
        for n in range(8)
    ]
    random.shuffle(deeds)
    assert all(at_once(*deeds))
    assert Subscription.objects.get().suspended_at == start + timedelta(seconds=7)
    assert Line.objects.get().protection == "paused"


@pytest.mark.django_db
def test_an_unknown_contract_or_type_is_kept_for_the_desk_and_does_nothing():
    asked = make.verification(mina := make.person())
    told(mina.contract, "unknown:kr.ansim.line.exploded", {"how": "loudly"})
    told("C-nobody", "suspended")

    assert now(asked) == ("awaiting_code", None)
    assert list(CarrierEvent.objects.values_list("standing", flat=True)) == ["stuck", "stuck"]
    for stuck in CarrierEvent.objects.all():
        carrier_events.answer(stuck.pk)
        with pytest.raises(carrier_events.Refused, match="wrong_state"):
            carrier_events.answer(stuck.pk)
    assert set(CarrierEvent.objects.values_list("standing", flat=True)) == {"answered"}


@pytest.mark.django_db
def test_what_was_reported_of_a_contract_before_it_joined_is_without_effect():
    mina = make.person()
    for type_ in ("terminated", "suspended", "owner_changed"):
        told(mina.contract, type_, at=timezone.now() - timedelta(days=1))

    enrolment.join(mina.phone)

    assert Line.objects.get().protection == "on"
    assert set(CarrierEvent.objects.values_list("standing", flat=True)) == {"without_effect"}


@pytest.mark.django_db
def test_a_late_report_from_before_the_joining_leaves_the_member_alone():
    mina = make.Member()
    asked = make.verification(mina.person)

    told(mina.person.contract, "terminated", at=timezone.now() - timedelta(days=400))

    assert now(asked) == ("awaiting_app", None)
    assert (Line.objects.get().protection, standing(), notices()) == ("on", "without_effect", [])


@pytest.mark.django_db
def test_what_is_reported_after_the_end_is_without_effect():
    mina = make.Member()
    told(mina.person.contract, "ported_out", {"to": "LGU"})
    for type_ in ("suspended", "resumed", "terminated"):
        told(mina.person.contract, type_)
    assert Subscription.objects.get().end_reason == "ported_out"
    assert CarrierEvent.objects.filter(standing="without_effect").count() == 3
    assert notices() == ["cancelled"]


@pytest.mark.django_db
def test_a_late_report_of_an_earlier_end_changes_when_and_why_it_ended_and_tells_nobody_twice():
    mina = make.Member()
    hours.pass_by(days=9)
    leaving.cancel(mina.person.contract, reason="customer")
    day = timezone.now() - timedelta(days=3)

    told(mina.person.contract, "ported_out", {"to": "KT"}, at=day)

    left = Subscription.objects.get()
    assert (left.ended_at, left.end_reason, left.cancel_reason) == (day, "ported_out", "customer")
    assert notices() == ["cancelled"]


@pytest.mark.django_db
def test_a_report_dated_ahead_does_not_end_the_membership_that_began_after_it():
    mina = make.Member()
    told(mina.person.contract, "ported_out", {"to": "KT"}, at=timezone.now() + timedelta(minutes=4))
    assert Line.objects.get().protection == "off"

    enrolment.join(mina.person.phone)
    told(mina.person.contract, "sim_changed")

    assert Line.objects.get().protection == "on"
    assert list(Subscription.objects.order_by("joined_at").values_list("state", flat=True)) == ["ended", "active"]


@pytest.mark.django_db
def test_a_line_that_was_suspended_joins_again_as_the_carrier_knows_it_now():
    mina = make.Member()
    told(mina.person.contract, "suspended")
    leaving.cancel(mina.person.contract, reason="desk")
    enrolment.join(mina.person.phone)  # the look-up says that it is active

    assert Line.objects.get().protection == "on"
    told(mina.person.contract, "resumed")
    assert Line.objects.get().protection == "on"


@pytest.mark.django_db
def test_what_is_reported_between_the_look_up_and_the_joining_counts(monkeypatch):
    mina, verdict = make.person(), enrolment.verdict

    def reported_meanwhile(phone):
        said = verdict(phone)
        told(mina.contract, "terminated")
        return said

    monkeypatch.setattr(enrolment, "verdict", reported_meanwhile)
    enrolment.join(mina.phone)

    assert (Subscription.objects.get().end_reason, Line.objects.get().protection) == ("terminated", "off")
    assert standing() == "applied"


@pytest.mark.django_db
def test_a_report_that_met_nobody_because_the_joining_was_just_being_written_is_taken_up():
    mina = make.member_without_app()
    told(mina.contract, "ported_out", {"to": "KT"})
    CarrierEvent.objects.update(standing="stuck")
    Line.objects.update(protection="on")
    Subscription.objects.update(state="active", ended_at=None, end_reason="")
    asked = make.verification(make.person())

    assert carrier_events.take_up() == 1
    assert carrier_events.take_up() == 0

    assert (Subscription.objects.get().end_reason, standing()) == ("ported_out", "applied")
    assert now(asked) == ("awaiting_code", None)


@pytest.mark.django_db
def test_an_old_report_that_is_taken_up_ends_nothing_that_began_after_it():
    mina = make.person()
    told(mina.contract, "sim_changed")
    asked = make.verification(mina)
    carrier_events.take_up()
    assert (now(asked), standing()) == (("awaiting_code", None), "without_effect")


# --- In any order -----------------------------------------------------------------------------------------------------

REPORTS = [*ENDING, *GOING_ON, ("suspended", None), ("resumed", None)]
MEMBERS_DEEDS = ["leave", "join"]
STORY = st.lists(
    st.one_of(st.sampled_from(REPORTS), st.sampled_from(MEMBERS_DEEDS)), min_size=2, max_size=9
)  # fmt: skip


def lived(story, order):
    """What stands after that story: the customer's own deeds happened in time, the reports arrive in that order."""
    mina = make.person()
    day = timezone.now().replace(microsecond=0) - timedelta(days=300)
    enrolment.join(mina.phone, at=day)
    line = Line.objects.get(contract_fingerprint=fingerprint.of("contract", mina.contract))
    reports = []
    for number, deed in enumerate(story, start=1):
        at = day + timedelta(days=number)
        if deed == "leave":
            line.subscriptions.filter(cancelled_at=None).update(cancelled_at=at, cancel_reason="customer")
        elif deed == "join":
            _joined_again(line, at)
        else:
            reports.append((deed, at, f"e{number}"))
    for index in order(len(reports)):
        (type_, data), at, id_ = reports[index]
        told(mina.contract, type_, data, at=at, id_=id_ + mina.contract)
    line.refresh_from_db()
    lifecycle.conclude(line)
    return _stands(line, day, mina.contract)


def _joined_again(line, at):
    """Only who is no member joins; what ended it may be a report that has yet to arrive."""
    newest = line.subscriptions.order_by("joined_at").last()
    if newest.cancelled_at is not None:
        lifecycle.conclude(line)
        Subscription.objects.create(line=line, holder=newest.holder, holder_fingerprint="h", joined_at=at)
        Line.objects.filter(pk=line.pk).update(protection="on")
        line.refresh_from_db()


def _stands(line, day, contract):
    spans = [
        [(span.active, span.began_at - day, span.ended_at and span.ended_at - day) for span in course.spans]
        for course in (
            lifecycle.course_of(one, lifecycle.events_of(line)) for one in line.subscriptions.order_by("joined_at")
        )
    ]
    members = [
        (one.state, one.suspended_at and one.suspended_at - day, one.ended_at and one.ended_at - day, one.end_reason)
        for one in line.subscriptions.order_by("joined_at")
    ]
    standings = CarrierEvent.objects.filter(contract_fingerprint=line.contract_fingerprint).order_by("time")
    times = [line.sim_changed_at, line.device_changed_at, line.number_changed_at, line.owner_since]
    return (
        line.protection,
        line.protection_ended_at and line.protection_ended_at - day,
        [at and at - day for at in times],
        spans,
        members,
        list(standings.values_list("type", "standing")),
    )


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STORY, st.randoms(use_true_random=False))
def test_whatever_the_order_of_arrival_the_same_stands_at_the_end(story, chance):
    in_time = lived(story, range)

    def shuffled(count):
        order = [*range(count), *chance.choices(range(count), k=count)] if count else []
        chance.shuffle(order)
        return order

    assert lived(story, shuffled) == in_time
