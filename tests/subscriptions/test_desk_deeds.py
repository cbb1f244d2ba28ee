"""What the desk does for a customer: two persons where no phone could stop it, and what turns protection up at once."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from ansim.models import AccessRecord
from pushes.models import Message
from subscriptions import clock, pending, re_registration
from subscriptions.models import PendingChange, Subscription
from tests import make
from tests.desk import Staff
from verification import not_me
from verification.models import Case, Line, Verification

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_the_desk")]
DAY = timedelta(days=1)
CHECKS = {"check0": "on", "check1": "on", "check2": "on", "detail": "휴대폰을 잃어버림"}


@pytest.fixture
def han():
    return Staff("agent").come_in()


@pytest.fixture
def boss():
    return Staff("supervisor").come_in()


def words(answer):
    return re.sub(r"<[^>]+>", " ", answer.content.decode())


def told(line):
    return [message.body["notice"] for message in Message.objects.filter(kind="notice").order_by("created_at")]


def do(who, page, code, **given):
    given = {**CHECKS, **given}
    if code in ("cancel", "reset", "approve"):
        given.setdefault("otp_token", who.code())
    return who.post(f"{page}do/{code}/", **given)


def subscription(person):
    return Subscription.objects.get(line__contract_fingerprint=fingerprint.of("contract", person.contract))


def days_pass(change):
    PendingChange.objects.filter(pk=change.pk).update(due_at=timezone.now() - timedelta(seconds=1))


# --- Two persons ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["cancel", "reset"])
def test_with_no_phone_that_could_stop_it_nothing_begins_before_somebody_else_approved(han, boss, code):
    mina = make.member_without_app()
    assert "두 사람" in words(han.get(f"{han.opens(mina)}do/{code}/"))
    assert do(han, han.opens(mina), code).status_code == 303
    change = PendingChange.objects.get()
    assert change.awaits_approval
    days_pass(change)
    clock.take_effect()
    assert subscription(mina).state == "active"
    assert not re_registration._resets(subscription(mina).line).exists()

    page = boss.opens(mina)
    asked = words(boss.get(f"{page}do/approve/"))
    assert han.username in asked
    assert "휴대폰을 잃어버림" in asked
    assert do(boss, page, "approve").status_code == 303
    change.refresh_from_db()
    assert (change.approved_by, change.due_at - change.approved_at) == (boss.agent, DAY)
    assert boss.own_records[-1] == ("approve", change.kind)
    days_pass(change)
    clock.take_effect()
    assert (subscription(mina).state == "ended") == (code == "cancel")
    assert re_registration._resets(subscription(mina).line).exists() == (code == "reset")


def test_with_a_registered_phone_the_day_begins_at_once(han, boss):
    mina = make.Member()
    do(han, han.opens(mina.person), "cancel")
    assert not PendingChange.objects.get().needs_approval
    assert do(boss, boss.opens(mina.person), "approve").status_code == 409


def test_nobody_approves_what_they_took_down_themselves(boss):
    mina = make.member_without_app()
    page = boss.opens(mina)
    do(boss, page, "cancel")
    answer = do(boss, page, "approve")
    assert answer.status_code == 409
    assert "다른 책임자" in words(answer)
    assert boss.own_records[-1] == ("refused", "approve.impossible")
    assert PendingChange.objects.get().awaits_approval
    with pytest.raises(Refused):
        pending.approve(mina.contract, by=boss.agent, actor=None, reason="x")


def test_the_database_itself_refuses_one_person_as_maker_and_checker(boss):
    mina = make.member_without_app()
    do(boss, boss.opens(mina), "cancel")
    alone = {"approved_by": boss.agent, "approved_at": timezone.now()}
    for wrong in (alone, {"approved_at": timezone.now()}, {"done_at": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PendingChange.objects.update(**wrong)


def test_an_agent_approves_nothing(han, boss):
    mina = make.member_without_app()
    do(boss, boss.opens(mina), "cancel")
    assert do(han, han.opens(mina), "approve").status_code == 403
    assert han.get("/admin/tasks/approvals/").status_code == 403
    assert "승인 대기" not in words(han.get("/admin/"))
    assert PendingChange.objects.get().awaits_approval


def test_what_waits_for_an_approval_stands_on_the_supervisors_first_page(han, boss):
    mina = make.member_without_app()
    do(han, han.opens(mina), "cancel")
    assert "승인 대기 1" in " ".join(words(boss.get("/admin/")).split())
    listed = boss.get("/admin/tasks/approvals/").content.decode()
    assert f"/admin/customers/{subscription(mina).pk}/open/" in listed
    assert mina.name not in listed


def test_what_was_stopped_is_not_approved_and_what_nobody_approves_is_over_after_a_week(han, boss):
    mina = make.member_without_app()
    page = han.opens(mina)
    do(han, page, "cancel")
    do(han, page, "stop")
    assert do(boss, boss.opens(mina), "approve").status_code == 409
    do(han, page, "cancel")
    PendingChange.objects.filter(stopped_at=None).update(asked_at=timezone.now() - pending.RESET_LIFE)
    pending.lapse()
    assert not PendingChange.objects.filter(stopped_at=None).exists()


def test_the_approval_takes_a_fresh_code_and_the_call(han, boss):
    mina = make.member_without_app()
    do(han, han.opens(mina), "cancel")
    page = boss.opens(mina)
    assert do(boss, page, "approve", otp_token="000000").status_code == 422
    assert do(boss, page, "approve", check0="").status_code == 422
    assert PendingChange.objects.get().awaits_approval


# --- Up, at once ----------------------------------------------------------------------------------------------------


def test_a_lost_phone_can_do_nothing_more_is_told_and_the_line_stays_protected(han):
    mina = make.Member()
    asked = make.verification(mina.person)
    page = han.opens(mina.person)
    assert do(han, page, "lost").status_code == 303
    line = subscription(mina.person).line
    assert (line.device, line.protection) == (None, Line.Protection.ON)
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (Verification.State.FAILED, "app_not_registered")
    assert "removed" in told(line)
    assert han.own_records[-1] == ("change", "app_revoked")
    assert do(han, page, "lost").status_code == 409


def test_nobody_takes_the_phone_away_to_let_a_cancellation_through(han):
    mina = make.Member()
    page = han.opens(mina.person)
    do(han, page, "cancel")
    do(han, page, "lost")
    assert PendingChange.objects.get().stopped_at
    do(han, page, "cancel")
    assert PendingChange.objects.get(stopped_at=None).awaits_approval


def test_stop_all_is_turned_on_for_the_customer_who_is_told_that_it_was_an_agent(han):
    mina = make.Member()
    asked = make.verification(mina.person)
    page = han.opens(mina.person)
    assert do(han, page, "stop-all").status_code == 303
    line = Line.objects.get(pk=mina.line.pk)
    asked.refresh_from_db()
    assert (line.stop_all, asked.reason) == (True, "line_blocked")
    assert {"stop_all", "agent_acted"} <= set(told(line))
    assert han.own_records[-1] == ("change", "stop_all")
    assert do(han, page, "stop-all").status_code == 409


def test_the_way_to_the_app_goes_by_sms_without_a_number_three_times_a_day(han):
    mina = make.member_without_app()
    page = han.opens(mina)
    answers = [do(han, page, "link").status_code for _ in range(4)]
    assert answers == [303, 303, 303, 409]
    body = Message.objects.filter(kind="sms").last().body
    assert body["to"] == mina.phone
    assert "/how-to" in body["text"]
    assert not re.search(r"(?<![\d-])\d{6}(?![\d-])", body["text"].replace("1566-4380", ""))
    assert len(body["text"].replace("https://ansim.example", "").encode("euc-kr")) <= 90


# --- What the owner reported ----------------------------------------------------------------------------------------


def test_a_report_is_read_in_words_and_closed_with_a_note(han):
    mina = make.Member()
    asked = make.verification(mina.person)
    not_me.report(asked.pk, line=mina.line)
    page = han.opens(mina.person)
    told_facts = words(han.get(f"{page}do/case/"))
    assert "책방" in told_facts
    assert "이 사이트가 1번" in told_facts
    assert mina.person.name not in told_facts
    assert do(han, page, "case", detail="고객과 통화, 사칭 문자").status_code == 303
    case = Case.objects.get()
    assert (case.closed_by, case.note) == (han.agent, "해지 (C-1042): 고객과 통화, 사칭 문자")
    assert "사칭" not in str(Case.objects.extra(select={"raw": "encode(note, 'escape')"}).values_list("raw"))
    assert han.own_records[-1] == ("change", "case_closed")
    assert do(han, page, "case").status_code == 409


def test_every_deed_page_costs_at_most_twelve_statements(han, boss):
    mina = make.Member()
    not_me.report(make.verification(mina.person).pk, line=mina.line)
    lone = make.member_without_app()
    do(han, han.opens(lone), "cancel")
    for person, codes in ((mina.person, ("lost", "stop-all", "link", "case")), (lone, ("approve",))):
        page = boss.opens(person)
        for path in (page, "/admin/", "/admin/tasks/approvals/", *(f"{page}do/{code}/" for code in codes)):
            with CaptureQueriesContext(connection) as asked:
                assert boss.get(path).status_code == 200
            real = [one["sql"] for one in asked if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
            assert len(real) <= 12, (path, len(real), real)


def test_what_was_done_is_read_by_the_customer(han):
    from ansim import audit

    mina = make.Member()
    do(han, han.opens(mina.person), "stop-all")
    looks = audit.looks_at(mina.person.contract)
    assert ("상담원", "정보 변경", "stop_all") in [(look.role, look.action, look.what) for look in looks]
    assert AccessRecord.objects.filter(what="stop_all").get().reason.endswith("휴대폰을 잃어버림")
