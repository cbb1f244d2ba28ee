"""What was kept long enough goes, all of it and nothing else, at night and by itself; what the law keeps stays."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ansim import audit, audit_cut, retention
from ansim.audit import Actor
from ansim.lib import fingerprint, sealed
from ansim.lib.problem import Refused
from ansim.models import AccessRecord, Purge, RecordCut, RetentionRule
from ansim.record_models import Action
from ansim.retention_models import FLOORS, Kind
from pushes.models import Device, Message
from subscriptions import clock, leaving, purging
from subscriptions.models import CarrierEvent, Charge, Consent, FoundBy, PendingChange, Posting, Subscription
from tests import make
from verification import results
from verification.models import Case, Line, Release, Verification, WebhookAttempt, WebhookDelivery

pytestmark = pytest.mark.django_db
BOSS = Actor("boss", "supervisor", "10.0.0.1", 7)
DAY = timedelta(days=1)
SIX_YEARS = timedelta(days=2192)


@pytest.fixture(autouse=True)
def beside(settings, tmp_path):
    """A checkpoint of its own, and the rules as they are from the start (tests that commit empty every table)."""
    settings.AUDIT_CHECKPOINT = tmp_path / "audit-checkpoint"
    days = {"message": 30, "attempt": 30, "webhook": 90, "verification": 365, "device": 30, "event": 90}
    for kind in Kind:
        RetentionRule.objects.update_or_create(
            kind=kind, defaults={"days": days.get(kind, FLOORS[kind]), "changed_at": timezone.now(), "changed_by": "x"}
        )


def purge():
    return retention.run(purging.SORTS).removed


def aged(rows, by, **more):
    """That many days older than now, as the database has them."""
    return rows.update(**dict.fromkeys(more.pop("columns"), timezone.now() - by), **more)


def old_verification(days=366, **more):
    """One that ended so long ago, with a webhook that was delivered and tried."""
    asked = make.verification(make.person())
    at = timezone.now() - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE verification_verification SET created_at = %s WHERE id = %s", [at, asked.pk])
    end = {"state": "expired", "reason": "code_not_entered", "ended_at": at + timedelta(minutes=6), "holder": None}
    Verification.objects.filter(pk=asked.pk).update(**{**end, **more})
    hook = WebhookDelivery.objects.filter(verification=asked).first()
    WebhookDelivery.objects.filter(verification=asked).update(created_at=at, state="delivered", delivered_at=at)
    WebhookAttempt.objects.create(delivery=hook, at=at, status=200)
    return asked


# --- Verifications --------------------------------------------------------------------------------------------------


def test_a_verification_goes_after_a_year_with_all_that_hangs_on_it_and_its_line():
    old, young = old_verification(366), old_verification(364)
    Line.objects.filter(pk=old.line_id).update(serial=9)

    removed = purge()

    assert list(Verification.objects.values_list("pk", flat=True)) == [young.pk]
    assert set(WebhookDelivery.objects.values_list("verification", flat=True)) <= {young.pk}
    assert not WebhookAttempt.objects.exists()
    assert list(Line.objects.values_list("pk", flat=True)) == [young.line_id]
    assert (removed["verifications"], removed["lines"]) == (1, 1)


def test_what_is_open_or_still_owed_to_the_partner_stays_however_old():
    opened, owed = make.verification(make.person()), old_verification(400)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE verification_verification SET created_at = now() - interval '2 years'")
    WebhookDelivery.objects.filter(verification=owed).update(state="owed", delivered_at=None)

    purge()

    assert set(Verification.objects.values_list("pk", flat=True)) == {opened.pk, owed.pk}


def test_a_case_keeps_its_verification_for_three_years_after_it_was_closed():
    asked = old_verification(1500)
    case = Case.objects.create(
        kind="not_me", line=asked.line, partner=asked.partner, verification=asked, facts={},
        opened_at=timezone.now() - 1400 * DAY, slowed_until=timezone.now() - 1400 * DAY,
        closed_at=timezone.now() - 1000 * DAY,
    )  # fmt: skip
    purge()
    assert Verification.objects.filter(pk=asked.pk).exists()
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - 1100 * DAY)

    purge()

    assert not Case.objects.exists()
    assert not Verification.objects.exists()


def test_an_open_case_never_ages():
    asked = old_verification(4000)
    long_ago = timezone.now() - 4000 * DAY
    Case.objects.create(
        kind="not_me", line=asked.line, partner=asked.partner, verification=asked, opened_at=long_ago,
        slowed_until=long_ago, facts={},
    )  # fmt: skip
    purge()
    assert Case.objects.exists()


def test_a_release_goes_with_the_verification_that_used_it_and_an_unused_one_by_its_own_age():
    asked, ago = old_verification(400), timezone.now() - 400 * DAY
    times = {"created_at": ago, "expires_at": ago + timedelta(minutes=10)}
    Release.objects.create(line=asked.line, partner=asked.partner, used_by=asked, used_at=ago, **times)
    Release.objects.create(line=asked.line, partner=asked.partner, ended_at=ago, ended_by="time", **times)
    purge()
    assert not Release.objects.exists()
    assert not Verification.objects.exists()


def test_members_keep_their_line_their_app_and_their_younger_history():
    mina = make.Member()
    asked = make.verification(mina.person)
    Device.objects.update(seen_at=timezone.now() - 400 * DAY)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE verification_verification SET created_at = now() - interval '2 years'")
    assert purge().get("lines", 0) == 0
    assert mina.line.device == mina.device
    assert Verification.objects.filter(pk=asked.pk).exists(), "it is still open"


# --- Messages, attempts, devices, events ----------------------------------------------------------------------------


def test_messages_go_after_a_month_unless_they_are_still_owed():
    make.verification(make.person())
    assert Message.objects.count() == 1
    Message.objects.update(created_at=timezone.now() - 31 * DAY, state="owed", sent_at=None)
    purge()
    assert Message.objects.count() == 1
    Message.objects.update(state="failed")
    assert purge()["messages"] == 1
    assert not Message.objects.exists()


def test_an_app_that_nobody_has_goes_a_month_after_it_was_seen_last():
    mina = make.Member()
    former = Device.objects.create(
        platform="android", os_version="1", model="x", app_version="1", signing_key={}, sealing_key={}
    )
    Device.objects.update(seen_at=timezone.now() - 31 * DAY)
    purge()
    assert list(Device.objects.all()) == [mina.device]
    assert not Device.objects.filter(pk=former.pk).exists()


def event(contract, *, days):
    made = CarrierEvent.objects.create(
        source="carrier", event_id=f"{contract}-{days}", type="sim_changed", contract=contract, data={},
        contract_fingerprint=fingerprint.of("contract", contract), time=timezone.now() - days * DAY,
        standing="without_effect",
    )  # fmt: skip
    CarrierEvent.objects.filter(pk=made.pk).update(received_at=timezone.now() - days * DAY)
    return made


def test_events_of_lines_that_never_joined_go_and_a_members_stay_for_the_bill():
    mina = make.member_without_app()
    event("a-stranger", days=91)
    stays = {event(mina.contract, days=1000).pk, event("a-stranger", days=89).pk}
    purge()
    assert set(CarrierEvent.objects.values_list("pk", flat=True)) == stays


# --- Contracts that ended -------------------------------------------------------------------------------------------


def left(person, ago):
    """They left so long ago; a charge was made for their last month."""
    leaving.cancel(person.contract, reason="customer")
    at = timezone.now() - ago
    subscription = Subscription.objects.get(line__contract_fingerprint=fingerprint.of("contract", person.contract))
    Subscription.objects.filter(pk=subscription.pk).update(
        joined_at=at - 90 * DAY, cancelled_at=at, ended_at=at, state="ended"
    )
    month = at.date().replace(day=1)
    posting = Posting.objects.create(month=month, accepted_at=at)
    with connection.cursor() as cursor:  # made then: nobody changes one afterwards
        cursor.execute(
            "INSERT INTO subscriptions_charge (id, line_id, month, amount, days, day_bits, because, posting_id, "
            "made_at) VALUES (gen_random_uuid(), %s, %s, 550, 15, 0, '[]', %s, %s)",
            [subscription.line_id, month, posting.pk, at],
        )
    Verification.objects.all().delete()
    return subscription


def test_a_contract_that_ended_goes_after_five_years_with_everything_that_belongs_to_it():
    mina = make.member_without_app()
    event(mina.contract, days=2300)
    left(mina, SIX_YEARS)
    Message.objects.update(created_at=timezone.now() - SIX_YEARS, state="failed", sent_at=None)

    purge()
    purge()

    for model in (Subscription, Consent, Charge, Posting, PendingChange, CarrierEvent, FoundBy, Line, Message):
        assert not model.objects.exists(), model


def test_for_five_years_it_stays():
    left(make.member_without_app(), timedelta(days=1825))
    purge()
    assert Subscription.objects.exists()
    assert Consent.objects.exists()
    assert Charge.objects.exists()


def test_who_has_the_line_next_keeps_theirs():
    first = left(make.member_without_app(), SIX_YEARS)
    since = timezone.now() - 400 * DAY
    second = Subscription.objects.create(
        line=first.line, holder={"name": "김새롬", "birthdate": "1980-05-05", "ci": "x"}, joined_at=since,
        holder_fingerprint=fingerprint.of("ci", "x"),
    )  # fmt: skip
    posting = Posting.objects.create(month=since.date().replace(day=1), accepted_at=timezone.now())
    mine = Charge.objects.create(line=first.line, month=posting.month, amount=1100, days=30, posting=posting)

    purge()

    assert list(Subscription.objects.all()) == [second]
    assert list(Charge.objects.all()) == [mine]


def test_a_young_adjustment_of_an_old_contract_stays_until_its_own_five_years_are_over():
    gone = left(make.member_without_app(), SIX_YEARS)
    month = (timezone.localdate() - SIX_YEARS).replace(day=1)
    posting = Posting.objects.create(month=month, accepted_at=timezone.now())
    young = Charge.objects.create(
        line=gone.line, month=timezone.localdate().replace(day=1), adjusts=month, amount=-50, days=-1, posting=posting
    )
    purge()
    assert list(Charge.objects.all()) == [young]
    assert not Subscription.objects.exists()
    assert Line.objects.filter(pk=gone.line_id).exists()


@pytest.mark.parametrize("model", [Charge, Consent])
def test_the_database_lets_nobody_remove_a_bill_or_a_consent_before_the_law_does(model):
    left(make.member_without_app(), timedelta(days=1800))
    with pytest.raises(DatabaseError), transaction.atomic():
        model.objects.all().delete()


# --- The rules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
def test_no_rule_goes_below_the_law_whoever_writes_it(kind):
    with pytest.raises(Refused, match="too_short"):
        retention.change(kind, FLOORS[kind] - 1, by=BOSS, reason="디스크가 찼음")
    with pytest.raises(DatabaseError), transaction.atomic():
        RetentionRule.objects.filter(kind=kind).update(days=FLOORS[kind] - 1)
    with pytest.raises(Refused, match="too_long"):
        retention.change(kind, 4000, by=BOSS, reason="모두 모으려고")


def test_a_change_of_a_rule_is_on_record_and_counts_tonight():
    make.verification(make.person())
    Message.objects.update(created_at=timezone.now() - 10 * DAY, state="failed")
    retention.change(Kind.MESSAGE, 7, by=BOSS, reason="처리방침을 바꿈")
    assert AccessRecord.objects.get().what == "retention.message:30>7"
    assert purge()["messages"] == 1


def test_every_kind_has_rows_that_go_and_without_a_rule_they_stay():
    assert {sort.kind for sort in purging.SORTS if sort.kind} | {Kind.RECORD} == set(Kind)
    make.verification(make.person())
    Message.objects.update(created_at=timezone.now() - 99 * DAY, state="failed")
    RetentionRule.objects.filter(kind=Kind.MESSAGE).delete()
    assert "messages" not in purge()


# --- A night --------------------------------------------------------------------------------------------------------


def command(*words):
    said = StringIO()
    call_command("purge", *words, "--json", stdout=said)
    return json.loads(said.getvalue())


def test_a_dry_run_counts_and_removes_nothing():
    old_verification(366)
    told = command("--dry-run")
    assert told["dry_run"]
    assert told["rows"]["verifications"] == 1
    assert Verification.objects.count() == 1
    assert command()["rows"]["verifications"] == 1
    assert not Verification.objects.exists()


def test_it_stops_after_a_batch_and_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        make.verification(make.person())
    Message.objects.update(created_at=timezone.now() - 31 * DAY, state="failed")

    first = retention.run(purging.SORTS, until=lambda: True)
    assert (Message.objects.count(), first.ended_at) == (3, None)
    again = retention.run(purging.SORTS)

    assert (again.pk, again.removed["messages"]) == (first.pk, 5)
    assert again.ended_at
    assert not Message.objects.exists()


def test_two_never_work_at_once_and_a_dead_one_gives_it_back():
    held = Purge.objects.create(began_at=timezone.now(), taken_until=timezone.now() + retention.LEASE)
    assert retention.run(purging.SORTS) is None
    Purge.objects.filter(pk=held.pk).update(taken_until=timezone.now())
    assert retention.run(purging.SORTS).pk == held.pk


def test_one_that_a_wrong_clock_began_holds_up_no_night():
    ahead = timezone.now() + 40 * DAY
    held = Purge.objects.create(began_at=ahead, taken_until=ahead)
    assert retention.due(since=timezone.now() - DAY)
    assert retention.run(purging.SORTS).pk == held.pk, "whoever held it is dead: nobody holds one for so long"
    assert retention.due(since=timezone.now() - DAY)
    assert retention.run(purging.SORTS).pk != held.pk
    assert not retention.due(since=timezone.now() - DAY), "once a night"


@pytest.mark.parametrize(("hour", "on", "goes"), [(3, True, True), (12, True, False), (3, False, False)])
def test_it_goes_by_itself_at_night_unless_it_is_switched_off(settings, monkeypatch, hour, on, goes):
    settings.PURGE_AT_NIGHT = on
    night = timezone.localtime().replace(hour=hour)
    monkeypatch.setattr(timezone, "localtime", lambda: night)
    clock.purge()
    assert Purge.objects.exists() == goes
    clock.purge()
    assert Purge.objects.count() == int(goes), "once a night"


def test_it_is_on_by_default():
    from django.conf import settings

    assert settings.PURGE_AT_NIGHT


# --- Erased is unreadable -------------------------------------------------------------------------------------------


def raw(verification):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(v)::text FROM verification_verification v WHERE id = %s", [verification.pk])
        return cursor.fetchone()[0]


def test_of_an_erased_result_nothing_in_the_row_can_be_opened_to_who_it_was():
    mina = make.Member()
    asked = make.verification(mina.person)
    mina.unlock(asked)
    now = timezone.now()
    asked.refresh_from_db()
    asked.move(Verification.State.VERIFIED, now=now)
    asked.save()
    results.erase(asked)
    Verification.objects.filter(pk=asked.pk).update(first_answer=None)
    asked = Verification.objects.select_related("partner").get(pk=asked.pk)
    assert asked.holder is None
    opened = raw(asked)
    for column in ("holder", "receipt", "first_answer"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM verification_verification WHERE id = %s", [asked.pk])
            kept = cursor.fetchone()[0]
        if kept:
            opened += str(sealed.unseal(bytes(kept), place=f"verification_verification.{column}.{asked.pk}"))
    digits = mina.person.phone.removeprefix("+82")
    for value in (mina.person.name, str(mina.person.birthdate), mina.person.yymmdd, digits):
        assert value not in opened, value
    di = results.receipts.pairwise(str(mina.person.in_the_world()["holder"]["ci"]), asked.partner)
    assert di not in opened


# --- The record of access -------------------------------------------------------------------------------------------


@pytest.fixture
def at(monkeypatch):
    def happens(days, subject="mina"):
        when = timezone.now() - timedelta(days=days)
        monkeypatch.setattr(timezone, "now", lambda: when)
        with transaction.atomic():
            audit.record(BOSS, Action.LOOK, subject, reason="분실 상담")
        monkeypatch.undo()

    return happens


@pytest.fixture
def aged_record(at):
    """Four rows, two of them over three years old; their notes were written."""
    from ansim import checkpoint

    for days in (1200, 1100, 1000, 1):
        at(days)
    last = AccessRecord.objects.order_by("-number").first()
    checkpoint.advance(last.number, bytes(last.mac))


def test_the_record_is_cut_after_three_years_and_still_proves_itself(aged_record, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert audit_cut.cut(by=audit.COMMAND) == 2
    rows = AccessRecord.objects.order_by("number")
    assert [row.number for row in rows] == [3, 4, 5]
    assert (rows.last().action, rows.last().what) == ("cut", "accessrecord.2")
    assert audit.verify() == audit.Verdict(5, 5)
    assert audit_cut.cut(by=audit.COMMAND) == 0


def test_nothing_younger_goes_even_if_a_cut_claims_it(aged_record):
    RecordCut.objects.create(number=4, before=b"x", at=timezone.now(), mac=b"x")
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessRecord.objects.filter(number__gte=3).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessRecord.objects.update(actor="nobody")


def test_without_a_cut_nobody_removes_even_old_rows(aged_record):
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessRecord.objects.filter(number=1).delete()


def test_a_beginning_that_somebody_moved_is_found(aged_record):
    """All triggers down, rows three and four gone, and a cut that says so: but its mac needs the key."""
    last = AccessRecord.objects.get(number=3)
    RecordCut.objects.create(number=3, before=bytes(last.mac), at=timezone.now(), mac=bytes(last.mac))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ansim_accessrecord DISABLE TRIGGER accessrecord_no_early_end")
        cursor.execute("DELETE FROM ansim_accessrecord WHERE number <= 3")
        cursor.execute("ALTER TABLE ansim_accessrecord ENABLE TRIGGER accessrecord_no_early_end")
    assert audit.verify().why == "cut_changed"
    RecordCut.objects.all().delete()
    assert audit.verify().why == "missing"


def test_a_cut_as_the_application_is_refused_by_its_role(system):
    import psycopg

    with psycopg.connect(system["env"]["DATABASE_URL"]) as application:
        for statement in ("DELETE FROM ansim_accessrecord", "DELETE FROM ansim_recordcut"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(statement)
            application.rollback()


def test_the_purge_takes_no_row_of_the_record(aged_record):
    purge()
    assert AccessRecord.objects.count() == 4


def test_names_of_counts_say_what_goes():
    assert all(re.fullmatch(r"[a-z_]+", sort.name) for sort in purging.SORTS)
    assert len({sort.name for sort in purging.SORTS}) == len(purging.SORTS)
