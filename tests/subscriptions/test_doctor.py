"""`manage.py doctor`: each thing that can be wrong is found, with what to do about it in both languages."""

import base64
import io
import json
import os
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from ansim import audit, checkpoint, checkup, heartbeat, once
from ansim.lib import sealed
from ansim.lib.health import Level, Owed, by_age, span
from ansim.record_models import Action
from pushes.models import Message
from subscriptions import checkup as standing
from subscriptions import health
from subscriptions.models import CarrierEvent, ClosedMonth, Posting, Reconciliation
from tests import make
from tests.ansim.test_once import no_redis  # noqa: F401 # a fixture
from tests.verification.test_host_in_trouble import FULL

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def note(settings, tmp_path):
    settings.AUDIT_CHECKPOINT = tmp_path / "audit-checkpoint"


def doctor(*only):
    """(exit status, {name: level}, what it said)."""
    said, status = io.StringIO(), 0
    try:
        call_command("doctor", "--only", *only, "--json", stdout=said)
    except SystemExit as left:
        status = left.code
    told = json.loads(said.getvalue())
    assert told["ok"] == (status == 0)
    for one in told["findings"]:
        assert one["said"]["ko"] != one["said"]["en"] or one["name"] == "redis", one
        assert bool(one["advice"]["ko"]) == bool(one["advice"]["en"]) == (one["level"] != "ok"), one
    return status, {one["name"]: one["level"] for one in told["findings"]}, json.dumps(told, ensure_ascii=False)


def wrong(name, *, because=""):
    status, levels, said = doctor(name)
    assert (status, levels) == (1, {name: "bad"}), said
    assert because in said


def key(size=32):
    return base64.b64encode(os.urandom(size)).decode()


# --- Settings and keys ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("DEBUG", True), ("SECRET_KEY", "short"), ("SECRET_KEY", "made-by-" + "x" * 60), ("ALLOWED_HOSTS", ["*"]),
     ("BASE_URL", "https://ansim.example"), ("DEMO", False), ("METRICS_TOKEN", "guessable")],
)  # fmt: skip
def test_settings_unfit_for_production(settings, name, value):
    settings.METRICS_TOKEN = "a-long-enough-token-for-metrics"
    assert doctor("settings")[0] == 0
    setattr(settings, name, value)
    wrong("settings")


@pytest.mark.parametrize(
    ("name", "value"),
    [("CODE_KEY", "not base64!"), ("PASSWORD_PEPPER", key(16)), ("AUDIT_KEY", ""), ("FINGERPRINT_KEY", key(33)),
     ("SEAL_KEYS", [f"k1:{key()}", f"k1:{key()}"]), ("SEAL_KEYS", [f"k1:{key(16)}"]),
     ("NUMBER_SIGNING_KEYS", [f"number-1:{key()}"]), ("RECEIPT_SIGNING_KEYS", ["receipt-1"])],
    ids=["no-base64", "short", "none", "long", "same-id-twice", "short-seal", "no-signing-key", "no-key-at-all"],
)  # fmt: skip
def test_a_key_that_cannot_be_used_is_named_and_not_shown(settings, name, value):
    assert doctor("keys")[0] == 0
    setattr(settings, name, value)
    wrong("keys", because=name)
    assert str(value) not in doctor("keys")[2] or not value


def test_rows_that_were_sealed_with_a_key_that_is_gone(settings):
    make.partner()
    assert doctor("sealed")[0] == 0
    settings.SEAL_KEYS = [f"another:{key()}"]
    sealed._ring.cache_clear()
    try:
        wrong("sealed", because="verification_partner.webhook_secret")
    finally:
        sealed._ring.cache_clear()


# --- The database ---------------------------------------------------------------------------------------------------


def test_a_migration_that_was_not_applied():
    assert doctor("database")[0] == 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'pushes'")
    wrong("database", because="pushes.0001")


def test_a_database_that_is_too_old(monkeypatch):
    monkeypatch.setattr(checkup, "OLDEST_POSTGRES", 99)
    wrong("database", because="99")


def test_a_clock_that_differs_from_the_databases(monkeypatch):
    monkeypatch.setattr(checkup.time, "time", lambda now=checkup.time.time: now() - 60)
    wrong("database", because="60")


def test_a_database_that_takes_no_row():
    with connection.cursor() as cursor:
        cursor.execute(FULL)
        cursor.execute("CREATE TRIGGER full_disk BEFORE INSERT ON ansim_spent EXECUTE FUNCTION no_space()")
        cursor.execute("SELECT set_config('ansim.full', 'ansim_spent', false)")
    wrong("database", because="DiskFull")


def test_a_role_that_owns_the_tables_and_may_change_the_record():
    """As the tests' own role does. That the running copy's may not is seen in tests/story."""
    wrong("role")


# --- The record of access -------------------------------------------------------------------------------------------


def test_a_record_whose_last_row_was_removed_or_changed():
    audit.record(audit.COMMAND, Action.LOOK, what="x")
    assert doctor("record")[0] == 0
    checkpoint.advance(7, b"another")
    wrong("record")


def test_a_note_that_cannot_be_read_and_one_that_is_missing(settings):
    audit.record(audit.COMMAND, Action.LOOK, what="x")
    assert doctor("record")[1] == {"record": "warn"}, "nothing was committed here, so nothing was noted"
    settings.AUDIT_CHECKPOINT.write_text("{")
    wrong("record")


# --- What is around it ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_redis")
def test_redis_is_away():
    wrong("redis")
    wrong("ticks")
    assert health.standing().bells is None


def test_redis_is_too_old(monkeypatch):
    assert doctor("redis")[0] == 0
    monkeypatch.setattr(checkup, "OLDEST_REDIS", (99, 0))
    wrong("redis")


def test_no_worker_listens_to_a_queue(monkeypatch):
    assert doctor("worker")[0] == 1, "the system's own worker listens to another Redis database"
    monkeypatch.setattr(checkup.current_app.control, "inspect", lambda timeout: Answering("push", "sms"))
    wrong("worker", because="webhook, clock")


class Answering:
    def __init__(self, *queues):
        self.queues = queues

    def active_queues(self):
        return {"worker@here": [{"name": name} for name in self.queues]}


@pytest.mark.parametrize(("free", "level"), [(0.5, "ok"), (0.05, "warn"), (0.01, "bad")])
def test_a_disk_that_fills_up(monkeypatch, free, level):
    monkeypatch.setattr(checkup, "_free", lambda path: free)
    assert doctor("disk")[1] == {"disk": level}


@pytest.mark.parametrize(
    ("check", "differing"),
    [("carrier", {"CARRIER_URL": NOWHERE}), ("sms", {"SMS_URL": NOWHERE}), ("sms", {"SMS_TOKEN": "wrong"}),
     ("sms", {"SMS_GATEWAY": "pigeon"}), ("mail", {"EMAIL_PORT": 9}), ("fcm", {"FCM_CREDENTIALS": "/nowhere"}),
     ("apns", {"APNS_PORT": 9}), ("apns", {"APNS_KEY_ID": "ABCDE12345"})],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)  # fmt: skip
def test_a_vendor_that_is_away_or_does_not_let_us_in(settings, check, differing):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # not the tests' own
    assert doctor(check)[0] == 0
    for name, value in differing.items():
        setattr(settings, name, value)
    wrong(check)


def test_a_vendor_in_trouble(fail):
    fail("carrier", "error", 1)
    wrong("carrier", because="status 500")
    fail("apns", "error", 1)
    wrong("apns")


def test_to_look_sends_nothing(world, texts):
    before = [world.get(f"/world/{kind}").json() for kind in ("pushes", "charges")]
    doctor("sms", "fcm", "apns", "mail", "carrier")
    after = [world.get(f"/world/{kind}").json() for kind in ("pushes", "charges")]
    assert after[1] == before[1]
    assert all(push["answered"] in (400, None) for push in after[0][: len(after[0]) - len(before[0])])


# --- What stands ----------------------------------------------------------------------------------------------------


def owed(seconds, **differing):
    now = timezone.now()
    return Message.objects.create(
        channel="sms", kind="sms", body={"to": "", "text": ""}, due_at=now - timedelta(seconds=seconds),
        expires_at=now + timedelta(hours=1), **differing,
    )  # fmt: skip


@pytest.mark.parametrize(("seconds", "level"), [(1, "ok"), (20, "warn"), (100, "bad")])
def test_messages_that_nobody_takes_up(seconds, level):
    owed(seconds)
    assert doctor("messages")[1] == {"messages": level}
    Message.objects.update(state="void")
    assert doctor("messages")[1] == {"messages": "ok"}


def test_a_message_that_waits_for_a_later_try_is_owed_and_not_late():
    owed(-30)
    found = health.standing().messages["sms"]
    assert (found.count, found.late) == (1, 0)


def test_a_webhook_that_nobody_takes_up():
    asked = make.verification(make.person())
    asked.webhooks.update(due_at=timezone.now() - timedelta(hours=1))
    assert doctor("webhooks")[1] == {"webhooks": "bad"}


def test_a_verification_that_stays_open_past_its_time():
    asked = make.verification(make.person())
    assert health.standing().open.by_state["awaiting_code"] == 1
    assert doctor("verifications")[1] == {"verifications": "ok"}
    type(asked).objects.filter(pk=asked.pk).update(expires_at=timezone.now() - timedelta(minutes=5))
    wrong("verifications", because="0:0")


@pytest.mark.parametrize(("age", "level"), [(timedelta(hours=1), "warn"), (timedelta(days=2), "bad")])
def test_a_carriers_event_that_is_stuck(age, level):
    event = CarrierEvent.objects.create(
        source="carrier", event_id=uuid.uuid4().hex, type="unknown:moon", contract="C", contract_fingerprint="f",
        time=timezone.now(), standing="stuck",
    )  # fmt: skip
    CarrierEvent.objects.filter(pk=event.pk).update(received_at=timezone.now() - age)
    assert doctor("events")[1] == {"events": level}


def test_charges_that_the_carrier_does_not_accept():
    posting = Posting.objects.create(month=date(2026, 10, 1))
    assert doctor("postings")[1] == {"postings": "ok"}
    Posting.objects.filter(pk=posting.pk).update(due_at=timezone.now() - timedelta(days=2))
    assert doctor("postings")[1] == {"postings": "bad"}


def test_a_month_that_nobody_closed():
    assert doctor("month")[1] == {"month": "ok"}, "nobody was a member then"
    mina = make.Member()
    assert doctor("month")[1] == {"month": "ok"}
    mina.line.subscriptions.update(joined_at=timezone.now() - timedelta(days=40))
    assert doctor("month")[1] == {"month": "warn"}
    ClosedMonth.objects.create(month=health.billing.month_before(health._this_month()))
    assert doctor("month")[1] == {"month": "ok"}


def test_a_comparison_with_the_carrier_that_was_long_ago():
    Reconciliation.objects.create(began_at=timezone.now() - timedelta(days=3), ended_at=timezone.now())
    assert doctor("sweep")[1] == {"sweep": "warn"}


def test_a_clock_that_stopped():
    once.store().delete(heartbeat.TICK)
    wrong("ticks")
    heartbeat.tick()
    assert doctor("ticks")[1] == {"ticks": "ok"}
    once.store().set(heartbeat.TICK, datetime.now(UTC).timestamp() - 90)
    wrong("ticks", because="0:01:3")


# --- How it speaks --------------------------------------------------------------------------------------------------


def test_it_speaks_korean_and_english_with_what_to_do_below():
    said = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("doctor", "--only", "role", "messages", stdout=said, no_color=True)
    assert left.value.code == 1
    lines = said.getvalue().splitlines()
    assert lines[0].startswith("나쁨 · bad  role")
    assert lines[3] == "좋음 · ok   messages       보낼 것 0건, 밀리지 않음 · 0 messages owed, none late"


def test_a_check_that_breaks_is_a_finding_and_does_not_stop_the_others(monkeypatch):
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda path: {}["no such disk"])
    status, levels, said = doctor("disk", "redis")
    assert (status, levels) == (1, {"disk": "bad", "redis": "ok"})
    assert "KeyError" in said


def test_spans_and_ages():
    assert [span(0), span(61), span(90_000)] == ["0:00:00", "0:01:01", "25:00:00"]
    assert [by_age(age, warn=2, bad=4) for age in (1, 2, 4)] == [Level.OK, Level.WARN, Level.BAD]
    assert [name for name, _ in standing.of(health.standing())] == list(standing.NAMES)
    assert Owed() == Owed(0, 0.0, 0.0)
