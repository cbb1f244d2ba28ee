"""The monthly review: what is unusual shows, a month is signed once, the record leaves only for a reason."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ansim import audit, review
from ansim.audit import Actor
from ansim.lib.problem import Refused
from ansim.models import AccessRecord, MonthReview
from ansim.record_models import Action
from tests.desk import Staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_the_desk")]
KIM = Actor("kim", "agent", "10.0.0.1", 7)


@pytest.fixture
def boss():
    return Staff("supervisor").come_in()


@pytest.fixture
def auditor():
    return Staff("auditor").come_in()


@pytest.fixture
def at(monkeypatch):
    """Something happens at that hour of Seoul, on a day of last month."""

    def happens(day, hour, action, subject="customer-1", what="", reason="", minute=0):
        month = review.last_month()
        when = datetime(month.year, month.month, day, hour, minute, tzinfo=timezone.get_current_timezone())
        monkeypatch.setattr(timezone, "now", lambda: when.astimezone(UTC))
        with transaction.atomic():
            audit.record(KIM, action, subject, what=what, reason=reason)
        monkeypatch.undo()

    return happens


def test_looks_per_hour_and_nights_show(at):
    for minute in range(5):
        at(3, 10, Action.LOOK, f"customer-{minute}", minute=minute)
    at(3, 22, Action.LOOK)
    at(4, 5, Action.REVEAL)
    at(4, 6, Action.LOOK)
    [kim] = review.of(review.last_month(), by=KIM).figures
    assert (kim.actor, kim.busiest, kim.nights, kim.customers, kim.looks, kim.reveals) == ("kim", 5, 2, 5, 7, 1)


def test_the_same_customer_again_shows_from_the_third_hour_on(at):
    at(3, 10, Action.LOOK)
    at(3, 10, Action.LOOK, minute=30)
    at(3, 11, Action.LOOK)
    assert review.of(review.last_month(), by=KIM).again == []
    at(5, 9, Action.SEARCH)
    [again] = review.of(review.last_month(), by=KIM).again
    assert (again.actor, again.mark, again.hours) == ("kim", "customer", 3)


def test_a_reveal_after_which_nothing_was_done_within_an_hour_shows(at):
    at(3, 10, Action.REVEAL, "customer-1")
    at(3, 10, Action.CANCEL, "customer-1", minute=59)
    assert review.of(review.last_month(), by=KIM).idle == []
    at(3, 12, Action.REVEAL, "customer-2")
    at(3, 12, Action.CANCEL, "customer-1", minute=30)
    at(3, 13, Action.CANCEL, "customer-2", minute=1)
    assert [idle.mark for idle in review.of(review.last_month(), by=KIM).idle] == ["customer"]


def test_other_months_and_our_own_commands_stay_out(at):
    with transaction.atomic():
        audit.record(KIM, Action.REVEAL, "customer-1")
        audit.record(audit.COMMAND, Action.LOOK, "customer-1")
    assert review.of(review.last_month(), by=KIM).figures == []
    assert [one.actor for one in review.of(timezone.localdate().replace(day=1), by=KIM).figures] == ["kim"]


# --- Signing off ----------------------------------------------------------------------------------------------------


def test_a_month_is_signed_once_with_a_note_and_on_record(boss, auditor):
    month = f"{review.last_month():%Y-%m}"
    assert "아직 점검하지 않은" in boss.get("/admin/review/").content.decode()
    assert boss.client.post("/admin/review/", {"note": "이상"}).status_code == 422
    assert boss.client.post("/admin/review/", {"note": "이상한 점 없음"}).status_code == 303
    assert boss.own_records[-1] == ("review", month)
    assert MonthReview.objects.get().signed_by == boss.username
    assert auditor.client.post("/admin/review/", {"note": "다시 한 번"}).status_code == 409
    assert auditor.own_records[-1] == ("refused", "review.impossible")
    assert boss.username in auditor.get("/admin/review/", month=month).content.decode()


def handled_by(who, at, monkeypatch):
    """They looked at a customer last month."""
    monkeypatch.setattr("tests.ansim.test_review.KIM", Actor(who.username, "supervisor", "10.0.0.1", who.agent.pk))
    at(3, 10, Action.LOOK)


def test_who_is_in_the_month_does_not_end_its_review_alone(boss, auditor, at, monkeypatch):
    handled_by(boss, at, monkeypatch)
    month = f"{review.last_month():%Y-%m}"
    assert "혼자서는 점검을 마칠 수 없고" in boss.get("/admin/review/").content.decode()
    assert boss.client.post("/admin/review/", {"note": "이상한 점 없음"}).status_code == 303
    page = boss.get("/admin/review/", month=month).content.decode()
    assert "다른 사람이 한 번 더 서명해야" in page
    assert '<form method="post" class="desk-form"' not in page
    assert boss.client.post("/admin/review/", {"note": "한 번 더"}).status_code == 409
    assert not MonthReview.objects.get().is_done
    assert auditor.client.post("/admin/review/", {"note": "같은 의견"}).status_code == 303
    done = MonthReview.objects.get()
    assert (done.is_done, done.signed_by, done.second_by) == (True, boss.username, auditor.username)
    page = boss.get("/admin/review/", month=month).content.decode()
    assert boss.username in page
    assert auditor.username in page


def test_two_in_the_month_judge_each_other(boss, at, monkeypatch):
    other = Staff("supervisor").come_in()
    for one in (boss, other):
        handled_by(one, at, monkeypatch)
    boss.client.post("/admin/review/", {"note": "이상한 점 없음"})
    other.client.post("/admin/review/", {"note": "이상한 점 없음"})
    assert MonthReview.objects.get().is_done


def test_the_database_knows_no_second_signature_of_the_first():
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        MonthReview.objects.create(
            month=review.last_month(), signed_by="kim", signed_at=now, note="x", needs_second=True, second_by="kim",
            second_at=now,
        )  # fmt: skip


def test_the_present_month_is_looked_at_and_not_signed(boss):
    now = f"{timezone.localdate():%Y-%m}"
    assert boss.get("/admin/review/", month=now).status_code == 200
    assert boss.client.post(f"/admin/review/?month={now}", {"note": "이상한 점 없음"}).status_code == 409
    with pytest.raises(Refused):
        review.sign(timezone.localdate().replace(day=1), by=KIM, note="x")


@pytest.mark.parametrize("month", ["x", "2026-13", "2099-01", "2026-1", "２０２６-01", "2026-01-01"])
def test_what_is_no_month_is_not_there(boss, month):
    assert boss.get("/admin/review/", month=month).status_code == 404


def test_looking_at_the_review_is_on_record_too(auditor):
    auditor.get("/admin/review/")
    assert auditor.own_records[-1] == ("look", f"review.{review.last_month():%Y-%m}")


# --- Export ---------------------------------------------------------------------------------------------------------


def export(who, **differing):
    given = {"month": f"{timezone.localdate():%Y-%m}", "reason": "감독기관 제출", "otp_token": who.code(), **differing}
    return who.client.post("/admin/record/export/", given)


def test_the_record_leaves_for_a_reason_and_that_is_its_last_row(auditor):
    with transaction.atomic():
        audit.record(KIM, Action.LOOK, "customer-1", reason='=HYPERLINK("http://x")')
        audit.record(KIM, Action.LOOK, "customer-1", reason=" @SUM(1)")
    answer = export(auditor)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    reasons = [row[8] for row in rows if row[2] == "kim"]
    assert reasons == ['\'=HYPERLINK("http://x")', "' @SUM(1)"]
    assert rows[-1][5] == "export"
    row = AccessRecord.objects.get(action="export")
    assert (row.actor, row.reason) == (auditor.username, "감독기관 제출")


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "왜"}, {"otp_token": "000000"}, {"month": "x"}, {"month": "2026-99"}]
)
def test_without_reason_code_or_month_nothing_leaves(auditor, wrong):
    assert export(auditor, **wrong).status_code == 422
    assert not AccessRecord.objects.filter(action="export").exists()


@pytest.mark.parametrize("role", ["agent", "supervisor", "partner_manager"])
def test_nobody_but_an_auditor_exports(role):
    han = Staff(role).come_in()
    assert export(han).status_code == 403
    assert han.own_records[-1] == ("refused", "permission")


# --- Coming in and going out ----------------------------------------------------------------------------------------


def test_coming_in_going_out_and_failing_are_on_record():
    han = Staff("agent")
    han.sign_in(password="no")
    han.come_in()
    han.post("/admin/logout/")
    mine = AccessRecord.objects.filter(actor=han.username).order_by("number")
    assert [(row.action, row.what) for row in mine] == [("refused", "sign_in"), ("sign_in", ""), ("sign_out", "")]
    assert {row.address for row in mine} == {han.address}


def test_who_sat_idle_went_out_by_that():
    han = Staff("agent").come_in()
    session = han.client.session
    session["desk"] = {**session["desk"], "seen": (timezone.now() - timedelta(hours=1)).timestamp()}
    session.save()
    han.get("/admin/")
    last = AccessRecord.objects.filter(actor=han.username).order_by("number").last()
    assert (last.action, last.what) == ("sign_out", "idle")


def test_the_review_names_no_customer(boss):
    assert not re.search(r"010-\d{4}-\d{4}", boss.get("/admin/review/").content.decode())
