"""The record of access: nobody reads a customer's data unseen, and nobody makes it unseen afterwards."""

import json
import logging
from io import StringIO

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from psycopg.errors import InsufficientPrivilege

from ansim import audit, checkpoint
from ansim.lib import fingerprint
from ansim.models import AccessRecord, Agent
from ansim.record_models import Action
from subscriptions import pending
from subscriptions.models import Subscription
from tests import make
from tests.verification.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MINA, JUNO = (fingerprint.of("contract", contract) for contract in ("mina", "juno"))
HAN = audit.Actor("han", "agent", "203.0.113.9", 7)


@pytest.fixture(autouse=True)
def note(settings, tmp_path):
    """The checkpoint of this test's record."""
    settings.AUDIT_CHECKPOINT = tmp_path / "audit-checkpoint"
    return settings.AUDIT_CHECKPOINT


def record(*subjects, **more):
    with transaction.atomic():
        audit.record(HAN, Action.LOOK, *subjects, **more)


@pytest.fixture
def ten():
    for _ in range(5):
        record(MINA, JUNO, what="customer", reason="분실 상담")


def as_superuser(*statements):
    """What somebody does who holds the whole database: triggers do not stop them."""
    with connection.cursor() as cursor:
        for trigger in ("accessrecord_no_change", "accessrecord_no_early_end"):
            cursor.execute(f"ALTER TABLE ansim_accessrecord DISABLE TRIGGER {trigger}")
        for statement in statements:
            cursor.execute(statement)
        for trigger in ("accessrecord_no_change", "accessrecord_no_early_end"):
            cursor.execute(f"ALTER TABLE ansim_accessrecord ENABLE TRIGGER {trigger}")


def told(*command):
    """The exit status and the JSON of `manage.py audit …`."""
    said, status = StringIO(), 0
    try:
        call_command("audit", *command, "--json", stdout=said)
    except SystemExit as left:
        status = left.code
    return status, json.loads(said.getvalue())


# --- What is on record ----------------------------------------------------------------------------


def test_a_record_says_who_when_from_where_whose_data_what_and_why():
    record(MINA, what="name", reason="본인 확인")

    status, found = told("list", "--subject", "mina")
    (item,) = found["items"]
    assert status == 0
    assert item.pop("at").endswith("Z")
    assert item == {
        "actor": "han", "role": "agent", "from": "203.0.113.9", "subject": "mina", "action": "look", "what": "name",
        "reason": "본인 확인",
    }  # fmt: skip


def test_a_list_is_one_record_for_each_person_on_it():
    record(MINA, JUNO)
    assert [row.subject for row in AccessRecord.objects.order_by("number")] == [MINA, JUNO]


def test_what_concerns_nobody_in_particular_is_on_record_too():
    record(what="retention")
    assert AccessRecord.objects.get().subject == ""


def test_the_newest_stands_first_and_nobody_elses_is_shown(ten):
    record(MINA, reason="last")
    items = told("list", "--subject", "mina")[1]["items"]
    assert [item["reason"] for item in items] == ["last", *["분실 상담"] * 5]
    assert told("list", "--subject", "nobody")[1] == {"items": []}


def test_the_reason_is_not_readable_in_the_database(ten):
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(record::text, '') FROM ansim_accessrecord record")
        stored = cursor.fetchone()[0]
    assert "분실" not in stored
    assert "분실".encode().hex() not in stored


def test_an_agents_roles_are_kept_as_they_were():
    agent = Agent.objects.create_user("kim")
    agent.groups.add(*(Group.objects.get_or_create(name=name)[0] for name in ("supervisor", "agent")))
    assert audit.staff(agent, address="192.0.2.1") == audit.Actor("kim", "agent,supervisor", "192.0.2.1", agent.pk)


def test_the_customer_reads_when_which_role_what_and_why_but_no_name_of_staff(ten):
    with translation.override("ko"):
        look = audit.looks_at("mina")[0]
    assert (look.role, look.action, look.what, look.reason) == ("상담원", "정보 열람", "customer", "분실 상담")
    assert "han" not in str(look)


# --- With the deed, or not at all -----------------------------------------------------------------


def test_a_deed_that_comes_to_nothing_leaves_no_record(note):
    with transaction.atomic():
        audit.record(HAN, Action.CHANGE, MINA)
        transaction.set_rollback(True)
    record(JUNO)

    assert [row.number for row in AccessRecord.objects.all()] == [1]
    assert checkpoint.read().number == 1
    assert audit.verify().broken is None


def test_nothing_is_recorded_outside_of_the_deeds_transaction():
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(HAN, Action.LOOK, MINA)


def test_a_cancellation_at_the_desk_is_on_record():
    mina = make.Member()
    pending.ask(mina.person.contract, pending.Kind.CANCELLATION, by=None, reason="전화 요청")

    (item,) = told("list", "--subject", mina.person.contract)[1]["items"]
    assert (item["actor"], item["action"], item["reason"]) == ("command", "cancel", "전화 요청")


def test_a_refused_cancellation_leaves_nothing_behind():
    somebody = make.person()
    make.verification(somebody)  # the line is known, but nobody joined
    with pytest.raises(Subscription.DoesNotExist):
        pending.ask(somebody.contract, pending.Kind.CANCELLATION, by=None)
    assert not AccessRecord.objects.exists()


def test_many_at_once_make_one_chain():
    def deed(n):
        def look():
            for _ in range(5):
                record(MINA, JUNO, reason=f"{n}")

        return look

    at_once(*(deed(n) for n in range(20)))

    assert audit.verify() == audit.Verdict(count=200, checkpoint=200)


def test_appending_costs_three_statements_whatever_the_length(ten):
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        audit.record(HAN, Action.EXPORT, *[MINA] * 50)
    assert len(queries) == 3


# --- Nobody touches it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ansim_accessrecord SET actor = 'lee'",
        "UPDATE ansim_accessrecord SET actor = 'lee' WHERE false",
        "DELETE FROM ansim_accessrecord",
        "INSERT INTO ansim_accessrecord TABLE ansim_accessrecord ON CONFLICT (number) DO UPDATE SET actor = 'lee'",
    ],
)
def test_the_database_refuses_every_change(ten, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert audit.verify().count == 10


def test_the_database_refuses_to_empty_it(ten):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ansim_accessrecord ENABLE TRIGGER accessrecord_no_truncate")
        try:
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                cursor.execute("TRUNCATE ansim_accessrecord")
        finally:
            cursor.execute("ALTER TABLE ansim_accessrecord DISABLE TRIGGER accessrecord_no_truncate")


@pytest.mark.parametrize("deed", ["UPDATE ansim_accessrecord SET actor = 'lee'", "DELETE FROM ansim_accessrecord"])
def test_the_applications_own_role_may_not_even_ask(system, deed):
    with psycopg.connect(system["env"]["DATABASE_URL"]) as application, pytest.raises(InsufficientPrivilege):
        application.execute(deed)


def test_an_untouched_record_is_proved(ten):
    assert told("verify") == (0, {"ok": True, "count": 10, "checkpoint": 10, "broken": None, "why": None})


def test_no_record_at_all_is_proved_too():
    assert told("verify")[0] == 0


OTHER = ", ".join(name for name in (*AccessRecord.CONTENT, "mac") if name != "number")
COPY = f"INSERT INTO ansim_accessrecord (number, {OTHER}) SELECT %d, {OTHER} FROM ansim_accessrecord WHERE number = 4"


@pytest.mark.parametrize(
    ("crime", "broken", "why"),
    [
        (["UPDATE ansim_accessrecord SET actor = 'lee' WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET at = at - interval '1 microsecond' WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET role = actor, actor = role WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET address = '' WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET agent = NULL WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET subject = reverse(subject) WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET action = 'search' WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET what = '' WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET sealed_reason = '' WHERE number = 4"], 4, "changed"),
        (["UPDATE ansim_accessrecord SET mac = sha256(mac) WHERE number = 4"], 4, "changed"),
        (["DELETE FROM ansim_accessrecord WHERE number = 1"], 1, "missing"),
        (["DELETE FROM ansim_accessrecord WHERE number = 4"], 4, "missing"),
        (
            [
                "DELETE FROM ansim_accessrecord WHERE number = 4",
                "UPDATE ansim_accessrecord SET number = number - 1 WHERE number > 4",
            ],
            4,
            "changed",
        ),
        (["DELETE FROM ansim_accessrecord WHERE number = 10"], 10, "missing_at_the_end"),
        (["DELETE FROM ansim_accessrecord WHERE number > 3"], 4, "missing_at_the_end"),
        (["DELETE FROM ansim_accessrecord"], 1, "missing_at_the_end"),
        (
            [
                "UPDATE ansim_accessrecord SET number = 99 WHERE number = 4",
                "UPDATE ansim_accessrecord SET number = 4 WHERE number = 5",
                "UPDATE ansim_accessrecord SET number = 5 WHERE number = 99",
            ],
            4,
            "changed",
        ),
        ([COPY % 11], 11, "changed"),
        ([COPY % 0], 1, "missing"),
    ],
)  # fmt: skip
def test_who_holds_the_whole_database_is_found_out(ten, crime, broken, why):
    as_superuser(*crime)

    status, found = told("verify")

    assert status == 1
    assert (found["ok"], found["broken"], found["why"]) == (False, broken, why)


def test_the_end_cut_off_and_written_anew_is_found(ten, note):
    """The last rows replaced by others that the application itself chained: right macs, another story."""
    kept = note.read_text()
    as_superuser("DELETE FROM ansim_accessrecord WHERE number > 8")
    record(MINA)
    record(MINA)
    note.write_text(kept)

    assert told("verify")[1]["broken"] == 10


def test_a_row_out_of_a_backup_does_not_fit_into_another_story(ten, note):
    """Each mac covers the row before: a genuine ninth row, but not the one after which the tenth was written."""
    as_superuser(
        "CREATE TEMP TABLE backup AS SELECT * FROM ansim_accessrecord WHERE number = 9",
        "DELETE FROM ansim_accessrecord WHERE number > 8",
    )
    record(MINA)
    record(MINA)
    as_superuser(
        "DELETE FROM ansim_accessrecord WHERE number = 9",
        "INSERT INTO ansim_accessrecord SELECT * FROM backup",
        "DROP TABLE backup",
    )
    note.write_text(json.dumps({"number": 10, "mac": bytes(AccessRecord.objects.get(number=10).mac).hex()}))

    assert told("verify")[1]["broken"] == 10


def test_without_the_note_outside_the_end_is_not_proved(ten, note):
    note.unlink()
    assert told("verify")[1]["why"] == "no_checkpoint"


def test_a_note_that_cannot_be_read_proves_nothing(ten, note):
    note.write_text("{}")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("audit", "verify")


def test_another_key_proves_nothing(ten, settings):
    settings.AUDIT_KEY = settings.CODE_KEY
    assert told("verify")[1]["broken"] == 1


def test_the_note_never_goes_back(note):
    checkpoint.advance(5, b"five")
    checkpoint.advance(4, b"four")
    assert checkpoint.read() == checkpoint.Checkpoint(5, b"five")


def test_the_deed_stands_when_its_note_cannot_be_written(settings, tmp_path, caplog):
    settings.AUDIT_CHECKPOINT = tmp_path / "no such folder" / "audit-checkpoint"
    with caplog.at_level(logging.INFO):
        record(MINA)

    assert AccessRecord.objects.count() == 1
    assert [entry.getMessage() for entry in caplog.records if entry.name == "ansim.checkpoint"] == [
        "audit_checkpoint",
        "audit_checkpoint_not_written",
    ]


def test_a_long_record_tells_how_far_it_is(settings):
    for _ in range(3):
        record(*[MINA] * audit.CHUNK)
    seen = []
    audit.verify(lambda done, of: seen.append((done, of)))
    assert seen == [(audit.CHUNK * n, audit.CHUNK * 3) for n in (1, 2, 3)]
