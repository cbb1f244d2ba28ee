"""The periods at the desk: read by who supervises, changed for a reason and a code, never below the law."""

import pytest
from django.utils import timezone

from ansim.models import AccessRecord, Purge, RetentionRule
from ansim.retention_models import FLOORS, Kind
from tests.desk import Staff

pytestmark = pytest.mark.django_db
PAGE = "/admin/retention/"


@pytest.fixture(autouse=True)
def rules_as_they_are_from_the_start(at_the_desk):
    """Rules as they are from the start: tests that commit empty every table."""
    for kind in Kind:
        RetentionRule.objects.update_or_create(
            kind=kind, defaults={"days": max(30, FLOORS[kind]), "changed_at": timezone.now(), "changed_by": "ansim"}
        )


@pytest.fixture
def boss():
    return Staff("supervisor").come_in()


def change(who, kind="message", **differing):
    given = {"days": "60", "reason": "처리방침 새 판", "otp_token": who.code(), **differing}
    return who.client.post(f"{PAGE}{kind}/", given)


def test_the_page_says_each_period_the_law_and_the_last_purge(boss):
    Purge.objects.create(began_at=timezone.now(), ended_at=timezone.now(), removed={"messages": 1200, "lines": 34})
    page = boss.get(PAGE).content.decode()
    for said in ("1096일", "1827일", "30일", "전자상거래법", "1,234건", "1시간"):
        assert said in page, said
    assert boss.own_records[-1] == ("look", "retention.list")


def test_a_period_is_changed_for_a_reason_and_a_code_and_that_is_on_record(boss):
    assert change(boss).status_code == 303
    rule = RetentionRule.objects.get(kind="message")
    assert (rule.days, rule.changed_by) == (60, boss.username)
    row = AccessRecord.objects.order_by("-number").first()
    assert (row.action, row.what, row.reason) == ("change", "retention.message:30>60", "처리방침 새 판")


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": "6"}, {"days": "0"}, {"days": "-1"}, {"days": "3661"}, {"days": "x"}, {"days": ""}, {"days": "1e9"},
        {"reason": ""}, {"reason": "왜"}, {"otp_token": "000000"},
    ],
)  # fmt: skip
def test_too_short_too_long_or_without_reason_or_code_nothing_changes(boss, wrong):
    assert change(boss, **wrong).status_code == 422
    assert RetentionRule.objects.get(kind="message").days == 30


@pytest.mark.parametrize(("kind", "days"), [("record", 1095), ("subscription", 1826), ("case", 1095)])
def test_what_the_law_keeps_is_not_shortened(boss, kind, days):
    assert change(boss, kind, days=str(days)).status_code == 422
    assert change(boss, kind, days=str(days + 1)).status_code == 303


@pytest.mark.parametrize("role", ["agent", "auditor", "partner_manager"])
def test_nobody_else_changes_it(role):
    han = Staff(role).come_in()
    assert change(han).status_code == 403
    assert han.own_records[-1] == ("refused", "permission")
    assert han.get(PAGE).status_code == (200 if role == "auditor" else 403)


def test_there_is_no_other_kind(boss):
    assert change(boss, "everything").status_code == 404
