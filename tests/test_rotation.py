"""Every secret can be rotated in place: docs/key-rotation.md says how, and each row of its table names who tried it."""

import base64
import hashlib
import hmac
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from django.core import signing
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from ansim import audit, former_keys
from ansim.demo.stack import vendor_keys
from ansim.lib import keyed
from ansim.models import AccessRecord
from ansim.record_models import Action
from pushes.gateways import Misconfigured, apns, fcm
from subscriptions.carrier_auth import CarrierSignature
from tests import make
from tests.ansim.test_audit import as_superuser
from tests.desk import Staff
from verification import codes, flow, partner_access
from verification.models import PartnerUser

ROOT = Path(__file__).resolve().parent.parent
TABLE = re.findall(r"^\| (`[A-Z].*?|\*.*?) \|.*\| (.*?) \|$", (ROOT / "docs" / "key-rotation.md").read_text(), re.M)
SECRET = re.compile(r"(KEYS?|SECRET|TOKEN|PEPPER|CREDENTIALS|KEY_FILE|FALLBACKS|_URL)$")
NO_SECRET = {"BASE_URL", "CARRIER_URL", "SMS_URL", "FCM_URL", "WORLD_URL"}  # addresses without a password


def key():
    return base64.b64encode(os.urandom(32)).decode()


# --- The table --------------------------------------------------------------------------------------------------------


def test_every_secret_of_the_settings_has_its_row():
    names = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.M)
    secrets = {name for name in names if SECRET.search(name)} - NO_SECRET
    assert len(secrets) > 15
    assert secrets <= {name for row, _tried in TABLE for name in re.findall(r"`([A-Z_]+)`", row)}


@pytest.mark.parametrize(("row", "tried"), TABLE, ids=[row for row, _tried in TABLE])
def test_every_row_names_tests_that_there_are(row, tried):
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tried)
    assert named, row
    assert [test for file, test in named if f"def {test}(" not in (ROOT / file).read_text()] == []


# --- Keys of ours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["a:AAAA,a:BBBB", "AAAA,BBBB", "A_b:AAAA", "a$:AAAA", "a:%%%%"])
def test_each_key_has_an_id_of_its_own(setting):
    with pytest.raises(ValueError):  # noqa: PT011 - base64's own too
        keyed.ring(setting)


@pytest.mark.django_db
def test_a_former_pepper_counts_and_goes_with_the_next_right_password(settings):
    mina, shop, old = make.Member(), make.partner(), settings.PASSWORD_PEPPER
    jiwoo = partner_access.add_user(shop, email="jiwoo@bookshop.example", name="지우")
    assert mina.line.password.startswith("$argon2id$")

    settings.PASSWORD_PEPPER = f"p2:{key()},{old}"
    assert former_keys.peppers() == {"": 2}
    assert mina.unlock(make.verification(mina.person), "999999").refusal.code == "wrong_password"
    assert mina.line.password.startswith("$argon2id$")
    assert mina.unlock(make.verification(mina.person)).or_refuse()
    assert mina.line.password.startswith("p2$argon2id$")
    assert former_keys.peppers() == {"": 1}
    partner_access.sign_in("jiwoo@bookshop.example", jiwoo.password, _code(jiwoo))
    assert former_keys.peppers() == {}

    settings.PASSWORD_PEPPER = settings.PASSWORD_PEPPER.partition(",")[0]
    assert mina.unlock(make.verification(mina.person)).or_refuse()


def _code(person):
    from tests.verification.test_partner_site import shown_code

    PartnerUser.objects.update(totp_last_step=0)
    return shown_code(person.totp_secret)


@pytest.mark.django_db
def test_a_pepper_taken_away_too_early_locks_nobody(settings):
    mina = make.Member()
    settings.PASSWORD_PEPPER = f"p2:{key()}"
    with pytest.raises(keyed.Missing):
        mina.unlock(make.verification(mina.person))
    assert mina.line.wrong_passwords == 0


@pytest.mark.django_db
def test_numbers_that_are_out_count_through_a_rotation_of_their_key(settings, texts):
    mina, other, old = make.Member(), make.Member(), settings.CODE_KEY
    first, second = make.verification(mina.person), make.verification(other.person)
    numbers = mina.number(first), other.number(second)

    settings.CODE_KEY = f"c2:{key()},{old}"
    assert flow.confirm(code=numbers[0], pk=first.pk).or_refuse()
    settings.CODE_KEY = settings.CODE_KEY.partition(",")[0]
    assert flow.confirm(code=numbers[1], pk=second.pk).refusal.code == "wrong_code"


def test_no_key_of_the_numbers_is_told_from_another_by_what_is_looked_at(settings, monkeypatch):
    looked_at = []
    monkeypatch.setattr(codes, "same", lambda one, other: looked_at.append(one) or one == other)
    verification, partner = (make.uuid.uuid4() for _ in range(2))
    kept = codes.number_fingerprint("123456", verification=verification, partner=partner)
    settings.CODE_KEY = f"{settings.CODE_KEY},c0:{key()}"
    assert codes.is_number("123456", kept, verification=verification, partner=partner)
    assert len(looked_at) == 2, "the first one fits, and the second is looked at all the same"


# --- The record of access ---------------------------------------------------------------------------------------------


@pytest.fixture
def rekeyed(settings, tmp_path, transactional_db):
    """Four records, two before and one after the change of the key, which is the third."""
    settings.AUDIT_CHECKPOINT = tmp_path / "audit-checkpoint"
    made = SimpleNamespace(old=settings.AUDIT_KEY, both=f"a2:{key()},{settings.AUDIT_KEY}")
    record(2)
    settings.AUDIT_KEY = made.both
    call_command("audit", "rekey", "--json")
    record(1)
    return made


def record(count):
    for _ in range(count):
        with transaction.atomic():
            audit.record(audit.COMMAND, Action.LOOK, "f" * 64, what="customer", reason="분실 상담")


def test_the_record_is_proved_across_a_change_of_its_key(rekeyed):
    assert [(row.action, row.key) for row in AccessRecord.objects.order_by("number")] == [
        ("look", ""), ("look", ""), ("rekey", "a2"), ("look", "a2"),
    ]  # fmt: skip
    assert audit.verify() == audit.Verdict(4, 4)
    assert audit.fits() == "fits"
    assert former_keys.record() == {"": 2}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_what_is_changed_before_it_or_after_it_is_found(rekeyed, number):
    as_superuser(f"UPDATE ansim_accessrecord SET actor = 'somebody' WHERE number = {number}")
    assert (audit.verify().broken, audit.verify().why) == (number, "changed")


def test_who_has_the_former_key_can_neither_write_the_past_anew_nor_go_on(rekeyed, settings):
    """With that key and the whole database: the second record and all that follow, as the thief would have them."""
    settings.AUDIT_KEY = rekeyed.old
    as_superuser("DELETE FROM ansim_accessrecord WHERE number > 1")
    kept = settings.AUDIT_CHECKPOINT.read_text()
    record(4)
    settings.AUDIT_CHECKPOINT.write_text(kept)
    settings.AUDIT_KEY = rekeyed.both
    assert audit.verify().why == "changed"


def test_a_record_goes_on_with_its_key_whatever_stands_first(rekeyed, settings):
    """Processes are restarted one after the other: their settings differ for a while."""
    new, old = rekeyed.both.split(",")
    settings.AUDIT_KEY = f"{old},{new}"
    record(1)
    assert AccessRecord.objects.latest("number").key == "a2"
    settings.AUDIT_KEY = f"a3:{key()},{rekeyed.both}"
    record(1)
    assert AccessRecord.objects.latest("number").key == "a2"
    assert audit.verify() == audit.Verdict(6, 6)


def test_a_record_by_a_former_key_after_a_newer_one_is_found(rekeyed, settings):
    last = AccessRecord.objects.get(number=4)
    forged = AccessRecord(number=5, at=last.at, actor="han", role="agent", action="look", key="")
    forged.chain(bytes(last.mac), reason="")
    forged.save(force_insert=True)
    assert (audit.verify().broken, audit.verify().why) == (5, "former_key")


def test_without_the_former_key_the_past_is_not_proved(rekeyed, settings):
    settings.AUDIT_KEY = rekeyed.both.partition(",")[0]
    assert (audit.verify().broken, audit.verify().why) == (1, "key_missing")
    settings.AUDIT_KEY = rekeyed.old
    with pytest.raises(keyed.Missing):
        record(1)


# --- What others hold too ---------------------------------------------------------------------------------------------


def whsec():
    return f"whsec_{key()}"


def event(secret):
    """A call of the carrier, signed with that secret."""
    at, raw = str(int(time.time())), base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(raw, f"msg_1.{at}.{{}}".encode(), hashlib.sha256)).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
    return Request(APIRequestFactory().post("/", b"{}", content_type="application/json", headers=headers))


def test_the_carriers_events_count_by_the_new_secret_and_by_the_old_one(settings):
    old, new, strange = whsec(), whsec(), whsec()
    settings.CARRIER_EVENTS_SECRET = f"{new},{old}"
    for known in (old, new):
        assert CarrierSignature().authenticate(event(known)) == (None, "carrier")
    with pytest.raises(AuthenticationFailed):
        CarrierSignature().authenticate(event(strange))

    settings.CARRIER_EVENTS_SECRET = new
    with pytest.raises(AuthenticationFailed):
        CarrierSignature().authenticate(event(old))


def test_what_the_former_secret_key_signed_counts_until_it_is_taken_out(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "former", []
    signed = signing.dumps({"agent": 1})
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "present", ["former"]
    assert signing.loads(signed) == {"agent": 1}
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(signing.BadSignature):
        signing.loads(signed)


@pytest.mark.django_db
def test_staff_stay_signed_in_while_the_secret_key_changes(settings):
    han, kim = Staff("agent").come_in(), Staff("agent").come_in()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 60, [settings.SECRET_KEY]
    assert han.get("/admin/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert han.get("/admin/").status_code == 200
    assert kim.get("/admin/").status_code == 302, "who did not come meanwhile signs in again"


def test_a_replaced_file_counts_from_the_next_start(tmp_path):
    names = ["CARRIER_TOKEN", "SMS_TOKEN", "METRICS_TOKEN", "REDIS_URL", "APNS_KEY_ID", "FCM_CREDENTIALS"]
    others = {"EMAIL_URL": "smtp://ansim:%s@mail.example:25", "BROKER_URL": "%s"}
    values = f"[getattr(settings, name) for name in {names}], settings.EMAIL_HOST_PASSWORD, settings.CELERY_BROKER_URL"
    command = [sys.executable, "-c", f"from ansim import settings; print({values})"]
    env = {**os.environ, "RUN_DIR": str(tmp_path)} | {f"{name}_FILE": str(tmp_path / name) for name in names}
    env |= {f"{name}_FILE": str(tmp_path / name) for name in others}
    for value in ("former", "present"):
        for name, shape in others.items():
            (tmp_path / name).write_text(shape % value)
        for name in names:
            (tmp_path / name).write_text(value)
        told = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        assert told.stdout == f"{[value] * len(names)} {value} {value}\n"


def test_the_former_token_reads_no_figures(settings):
    settings.METRICS_TOKEN = "present-token-of-the-metrics"
    former = Client().get("/metrics", headers={"Authorization": "Bearer former-token-of-the-metrics"})
    assert former.status_code == 401


def test_a_new_service_account_and_a_new_apns_key_count_from_the_next_start(settings, tmp_path):
    """A key that the vendor does not know shows whether the file was read; a restart is the end of what was kept."""
    restarts = {fcm: "FCM_CREDENTIALS", apns: "APNS_KEY_FILE"}
    right = {gateway: Path(getattr(settings, name)).read_bytes() for gateway, name in restarts.items()}
    strange = {gateway: tmp_path / name for gateway, name in restarts.items()}
    vendor_keys.fcm_service_account(strange[fcm], token_uri=f"{settings.WORLD_URL}/google/token")
    vendor_keys.apns_token_key(strange[apns])
    for gateway, name in restarts.items():
        setattr(settings, name, str(strange[gateway]))
        with pytest.raises(Misconfigured):
            gateway.probe()
        strange[gateway].write_bytes(right[gateway])
        with pytest.raises(Misconfigured):
            gateway.probe()  # the process keeps what it read
        gateway._connected.cache_clear()
        gateway.probe()


def test_redis_takes_both_passwords_until_the_former_is_taken_away(settings):
    admin, new = redis.Redis.from_url(settings.REDIS_URL), key()
    at = admin.connection_pool.connection_kwargs

    def ping(password):
        return redis.Redis(host=at["host"], port=at["port"], password=password, retry=Retry(NoBackoff(), 0)).ping()

    with pytest.raises(redis.AuthenticationError):
        ping(new)
    admin.execute_command("ACL", "SETUSER", "default", f">{new}")
    try:
        assert (ping(at["password"]), ping(new)) == (True, True)
    finally:
        admin.execute_command("ACL", "SETUSER", "default", f"<{new}")
    with pytest.raises(redis.AuthenticationError):
        ping(new)
