"""Partners, their keys and people at the desk: partner managers only, shown once, a fresh code for each, on record."""

import re

import pytest

from ansim.lib import fingerprint
from ansim.models import AccessRecord
from tests import make
from tests.desk import Staff
from verification.models import ApiKey, Partner, PartnerUser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_the_desk")]


@pytest.fixture
def manager():
    return Staff("partner_manager").come_in()


@pytest.fixture
def shop():
    return make.partner()


def send(who, shop, deed, **given):
    given.setdefault("otp_token", who.code())
    data = {"deed": deed, **{f"{deed}-{name}": value for name, value in given.items()}}
    return who.client.post(f"/admin/partners/{shop.pk}/access/", data)


def on_record(shop):
    rows = AccessRecord.objects.filter(subject=fingerprint.of("partner", str(shop.pk)), action="grant")
    return list(rows.order_by("number").values_list("what", flat=True))


def test_a_key_is_made_shown_once_and_revoked(manager, shop):
    ApiKey.objects.filter(partner=shop).delete()
    made = send(manager, shop, "key", live="test").content.decode()
    secret = re.search(r"sk_test_[A-Za-z0-9_-]+", made)[0]
    key = ApiKey.objects.get(partner=shop)
    assert key.fingerprint == fingerprint.of("api-key", secret)
    assert secret not in manager.get(f"/admin/partners/{shop.pk}/access/").content.decode()
    assert send(manager, shop, "revoke", key=str(key.pk)).status_code == 303
    key.refresh_from_db()
    assert key.revoked_at
    assert send(manager, shop, "revoke", key=str(key.pk)).status_code == 422
    assert on_record(shop) == ["key_made.test", "key_revoked"]


def test_a_third_key_and_anothers_key_are_refused(manager, shop):
    ApiKey.objects.filter(partner=shop).delete()
    for _ in range(2):
        assert send(manager, shop, "key", live="test").status_code == 200
    assert "두 개까지" in send(manager, shop, "key", live="test").content.decode()
    assert ApiKey.objects.filter(partner=shop).count() == 2
    other = make.partner()
    send(manager, other, "revoke", key=str(ApiKey.objects.filter(partner=shop).first().pk))
    assert not ApiKey.objects.filter(partner=shop).exclude(revoked_at=None).exists()


def test_somebody_is_added_shown_once_and_kept_out(manager, shop):
    made = send(manager, shop, "user", email="dev@shop.example", name="서준")
    assert "no-store" in made["Cache-Control"]
    user = PartnerUser.objects.get(partner=shop)
    assert user.email == "dev@shop.example"
    assert "이미 쓰는" in send(manager, shop, "user", email="dev@shop.example", name="x").content.decode()
    assert send(manager, shop, "disable", user=str(user.pk)).status_code == 303
    user.refresh_from_db()
    assert user.disabled_at
    assert on_record(shop) == ["user_added", "user_disabled"]


@pytest.mark.parametrize("deed", ["key", "revoke", "user", "disable", "x", ""])
def test_without_a_fresh_code_nothing_happens(manager, shop, deed):
    before = ApiKey.objects.count()
    given = {"live": "test", "email": "dev@shop.example", "name": "x"}
    assert send(manager, shop, deed, otp_token="000000", **given).status_code == 422
    assert (ApiKey.objects.count(), PartnerUser.objects.filter(partner=shop).count()) == (before, 0)
    assert on_record(shop) == []


@pytest.mark.parametrize("role", ["agent", "supervisor", "auditor"])
def test_no_other_role_hands_out_keys_or_writes_contracts(role, shop):
    han = Staff(role).come_in()
    before = ApiKey.objects.count()
    assert send(han, shop, "key", live="test").status_code == 403
    assert han.post("/admin/verification/partner/add/", name="x").status_code == 403
    changed = han.post(f"/admin/verification/partner/{shop.pk}/change/", name="x", domain="x.example", grants=["ci"])
    shop.refresh_from_db()
    assert (changed.status_code, ApiKey.objects.count(), shop.name == "x") == (403, before, False)


def test_a_partner_is_made_and_its_contract_changed_on_record(manager):
    given = {"name": "새 서점", "domain": " Books.Example ", "grants": ["name", "adult"]}
    assert manager.client.post("/admin/verification/partner/add/", given).status_code == 302
    made = Partner.objects.get(name="새 서점")
    assert (made.domain, made.grants, made.webhook_url) == ("books.example", ["name", "adult"], "")
    page = f"/admin/verification/partner/{made.pk}/change/"
    assert manager.client.post(page, {**given, "grants": ["name"], "webhook_url": "https://x"}).status_code == 302
    made.refresh_from_db()
    assert (made.grants, made.webhook_url) == (["name"], "")
    assert ("change", "partner.change") in manager.own_records


@pytest.mark.parametrize("domain", ["https://x.example", "x", "x..example", "<script>", "", "-x.example", "x.example/"])
def test_what_is_no_domain_makes_no_partner(manager, domain):
    given = {"name": "새 서점", "domain": domain, "grants": ["name"]}
    assert manager.client.post("/admin/verification/partner/add/", given).status_code == 200
    assert not Partner.objects.filter(name="새 서점").exists()
