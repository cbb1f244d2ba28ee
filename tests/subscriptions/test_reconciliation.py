"""The nightly sweep (issue 5): what the carrier forgot to tell is found, put right or shown to somebody."""

import io
import json
import time
import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from ansim.lib.problem import Unavailable
from pushes.models import Message
from subscriptions import carrier_events, clock, leaving, reconciliation
from subscriptions.models import CarrierEvent, Reconciliation, Subscription
from tests import make
from tests.subscriptions.test_enrolment import move
from tests.verification import hours
from verification import carrier
from verification.models import Line


@pytest.fixture(autouse=True)
def _fast(settings):
    settings.RECONCILE_PER_SECOND = 10_000


def found(tally):
    return [finding.report.type for finding in tally.found]


def told(*options):
    said = io.StringIO()
    call_command("reconcile", "--json", *options, stdout=said)
    return json.loads(said.getvalue())


@pytest.mark.django_db
def test_what_is_as_it_was_is_left_alone():
    make.Member()
    tally = reconciliation.run()
    assert (tally.checked, found(tally), tally.finished) == (1, [], True)
    assert not CarrierEvent.objects.exists()


SILENT = [
    ({"status": "terminated"}, "terminated"),
    ({"carrier": "KT"}, "ported_out"),
    ({"carrier": "SKT_MVNO"}, "ported_out"),
    ({"holder": {"ci": "z" * 88}}, "owner_changed"),
    ({"owner_type": "corporate"}, "not_individual"),
    ({"user_is_owner": False}, "not_own_name"),
    ({"plan_type": "prepaid"}, "plan_changed"),
    ({"plan_type": "m2m"}, "plan_changed"),
    ({"plan_type": "special"}, "plan_changed"),
    ({"handset": {"os": "windows_mobile"}}, "device_changed"),
    ({"handset": {"form": "tablet"}}, "device_changed"),
    ({"handset": {"os_version": "2.2"}}, "device_changed"),
    ({"plan_type": "prepaid", "carrier": "KT", "status": "terminated"}, "terminated"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("line", "reason"), SILENT)
def test_what_may_not_be_a_member_any_more_ends_with_its_reason(line, reason):
    mina = make.Member()
    move(mina.person, **line)

    tally = reconciliation.run()

    left = Subscription.objects.get()
    assert (found(tally), tally.repaired, left.state, left.end_reason) == ([reason], 1, "ended", reason)
    assert Line.objects.get().protection == "off"
    assert [message.body["notice"] for message in Message.objects.filter(kind="notice")] == ["cancelled"]
    assert reconciliation.run().checked == 0


@pytest.mark.django_db
def test_a_suspension_that_nobody_told_and_its_end_are_found():
    mina = make.Member()
    move(mina.person, status="suspended")
    assert found(reconciliation.run()) == ["suspended"]
    assert Line.objects.get().protection == "paused"
    assert found(reconciliation.run()) == []

    move(mina.person, status="active")
    assert found(reconciliation.run()) == ["resumed"]
    assert Line.objects.get().protection == "on"


@pytest.mark.django_db
def test_a_sim_and_a_phone_that_changed_since_are_found_and_those_from_before_are_not():
    mina = make.Member()
    hours.pass_by(days=9)
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    move(mina.person, sim_changed_at=yesterday, device_changed_at=yesterday, number_changed_at="2021-01-01T00:00:00Z")

    assert found(reconciliation.run()) == ["sim_changed", "device_changed"]

    line = Line.objects.get()
    assert (line.device, line.protection) == (None, "on")
    assert line.sim_changed_at is not None
    assert found(reconciliation.run()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("gone", ["nobody has it", "somebody else has it"])
def test_a_contract_that_is_not_at_its_number_waits_once_at_the_desk(gone):
    mina = make.Member()
    former = mina.person.phone
    move(mina.person, phone=make.people.somebody_new().phone)
    if gone == "somebody else has it":
        move(make.people.somebody_new(), contract=f"C-{uuid.uuid4()}", phone=former)

    tally = reconciliation.run()

    assert (found(tally), tally.reported, tally.repaired) == ([reconciliation.LOST], 1, 0)
    assert CarrierEvent.objects.get().standing == "stuck"
    assert Line.objects.get().protection == "on"
    assert found(reconciliation.run()) == []
    carrier_events.take_up()
    assert CarrierEvent.objects.get().standing == "stuck"


@pytest.mark.django_db
def test_what_is_reported_while_we_ask_is_newer_than_the_answer():
    mina = make.Member()
    before = timezone.now()
    move(mina.person, status="suspended")
    facts = carrier.look_up(mina.person.phone)
    member = Subscription.objects.select_related("line").get()
    (late,) = reconciliation.differences(member, (facts, before))
    for type_ in ("suspended", "resumed"):
        carrier_events.take(carrier_events.Report("/carrier", type_, type_, mina.person.contract, timezone.now()))

    carrier_events.take(late.report)

    assert Line.objects.get().protection == "on"


@pytest.mark.django_db
def test_a_dry_run_says_what_would_be_found_and_changes_nothing():
    mina = make.Member()
    move(mina.person, plan_type="prepaid")

    said = told("--dry-run")

    assert (said["checked"], said["repaired"], [one["type"] for one in said["findings"]]) == (1, 1, ["plan_changed"])
    assert (Subscription.objects.get().state, CarrierEvent.objects.count()) == ("active", 0)
    assert not Reconciliation.objects.exists()
    assert mina.person.contract not in json.dumps(said)


@pytest.mark.django_db
def test_when_the_carrier_goes_away_the_sweep_keeps_its_place(fail, monkeypatch):
    monkeypatch.setattr(reconciliation, "BATCH", 3)
    for _ in range(5):
        make.member_without_app()
    asked = []

    def away(count):
        asked.append(count)
        if len(asked) == 3:
            fail("carrier", "error", 2)

    with pytest.raises(Unavailable):
        reconciliation.run(seen=away)
    sweep = Reconciliation.objects.get()
    assert (sweep.checked, sweep.ended_at, sweep.taken_until) == (3, None, None)

    fail("carrier", "error", 2)
    with pytest.raises(CommandError) as broken_off:
        told()
    assert broken_off.value.returncode == 1

    tally = reconciliation.run()
    sweep.refresh_from_db()
    assert (tally.checked, sweep.checked) == (2, 5)
    assert sweep.ended_at is not None
    assert told()["checked"] == 5  # the next one begins at the beginning


@pytest.mark.django_db
def test_what_was_answered_before_one_that_was_not_is_done(fail):
    members = [make.member_without_app() for _ in range(5)]
    checked = []
    fail("carrier", "error", 1)
    with pytest.raises(Unavailable):
        reconciliation.run(seen=checked.append)
    sweep = Reconciliation.objects.get()
    assert sweep.checked == len(checked) < len(members)

    assert reconciliation.run().checked == len(members) - len(checked)


@pytest.mark.django_db
def test_it_asks_no_oftener_than_it_may_however_many_questions_are_on_their_way(settings):
    settings.RECONCILE_PER_SECOND = 20
    for _ in range(5):
        make.member_without_app()
    began = time.monotonic()
    reconciliation.run()
    assert time.monotonic() - began >= 4 / 20


@pytest.mark.django_db
def test_two_never_sweep_at_once_and_who_died_at_it_gives_it_back():
    for _ in range(2):
        make.member_without_app()
    refused = []

    def another(count):
        with pytest.raises(reconciliation.AtWork):
            reconciliation.run()
        refused.append(count)

    reconciliation.run(seen=another)
    assert refused == [1, 1]

    Reconciliation.objects.create(began_at=timezone.now(), taken_until=timezone.now() + timedelta(seconds=60))
    with pytest.raises(CommandError):
        told()
    hours.pass_by(minutes=2)
    assert told()["checked"] == 2


@pytest.mark.django_db
def test_a_sweep_goes_on_where_the_last_slice_ended(monkeypatch):
    monkeypatch.setattr(reconciliation, "BATCH", 2)
    for _ in range(5):
        make.member_without_app()
    slices = []
    while not slices or not slices[-1].finished:
        enough = iter([False, True])
        slices.append(reconciliation.run(until=lambda enough=enough: next(enough)))
    assert [tally.checked for tally in slices] == [2, 2, 1]
    assert Reconciliation.objects.get().ended_at is not None


@pytest.mark.django_db
def test_the_clock_sweeps_once_a_night_and_finishes_what_was_broken_off(monkeypatch):
    make.member_without_app()
    night = timezone.localtime().replace(hour=3)
    monkeypatch.setattr(clock, "NIGHT", range(24))
    for _ in range(3):
        clock.reconcile()
    assert Reconciliation.objects.count() == 1
    assert not reconciliation.due(since=night - timedelta(days=1))

    hours.pass_by(days=1)
    clock.reconcile()
    assert Reconciliation.objects.count() == 2
    monkeypatch.setattr(clock, "NIGHT", ())
    hours.pass_by(days=1)
    clock.reconcile()
    assert Reconciliation.objects.count() == 2


@pytest.mark.django_db
def test_who_left_is_not_asked_about():
    mina = make.member_without_app()
    leaving.cancel(mina.contract, reason="customer")
    assert reconciliation.run().checked == 0
