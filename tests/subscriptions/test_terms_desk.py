"""Prices and consent documents at the desk: a new one from tomorrow on, what began is never touched."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ansim.lib import birth
from subscriptions.models import ConsentDocument, Price
from tests.desk import Staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_the_desk")]
TEXTS = {
    "title_ko": "이용약관",
    "title_en": "Terms",
    "body_ko": "# 약관",
    "body_en": "# Terms",
}


@pytest.fixture
def manager():
    return Staff("partner_manager").come_in()


def day(ahead):
    return (birth.today() + timedelta(days=ahead)).isoformat()


@pytest.mark.parametrize(
    ("ahead", "won", "taken"),
    [(1, 1200, True), (0, 1200, False), (-9, 1200, False), (5, 0, False)],
)
def test_a_price_begins_tomorrow_or_later(manager, ahead, won, taken):
    answer = manager.client.post("/admin/subscriptions/price/add/", {"starts_on": day(ahead), "won": won})
    assert answer.status_code == (302 if taken else 200)
    assert Price.objects.filter(starts_on=day(ahead)).exists() == taken
    assert (("change", "price.add") in manager.own_records) == taken


def test_a_price_is_neither_changed_nor_deleted(manager):
    first = Price.objects.first()
    for deed in ("change", "delete"):
        assert manager.post(f"/admin/subscriptions/price/{first.pk}/{deed}/", won=1, post="yes").status_code == 403
    assert Price.objects.get(pk=first.pk).won == first.won


def test_a_new_version_is_named_by_its_day_and_required_by_its_kind(manager):
    for kind, required in (("terms", True), ("marketing", False)):
        given = {"kind": kind, "starts_on": day(3), **TEXTS, "summary_ko": "하나\n둘"}
        assert manager.client.post("/admin/subscriptions/consentdocument/add/", given).status_code == 302
        made = ConsentDocument.objects.get(kind=kind, version=day(3))
        assert (made.required, made.summary_ko, made.summary_en) == (required, ["하나", "둘"], [])
        assert timezone.localtime(made.starts_at).isoformat().startswith(f"{day(3)}T00:00:00")
        again = manager.client.post("/admin/subscriptions/consentdocument/add/", given)
        assert again.status_code == 200
    assert manager.own_records.count(("change", "consentdocument.add")) == 2


@pytest.mark.parametrize(
    "wrong", [{"starts_on": day(0)}, {"starts_on": "x"}, {"kind": "x"}, {"summary_ko": "1\n2\n3\n4"}, {"body_en": ""}]
)
def test_nonsense_makes_no_version(manager, wrong):
    before = ConsentDocument.objects.count()
    given = {"kind": "terms", "starts_on": day(3), **TEXTS, **wrong}
    assert manager.client.post("/admin/subscriptions/consentdocument/add/", given).status_code == 200
    assert ConsentDocument.objects.count() == before


@pytest.mark.parametrize("role", ["agent", "supervisor", "auditor"])
def test_no_other_role_sets_prices_or_terms(role):
    han = Staff(role).come_in()
    assert han.post("/admin/subscriptions/price/add/", starts_on=day(3), won=1).status_code == 403
    assert han.post("/admin/subscriptions/consentdocument/add/", **TEXTS).status_code == 403
