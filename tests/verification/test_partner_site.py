"""The console of a partner's own people: who comes in, what they see, what they may set, and nothing of others."""

import base64
import re
import time
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP

from ansim import rates
from ansim.lib import fingerprint
from tests import make
from tests.client.manage import Manage
from tests.verification.test_webhooks import backlog
from verification import console_auth, partner_access, partner_figures, partner_keys, partner_site, webhooks
from verification.models import ApiKey, Partner, PartnerChange, PartnerUser, Verification, WebhookDelivery

pytestmark = pytest.mark.django_db
SIGN_IN = "/partners/console/sign-in"


class Person:
    """Somebody of a partner, at a browser, with the codes that their app shows."""

    def __init__(self, partner=None, **client):
        self.partner = partner or make.partner()
        self.made = partner_access.add_user(self.partner, email=f"jiwoo@{uuid.uuid4().hex}.example", name="지우")
        octets = uuid.uuid4().bytes
        self.client = Client(REMOTE_ADDR=f"10.{octets[0]}.{octets[1]}.{octets[2]}", **client)

    @property
    def row(self):
        return PartnerUser.objects.get(email_fingerprint=fingerprint.of("partner-user-email", self.made.email))

    def code(self):
        """What the app shows. Whoever used one has to wait for the next; here the row forgets it instead."""
        PartnerUser.objects.filter(pk=self.row.pk).update(totp_last_step=0)
        return shown_code(self.made.totp_secret)

    def sign_in(self, **wrong):
        given = {"email": self.made.email, "password": self.made.password, "token": self.code(), **wrong}
        return self.client.post(SIGN_IN, given)

    def get(self, name, *args, **query):
        return self.client.get(reverse(f"partner-console{name}", args=args), query)

    def post(self, name, *args, **given):
        return self.client.post(reverse(f"partner-console{name}", args=args), given)

    def sets(self, name, *args, **given):
        return self.post(name, *args, **given, token=self.code())


def shown_code(secret, at=None):
    totp = TOTP(base64.b32decode(secret))
    totp.time = at or time.time()
    return f"{totp.token():06}"


@pytest.fixture
def jiwoo():
    """Signed in for a bookshop."""
    person = Person()
    assert person.sign_in().status_code == 303
    return person


def words(answer):
    """The page without what differs each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


# --- In and out -----------------------------------------------------------------------------------


def test_with_all_three_somebody_comes_in_and_goes_out_again(jiwoo):
    assert jiwoo.get("").status_code == 200
    assert jiwoo.row.last_signed_in_at is not None

    assert jiwoo.post("-sign-out").status_code == 303

    assert jiwoo.get("").headers["Location"] == SIGN_IN


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody@bookshop.example"}, {"email": ""}, {"password": "x"}, {"password": ""}, {"token": "000000"},
        {"token": ""}, {"token": "12345"}, {"token": "１２３４５６７"}, {"email": "a\0b"}, {"email": "x" * 300},
        {"password": "x" * 300},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_wrong_looks_alike(wrong):
    person = Person()
    usual = person.sign_in(password="not the one")
    other = person.sign_in(**wrong)

    assert (usual.status_code, other.status_code) == (422, 422)
    typed = wrong.get("email", person.made.email)[:254]
    assert words(other).replace(f'value="{typed}"', "") == words(usual).replace(f'value="{person.made.email}"', "")
    assert person.get("").status_code == 303


def test_the_fifth_wrong_try_locks_for_a_quarter_of_an_hour():
    person = Person()
    for wrong in ({"password": "x"}, {"token": "000000"}, {"password": ""}, {"token": ""}, {"password": "y"}):
        assert person.sign_in(**wrong).status_code == 422
    assert person.row.locked_until > timezone.now() + timedelta(minutes=14)

    assert person.sign_in().status_code == 422
    PartnerUser.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert person.sign_in().status_code == 303


def test_wrong_codes_for_a_change_are_counted_as_well(jiwoo):
    for _ in range(5):
        assert jiwoo.post("-webhook-secret", token="000000").status_code == 422
    assert jiwoo.row.locked_until is not None
    assert jiwoo.sets("-webhook-secret").status_code == 422


def test_a_code_counts_once_and_an_older_one_not_at_all():
    person = Person()
    now = time.time()
    present, older = shown_code(person.made.totp_secret), shown_code(person.made.totp_secret, now - 30)
    given = {"email": person.made.email, "password": person.made.password}

    assert person.client.post(SIGN_IN, {**given, "token": present}).status_code == 303
    assert Client().post(SIGN_IN, {**given, "token": present}).status_code == 422
    assert Client().post(SIGN_IN, {**given, "token": older}).status_code == 422
    assert person.post("-webhook-secret", token=present).status_code == 422


@pytest.mark.parametrize(("seconds", "status"), [(-30, 303), (30, 303), (-90, 422), (90, 422)])
def test_the_phones_clock_may_be_one_step_off(seconds, status):
    person = Person()
    assert person.sign_in(token=shown_code(person.made.totp_secret, time.time() + seconds)).status_code == status


def test_capital_letters_and_blanks_in_the_address_do_not_matter():
    person = Person()
    code = person.code()
    assert person.sign_in(email=f" {person.made.email.upper()} ", token=f"{code[:3]} {code[3:]}").status_code == 303


def test_signing_in_changes_the_session_and_the_form_token():
    person = Person()
    person.client.get(SIGN_IN)
    session = person.client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    person.client.cookies["sessionid"] = before

    person.sign_in()

    assert person.client.session.session_key != before
    assert Client(headers={"cookie": f"sessionid={before}"}).get("/partners/console/").status_code == 303


@pytest.mark.parametrize(("idle", "status"), [(console_auth.IDLE - 60, 200), (console_auth.IDLE + 1, 303)])
def test_half_an_hour_without_use_ends_it(jiwoo, idle, status):
    session = jiwoo.client.session
    session[console_auth.KEY] = {**session[console_auth.KEY], "seen": time.time() - idle}
    session.save()
    assert jiwoo.get("").status_code == status
    assert jiwoo.get("").status_code == status


def test_somebody_who_left_is_out_at_once(jiwoo):
    assert partner_access.disable_user(jiwoo.partner, email=jiwoo.made.email)
    assert jiwoo.get("").status_code == 303
    assert jiwoo.sign_in().status_code == 422
    assert not partner_access.disable_user(make.partner(), email=jiwoo.made.email)


def test_too_many_tries_from_one_address_are_not_even_looked_at():
    person = Person()
    from_there = fingerprint.of("console-address", person.client.defaults["REMOTE_ADDR"])
    rule = rates.Rule(f"console:{from_there}", partner_site.SIGN_INS, seconds=600)
    while rates.take(rule).allowed:
        pass
    assert person.sign_in().status_code == 422


def test_forms_without_their_token_are_refused():
    person = Person(enforce_csrf_checks=True)
    assert person.sign_in().status_code == 403
    free = Client()
    free.post(SIGN_IN, {"email": person.made.email, "password": person.made.password, "token": person.code()})
    person.client.cookies = free.cookies
    assert person.get("").status_code == 200
    for url in addresses(uuid.uuid4()):
        answer = person.client.post(url, {"token": person.code()})
        assert answer.status_code in (403, 405), url
    assert not PartnerChange.objects.exists()


# --- Nothing of anybody else ----------------------------------------------------------------------


def addresses(pk):
    """Every address of the console, with that id where one has an id."""
    for entry in partner_site.urlpatterns:
        yield reverse(entry.name, args=[pk] if "uuid" in str(entry.pattern) else [])


def test_who_is_not_signed_in_is_sent_to_sign_in_by_every_address():
    for url in set(addresses(uuid.uuid4())) - {SIGN_IN}:
        for answer in (Client().get(url), Client().post(url)):
            assert answer.status_code == 405 or answer.headers["Location"] == SIGN_IN, url


def test_nothing_of_another_partner_is_reachable(jiwoo):
    theirs = make.partner(
        name="은빛은행", domain="bank.example", return_origins=["https://bank-return.example"],
        webhook_url="https://bank-hooks.example/in",
    )  # fmt: skip
    asked = make.verification(at=theirs, reference="bank-reference-1")
    (delivery,) = backlog(theirs, 1)
    partner_keys.make_key(theirs, live=False)
    key = ApiKey.objects.get(partner=theirs)
    them = Person(theirs)
    them.sign_in()
    them.sets("-origins", origins="https://bank-return.example")
    foreign = [asked.pk, delivery.pk, key.pk, delivery.verification_id, them.row.pk, theirs.pk]
    marks = ["bank", "은빛은행", key.hint, them.made.email, delivery.webhook_id, *map(str, foreign)]

    for pk in foreign:
        for url in addresses(pk):
            for answer in (jiwoo.client.get(url), jiwoo.client.post(url, {"token": jiwoo.code()})):
                if str(pk) in url:
                    assert answer.status_code in (404, 405), url
                elif not url.endswith("sign-out"):
                    assert not [mark for mark in marks if mark in answer.content.decode()], url
            jiwoo.sign_in()
    query = {"reference": "bank-reference-1", "partner": theirs.pk, "cursor": ""}
    assert "bank" not in words(jiwoo.get("-verifications", **query)).replace("bank-reference-1", "")
    key.refresh_from_db()
    delivery.refresh_from_db()
    assert (key.revoked_at, key.allowed_ips, delivery.ladder_from) == (None, [], 0)


def test_no_page_shows_personal_data(jiwoo):
    somebody = make.person()
    asked = make.verification(somebody, at=jiwoo.partner)
    holder = asked.holder
    Verification.objects.filter(pk=asked.pk).update(state="verified", ended_at=timezone.now(), code_fingerprint=None)
    digits = somebody.phone.removeprefix("+82")
    for url in [reverse("partner-console-verification", args=[asked.pk]), *addresses(uuid.uuid4())]:
        page = jiwoo.client.get(url).content.decode()
        personal = (somebody.name, digits, digits[-4:] + "<", holder["ci"], somebody.birthdate, somebody.yymmdd)
        assert not [one for one in personal if str(one) in page], url


# --- To see ---------------------------------------------------------------------------------------


def test_success_by_day_counts_what_ended_and_keeps_test_and_live_apart():
    partner, now = make.partner(), timezone.now()

    def began(days, livemode=False, **differing):
        one = make.verification(at=partner)
        ended = now if differing.get("state") else None
        Verification.objects.filter(pk=one.pk).update(
            created_at=now - timedelta(days=days), livemode=livemode, ended_at=ended, **differing
        )

    line = make.Member().line
    for _ in range(2):
        began(0, state="verified", line=line, channel="sms")
    began(0, state="expired", reason="identity_not_entered")
    began(0)
    began(3, state="cancelled", reason="cancelled_by_customer")
    began(20, state="cancelled", reason="cancelled_by_customer")
    began(1, livemode=True, state="denied", reason="not_me")

    figures = partner_figures.of(partner, livemode=False, now=now)

    assert len(figures.days) == partner_figures.DAYS
    assert (figures.days[-1].begun, figures.days[-1].ended, figures.days[-1].rate) == (4, 3, 66)
    assert (figures.days[-4].rate, figures.days[0].rate) == (0, None)
    assert {(end.reason, end.count) for end in figures.ends} == {
        (None, 2), ("identity_not_entered", 1), ("cancelled_by_customer", 1),
    }  # fmt: skip
    assert [end.reason for end in partner_figures.of(partner, livemode=True, now=now).ends] == ["not_me"]


def test_the_list_is_narrowed_down_and_read_page_by_page(jiwoo):
    for number in range(partner_site.ROWS + 1):
        make.verification(at=jiwoo.partner, reference=f"order-{number}")
    first = jiwoo.get("-verifications")
    following = re.search(r'href="([^"]+cursor=[^"]+)"', first.content.decode())[1].replace("&amp;", "&")
    assert "order-0<" not in words(first)
    assert "order-0<" in words(jiwoo.client.get(following))
    assert words(jiwoo.get("-verifications", reference="order-7", state="created")).count("order-7<") == 1
    assert "order-" not in words(jiwoo.get("-verifications", state="verified"))


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("-verifications", {"state": "odd"}, 404), ("-verifications", {"cursor": "%%"}, 404),
        ("-verifications", {"reference": "a\0b"}, 200), ("-webhooks", {"state": "odd"}, 404),
        ("-webhooks", {"cursor": "W10="}, 404), ("", {"mode": "odd"}, 404), ("-changes", {"cursor": "é"}, 404),
    ],
)  # fmt: skip
def test_odd_queries_find_nothing(jiwoo, name, query, status):
    assert jiwoo.get(name, **query).status_code == status


def test_a_webhook_is_sent_again_from_the_log(jiwoo):
    (delivery,) = backlog(jiwoo.partner, 1)
    WebhookDelivery.objects.update(state="given_up", attempts=10)
    assert delivery.webhook_id in words(jiwoo.get("-webhooks", state="given_up"))

    assert jiwoo.post("-replay", delivery.pk).status_code == 303

    delivery.refresh_from_db()
    assert (delivery.state, delivery.ladder_from) == ("owed", 10)
    assert "notice--ok" in words(jiwoo.get("-verification", delivery.verification_id))
    webhooks.disable(jiwoo.partner.pk, url=jiwoo.partner.webhook_url)
    assert jiwoo.post("-replay", delivery.pk).status_code == 303
    assert "notice--bad" in words(jiwoo.get("-webhooks"))


# --- To set ---------------------------------------------------------------------------------------


def test_return_origins_are_kept_as_browsers_write_them(jiwoo):
    given = "https://Shop.example/\nhttps://shop.example:443\n\n https://bücher.example:8443 http://127.0.0.1:8711\n"
    assert jiwoo.sets("-origins", origins=given).status_code == 303
    jiwoo.partner.refresh_from_db()
    assert jiwoo.partner.return_origins == [
        "https://shop.example", "https://xn--bcher-kva.example:8443", "http://127.0.0.1:8711",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "origin",
    [
        "http://shop.example", "https://shop.example/path", "https://shop.example?x", "https://shop.example#x",
        "https://me@shop.example", "https://", "shop.example", "javascript:alert(1)", "https://*.shop.example",
        "https://shop.example\\evil.example", "https://shop.example:99999", "null", "ftp://shop.example",
        "https://[::1", "https://" + "a" * 300, "//shop.example", "https://shop..example",
        "\n".join(f"https://s{n}.example" for n in range(21)),
    ],
)  # fmt: skip
def test_a_wrong_origin_is_refused_and_costs_no_code(jiwoo, origin):
    answer = jiwoo.sets("-origins", origins=origin)
    assert answer.status_code == 422
    assert "field__error" in words(answer)
    jiwoo.partner.refresh_from_db()
    assert jiwoo.partner.return_origins == ["https://bookshop.example"]
    assert (jiwoo.row.totp_last_step, PartnerChange.objects.count()) == (0, 0)


def test_the_webhook_address_is_changed_turned_on_again_and_taken_away(jiwoo):
    partner, url = jiwoo.partner, jiwoo.partner.webhook_url + "/new"
    webhooks.disable(partner.pk, url=partner.webhook_url)
    assert jiwoo.sets("-webhook-address", url=url).status_code == 303
    partner.refresh_from_db()
    assert (partner.webhook_url, partner.hears) == (url, True)

    (delivery,) = backlog(partner, 1)
    assert jiwoo.sets("-webhook-address", url="").status_code == 303
    delivery.refresh_from_db()
    assert (delivery.state, delivery.last_error) == ("given_up", "no_address")


def test_a_partner_that_had_no_secret_gets_one_with_its_address():
    person = Person(make.partner(webhook_secret=None, webhook_url=""))
    person.sign_in()
    person.sets("-webhook-address", url=make.partner().webhook_url)
    person.partner.refresh_from_db()
    assert person.partner.webhook_secret.startswith("whsec_")


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook", "https://10.0.0.1/hook", "https://169.254.169.254/latest", "https://[fd00::1]/",
        "https://me:you@8.8.8.8/", "https://8.8.8.8:25/", "https://8.8.8.8:99999/", "ftp://8.8.8.8/", "hook",
        "https://0x0a000001/", "https://[::ffff:10.0.0.1]/", "https://no-such-name.invalid/", "https://쇼핑.example/ x",
        "https://8.8.8.8/" + "a" * 500, "https://8.8.8.8/\tx",
    ],
)  # fmt: skip
def test_a_webhook_address_that_leads_inside_is_refused(jiwoo, url):
    before = jiwoo.partner.webhook_url
    assert jiwoo.sets("-webhook-address", url=url).status_code == 422
    jiwoo.partner.refresh_from_db()
    assert jiwoo.partner.webhook_url == before


def test_a_public_address_is_taken(jiwoo):
    assert jiwoo.sets("-webhook-address", url="https://8.8.8.8:8443/hook?x=1").status_code == 303


def test_a_new_webhook_secret_is_shown_once_and_the_old_one_signs_for_a_day(jiwoo):
    old, code = jiwoo.partner.webhook_secret, jiwoo.code()
    answer = jiwoo.post("-webhook-secret", token=code)
    jiwoo.partner.refresh_from_db()
    new = jiwoo.partner.webhook_secret
    assert new in words(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert jiwoo.partner.webhook_secrets(now=timezone.now() + timedelta(hours=23)) == [new, old]
    assert jiwoo.partner.webhook_secrets(now=timezone.now() + timedelta(hours=25)) == [new]

    assert jiwoo.post("-webhook-secret", token=code).status_code == 422  # a reload makes no other
    assert new not in words(jiwoo.get("-settings"))


def test_a_new_key_works_is_shown_once_and_there_are_two_at_most(jiwoo):
    partner_keys.make_key(jiwoo.partner, live=False, allowed_ips=["127.0.0.0/8"])
    answer = jiwoo.sets("-new-key", kind="test")
    (secret,) = re.findall(r"sk_test_[A-Za-z0-9_-]{43}", words(answer))
    api = Client(headers={"Authorization": f"Bearer {secret}"})
    assert api.get("/partner/v1/verifications").status_code == 200
    assert api.get("/partner/v1/verifications", REMOTE_ADDR="203.0.113.7").status_code == 401  # taken over
    assert secret not in words(jiwoo.get("-settings"))

    assert jiwoo.sets("-new-key", kind="test").status_code == 422
    key = ApiKey.objects.get(hint=partner_keys.hint(secret))
    assert key.hint in words(jiwoo.get("-revoke-key", key.pk))
    assert jiwoo.sets("-revoke-key", key.pk).status_code == 303
    assert api.get("/partner/v1/verifications").status_code == 401
    assert jiwoo.get("-revoke-key", key.pk).status_code == 404
    assert jiwoo.sets("-new-key", kind="test").status_code == 200


@pytest.mark.parametrize("kind", ["live", "", "odd"])
def test_no_live_key_beside_the_simulated_world(jiwoo, kind):
    assert jiwoo.sets("-new-key", kind=kind).status_code == 422
    assert not ApiKey.objects.filter(partner=jiwoo.partner).exists()


def test_a_key_is_allowed_from_some_addresses_only(jiwoo):
    api = Client(headers={"Authorization": f"Bearer {partner_keys.make_key(jiwoo.partner, live=False)}"})
    key = ApiKey.objects.get(partner=jiwoo.partner)
    assert jiwoo.sets("-addresses", key.pk, networks="203.0.113.0/24\r\n2001:DB8::/32 198.51.100.7").status_code == 303
    key.refresh_from_db()
    assert key.allowed_ips == ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7/32"]
    assert api.get("/partner/v1/verifications", REMOTE_ADDR="203.0.113.9").status_code == 200
    assert api.get("/partner/v1/verifications", REMOTE_ADDR="192.0.2.1").status_code == 401

    assert jiwoo.sets("-addresses", key.pk, networks="").status_code == 303
    assert api.get("/partner/v1/verifications", REMOTE_ADDR="192.0.2.1").status_code == 200


@pytest.mark.parametrize(
    "networks",
    ["203.0.113.7/24", "0.0.0.0/0", "::/0", "300.1.1.1", "shop.example", "fe80::1%eth0", "1", "203.0.113.0/33",
     "\n".join(f"203.0.113.{n}" for n in range(51))],
)  # fmt: skip
def test_wrong_networks_are_refused(jiwoo, networks):
    partner_keys.make_key(jiwoo.partner, live=False)
    key = ApiKey.objects.get(partner=jiwoo.partner)
    assert jiwoo.sets("-addresses", key.pk, networks=networks).status_code == 422
    key.refresh_from_db()
    assert key.allowed_ips == []


def test_nothing_is_changed_without_a_fresh_code(jiwoo):
    partner_keys.make_key(jiwoo.partner, live=False)
    key, before = ApiKey.objects.get(partner=jiwoo.partner), Partner.objects.filter(pk=jiwoo.partner.pk).values().get()
    for name, args, given in (
        ("-origins", (), {"origins": "https://evil.example"}), ("-webhook-address", (), {"url": ""}),
        ("-webhook-secret", (), {}), ("-new-key", (), {"kind": "test"}), ("-revoke-key", (key.pk,), {}),
        ("-addresses", (key.pk,), {"networks": "203.0.113.7"}),
    ):  # fmt: skip
        PartnerUser.objects.update(failed_tries=0)
        assert jiwoo.post(name, *args, **given).status_code == 422, name
    assert Partner.objects.filter(pk=jiwoo.partner.pk).values().get() == before
    assert ApiKey.objects.get(partner=jiwoo.partner).revoked_at is None
    assert not PartnerChange.objects.exists()


def test_each_change_is_on_record_and_stays_there(jiwoo):
    jiwoo.sets("-origins", origins="https://new.example")
    answer = jiwoo.sets("-new-key", kind="test")
    jiwoo.sets("-webhook-secret")
    jiwoo.partner.refresh_from_db()

    kinds = list(PartnerChange.objects.order_by("created_at").values_list("kind", flat=True))
    assert kinds == ["return_origins", "key_made", "webhook_secret"]
    page = words(jiwoo.get("-changes"))
    assert "https://new.example" in page
    assert jiwoo.client.defaults["REMOTE_ADDR"] in page
    assert "지우" in page
    (secret,) = re.findall(r"sk_test_[A-Za-z0-9_-]{43}", words(answer))
    assert secret not in page
    assert jiwoo.partner.webhook_secret not in page
    change = PartnerChange.objects.first()
    for refused in (change.delete, lambda: PartnerChange.objects.update(kind="key_made")):
        with pytest.raises(IntegrityError, match="stays on record"), transaction.atomic():
            refused()


def test_the_database_holds_neither_address_nor_name_nor_key_of_a_person(jiwoo):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT verification_partneruser::text FROM verification_partneruser WHERE id = %s", [jiwoo.row.pk]
        )
        (row,) = cursor.fetchone()
    secrets = (jiwoo.made.email, "지우", jiwoo.made.totp_secret, jiwoo.made.password)
    assert not [one for one in secrets if one in row or one.encode().hex() in row]


# --- By the operator ------------------------------------------------------------------------------


def test_the_operator_adds_and_disables_a_user(system):
    manage = Manage(system)
    try:
        partner = manage("demo", "partner")["id"]
        email = f"{uuid.uuid4().hex}@bookshop.example"
        told = manage("partners", "add-user", partner, "--email", email, "--name", "지우")
        assert told["otpauth_uri"].startswith("otpauth://totp/Ansim%3A")
        assert told["totp_secret"] in told["otpauth_uri"]
        assert len(told["password"]) >= 20
        for wrong in (email.upper(), "no-address", "a@b@c"):
            with pytest.raises(Exception, match="2"):
                manage("partners", "add-user", partner, "--email", wrong)
        assert manage("partners", "disable-user", partner, "--email", email)["was_enabled"] is True
        assert manage("partners", "disable-user", partner, "--email", email)["was_enabled"] is False
    finally:
        manage.close()


def test_the_demo_tells_a_user_of_each_partner(system):
    assert all({"email", "password", "totp_secret"} == set(one["user"]) for one in system["partners"])
