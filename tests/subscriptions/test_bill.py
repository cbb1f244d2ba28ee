"""The bill that explains itself (ui.md 5): the days, the words behind them, and who may see which."""

import csv
import io
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string
from django.utils import translation

from ansim.lib.birth import today
from subscriptions import billing, bills, closing, finance, statements
from subscriptions.models import Charge
from tests.subscriptions import bookkeeping as books
from tests.subscriptions.bookkeeping import NOVEMBER, OCTOBER, SEPTEMBER


@pytest.fixture(autouse=True)
def _price(db):
    books.first_price()


@pytest.fixture(autouse=True)
def _korean():
    with translation.override("ko"):
        yield


def rows(bill):
    return [(row.span, row.word, row.days, row.why) for row in bill.rows]


def signs(bill):
    return "".join(cell.sign for week in bill.weeks for cell in week if cell)


# --- The page ---------------------------------------------------------------------------------------------------------


def test_suspended_and_resumed_as_the_customer_reads_it():
    mina = books.member(2025, 1, 1)
    books.report(mina, "suspended", 2025, 9, 10)
    books.report(mina, "resumed", 2025, 9, 20)
    closing.close(SEPTEMBER)

    bill = bills.of(mina, SEPTEMBER)

    assert (bill.total_words, bill.standing, bill.sentence) == ("770원", "확정", "30일 가운데 21일 동안 보호했어요.")
    assert bill.formula == "1,100원 × 21일 ÷ 30일 = 770원"
    assert signs(bill) == "●" * 10 + "○" * 9 + "●" * 11
    assert rows(bill) == [
        ("9월 1일~10일", "보호", "10일", "9월 10일에 통신사가 회선을 정지(그날까지 포함)"),
        ("9월 11일~19일", "일시 정지", "9일", "9월 10일에 통신사가 회선을 정지"),
        ("9월 20일~30일", "보호", "11일", "9월 20일에 회선 정지가 풀림(그날부터 포함)"),
    ]
    assert not bill.adjustments


def test_joined_and_left_within_the_month():
    mina = books.member(2025, 9, 5)
    books.leave(mina, 2025, 9, 15)

    bill = bills.of(mina, SEPTEMBER)

    assert (bill.closed, bill.standing, bill.total) == (False, "예상", 403)
    assert bill.formula == "1,100원 × 11일 ÷ 30일 = 403원 (원 미만 버림)"
    assert rows(bill) == [
        ("9월 1일~4일", "없음", "4일", "가입 전"),
        ("9월 5일~15일", "보호", "11일", "9월 5일에 가입(그날부터 포함), 9월 15일에 해지(그날까지 포함)"),
        ("9월 16일~30일", "없음", "15일", "9월 15일에 해지"),
    ]


def test_a_whole_month_says_since_when():
    mina = books.member(2025, 1, 1)

    bill = bills.of(mina, OCTOBER)

    assert rows(bill) == [("10월 1일~31일", "보호", "31일", "2025년 1월 1일에 가입")]
    assert bill.formula == "1,100원 × 31일 ÷ 31일 = 1,100원"
    assert [len(week) for week in bill.weeks] == [7] * 5
    assert bill.weeks[0].index(bill.weeks[0][3]) == 3  # 1 October 2025 was a Wednesday
    assert [cell is None for cell in bill.weeks[0]] == [True, True, True, False, False, False, False]


def test_a_month_without_service():
    bill = bills.of(books.member(2025, 9, 16), date(2025, 8, 1))

    assert (bill.total, bill.formula, bill.sentence) == (0, "0원", "이 달에는 보호한 날이 없어요.")
    assert signs(bill) == "·" * 31


def test_a_day_joined_and_left_is_free_and_says_so():
    mina = books.member(2025, 9, 16, 9)
    books.leave(mina, 2025, 9, 16, 18)

    bill = bills.of(mina, SEPTEMBER)

    assert bill.total == 0
    assert rows(bill)[-1][3] == "9월 16일에 가입, 9월 16일에 해지"


def test_the_present_month_is_an_estimate_and_days_to_come_look_so():
    now = today()
    mina = books.member(now.year, now.month, now.day, 0, 0)

    bill = bills.of(mina, now.replace(day=1))

    ahead = [cell for week in bill.weeks for cell in week if cell and cell.ahead]
    assert {cell.words for cell in ahead} <= {"보호 예정"}
    assert len(ahead) == billing.last_day(now).day - now.day
    assert bill.standing == "예상"
    assert "지금처럼 쓰면" in bill.sentence


def test_an_adjustment_tells_what_came_late_and_when_it_is_charged():
    mina = books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    books.report(mina, "suspended", 2025, 9, 10)
    closing.close(NOVEMBER)
    books.report(mina, "resumed", 2025, 9, 20)

    bill = bills.of(mina, SEPTEMBER)

    assert (bill.total, bill.amount) == (770, 1100)
    assert bill.first == "처음 확정한 요금은 1,100원(30일)이었어요."
    assert [(row.amount, row.days, row.why, row.when) for row in bill.adjustments] == [
        ("−734원", "−20일", "2025년 9월 10일에 통신사가 회선을 정지", "2025년 11월 요금과 함께"),
        ("+404원", "+11일", "2025년 9월 20일에 회선 정지가 풀림", "다음 청구 때"),
    ]


def test_the_months_are_listed_newest_first_with_what_they_cost():
    mina = books.member(2025, 8, 31)
    books.leave(mina, 2025, 10, 1)
    closing.close(SEPTEMBER)

    listed = bills.months(mina)

    assert [(one.title, one.amount, one.standing) for one in listed] == [
        ("2025년 10월", 35, "예상"),
        ("2025년 9월", 1100, "확정"),
        ("2025년 8월", 35, "예상"),
    ]
    assert bills.months(books.member(2025, 9, 1))[0].title == f"{today().year}년 {today().month}월"


def test_a_former_owners_days_are_nobody_elses_business():
    line = books.member(2025, 9, 1, holder="mina")
    books.report(line, "owner_changed", 2025, 9, 10)
    books.join(line, 2025, 9, 21, holder="jisu")
    closing.close(SEPTEMBER)
    mina, jisu = (one.holder_fingerprint for one in line.subscriptions.order_by("joined_at"))

    whole, hers, his = (bills.of(line, SEPTEMBER, holder) for holder in (None, mina, jisu))

    assert (whole.total, hers.total, his.total) == (733, 366, 366)
    assert rows(his)[0] == ("9월 1일~20일", "없음", "20일", "가입 전")
    assert rows(hers)[-1][3] == "9월 10일에 명의가 바뀜"
    assert not his.adjustments
    assert not hers.adjustments
    assert [one.title for one in bills.months(line, mina)] == ["2025년 9월"]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_part_shows_all_of_it_in_both_languages(language):
    mina = books.member(2025, 1, 1)
    closing.close(SEPTEMBER)
    books.report(mina, "suspended", 2025, 9, 10)

    with translation.override(language):
        bill = bills.of(mina, SEPTEMBER)
        page = render_to_string("parts/bill.html", {"bill": bill})

    expected = {
        "ko": ("366원", "−734원", "일시 정지", "다음 청구 때"),
        "en": ("366 won", "−734 won", "Suspended", "with the next bill"),
    }
    for words in (*expected[language], bill.formula):
        assert words in page
    assert page.count('<time datetime="2025-09-') == 30
    if language == "en":
        assert not any("가" <= letter <= "힣" for letter in page)


# --- The commands -----------------------------------------------------------------------------------------------------


def run(*command):
    out = io.StringIO()
    call_command(*command, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_manage_bill_as_the_contract_has_it():
    mina = books.member(2025, 9, 16)
    before = json.loads(run("bill", mina.contract, "2025-09", "--json"))
    closing.close(SEPTEMBER)
    event = books.report(mina, "suspended", 2025, 9, 20)
    owed = json.loads(run("bill", mina.contract, "2025-09", "--json"))
    closing.close(OCTOBER)
    after = json.loads(run("bill", mina.contract, "2025-09", "--json"))

    assert list(before) == ["contract", "month", "closed", "amount", "days", "adjustments", "total"]
    assert (before["closed"], before["amount"], before["total"], before["adjustments"]) == (False, 550, 550, [])
    assert before["days"][0] == {"date": "2025-09-16", "because": ["joined"]}
    assert len(before["days"]) == 15
    assert owed["adjustments"] == [{"id": None, "amount": -367, "days": -10, "because": [event]}]
    made = Charge.objects.get(adjusts=SEPTEMBER)
    assert after["adjustments"] == [{"id": str(made.pk), "amount": -367, "days": -10, "because": [event]}]
    assert (after["closed"], after["amount"], after["total"]) == (True, 550, 183)
    assert after["days"][-1] == {"date": "2025-09-20", "because": ["joined", event]}
    assert "adjustment: -367 won, -10 days" in run("bill", mina.contract, "2025-09")


def test_manage_bill_of_nobody():
    with pytest.raises(CommandError) as refused:
        run("bill", "nobody", "2025-09")
    assert refused.value.returncode == 2


def test_manage_close_month_closes_and_posts(world):
    mina = books.member(2025, 9, 16)

    told = json.loads(run("close_month", "2025-09", "--json"))

    assert told == {"month": "2025-09", "lines": 1, "charges": 1, "adjustments": 0, "amount": 550, "owed": 0}
    posted = [row for row in world.get("/world/charges").json() if row["contract"] == mina.contract]
    assert [(row["month"], row["amount"], row["days"], row["adjusts"], row["posts"]) for row in posted] == [
        ("2025-09", 550, 15, None, 1)
    ]
    assert posted[0]["id"] == str(Charge.objects.get().pk)


def test_manage_close_month_with_the_carrier_away_closes_and_says_what_is_owed(fail):
    mina = books.member(2025, 9, 16)
    fail("carrier", "error")

    assert json.loads(run("close_month", "2025-09", "--json"))["owed"] == 1

    fail("carrier", "ok")
    assert statements.of(mina, SEPTEMBER).closed
    assert json.loads(run("close_month", "2025-09", "--json"))["owed"] == 0


def test_manage_close_month_of_a_month_that_is_not_over():
    with pytest.raises(CommandError) as refused:
        run("close_month", f"{today():%Y-%m}")
    assert refused.value.returncode == 2


def test_the_table_for_finance_has_every_row_and_runs_no_formula():
    mina = books.member(2025, 9, 16)
    mina.contract = "=HYPERLINK(0)"
    mina.save()
    closing.close(SEPTEMBER)
    out = io.StringIO()

    assert finance.write(SEPTEMBER, out) == 1

    head, row = csv.reader(io.StringIO(out.getvalue()))
    told = dict(zip(head, row, strict=True))
    assert (told["contract"], told["amount"], told["days"], told["adjusts"]) == ("'=HYPERLINK(0)", "550", "15", "")
    assert run("charges", "2025-09", "--csv").count("\r\n") == 2
    assert json.loads(run("charges", "2025-09", "--json"))["amount"] == 550
