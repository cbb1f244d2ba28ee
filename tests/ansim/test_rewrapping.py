"""Rotating FINGERPRINT_KEY: who was found is found, nobody comes to be twice, and nothing is wrapped twice."""

import base64
import json
import os
import re
import uuid
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction
from django.test import Client

from ansim import audit, rewrapping, staff_sign_in
from ansim.demo.stack import environment
from ansim.lib import fingerprint
from ansim.lib.fingerprint import FingerprintField
from ansim.record_models import Action
from tests import make
from tests.desk import Staff
from verification import flow, partner_access, partner_keys, receipts
from verification.models import Line

pytestmark = pytest.mark.django_db(transaction=True)
# Texts of 64 characters that are no fingerprints under FINGERPRINT_KEY.
OTHERS = {
    "ansim.AccessRecord.role", "ansim.AccessRecord.what", "pushes.Device.model", "pushes.Message.last_error",
    "verification.WebhookDelivery.last_error", "verification.WebhookAttempt.error", "verification.Partner.name",
    "verification.Verification.reference", "verification.Verification.region", "subscriptions.Posting.last_error",
    "subscriptions.CustomerSession.browser", "subscriptions.CustomerSession.region",
    "ansim.AccessRecord.subject",  # append-only: looked for under every length of the chain
    "verification.Verification.code_fingerprint",  # CODE_KEY's, for minutes
    "verification.Verification.request_hash",  # no secret: of a request's own words
}  # fmt: skip


def key():
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def grow(settings):
    """grow(): one more key stands before the others in FINGERPRINT_KEY. Afterwards the tables take the first length."""

    def grown():
        settings.FINGERPRINT_KEY = f"f-{uuid.uuid4().hex[:6]}:{key()},{settings.FINGERPRINT_KEY}"

    before = settings.FINGERPRINT_KEY
    yield grown
    settings.FINGERPRINT_KEY = before
    for model, field in rewrapping.guarded():
        rewrapping._replace_rule(model, rewrapping._check(field))


def rewrap(*options):
    said = StringIO()
    call_command("rewrap", "--json", *options, stdout=said, stderr=StringIO())
    return json.loads(said.getvalue())


def stored():
    """Every fingerprint in the database, by its column."""
    found = {}
    for model, fields in rewrapping.columns().items():
        for field in fields:
            values = model._base_manager.exclude(**{field.name: ""}).exclude(**{field.name: None})
            found[f"{model._meta.label}.{field.name}"] = set(values.values_list(field.name, flat=True))
    return found


def test_who_was_found_is_found_and_is_the_same_one_as_before(grow):
    mina, shop, han = make.Member(), make.partner(), Staff("agent")
    secret = partner_keys.make_key(shop, live=False)
    jiwoo = partner_access.add_user(shop, email="Jiwoo@bookshop.example", name="지우")
    open_one, ci = make.verification(mina.person, at=shop), uuid.uuid4().hex
    with transaction.atomic():
        audit.record(audit.COMMAND, Action.LOOK, mina.line.contract_fingerprint, what="customer")
    line, di = mina.line, receipts.pairwise(ci, shop)

    grow()
    told = rewrap()

    assert told["rows"] > 0
    assert told["left"] == {}
    assert make.verification(mina.person, at=make.partner()).line == line
    assert Client(headers={"Authorization": f"Bearer {secret}"}).get("/partner/v1/verifications").status_code == 200
    assert partner_access.sign_in("jiwoo@bookshop.example", jiwoo.password, "000000") is None
    assert partner_access.disable_user(shop, email="jiwoo@bookshop.example")
    assert receipts.pairwise(ci, shop) == di, "what partners keep stays the same for ever"
    assert [look.what for look in audit.looks_at(mina.line.contract)] == ["customer"]
    assert mina.number(open_one).isdigit()
    han.come_in()


def test_a_window_that_is_open_stays_open(grow):
    started = flow.start(make.ask(), partner=make.partner(), answer=lambda started: {})
    grow()
    rewrap()
    assert Client().get(f"/window/{started.window_secret}").status_code == 303


def test_every_row_is_under_the_newest_key_and_under_each_key_once(grow):
    mina = make.Member()
    contract = mina.line.contract
    first = fingerprint.of("contract", contract)
    for length in (2, 3):
        grow()
        assert rewrap()["left"] == {}
        assert all(value.startswith(f"{length}~") and len(value) == 64 for of in stored().values() for value in of)
    assert fingerprint.ever("contract", contract)[0] == first
    assert Line.objects.of_contract(contract).get() == mina.line
    assert rewrap() == {"rows": 0, "left": {}}


def test_interrupted_it_goes_on_and_meanwhile_nobody_writes_a_line(grow, settings, monkeypatch):
    members = [make.Member() for _ in range(3)]
    monkeypatch.setattr(rewrapping, "ROWS", 1)
    former = settings.FINGERPRINT_KEY
    grow()

    def interrupted(table, rows):
        if table == "verification_line":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewrapping.run(interrupted)
    with connection.cursor() as cursor:
        cursor.execute("RESET ansim.rewrapping")  # who was interrupted is gone, and so is its connection

    newest = settings.FINGERPRINT_KEY
    for setting in (former, newest):
        settings.FINGERPRINT_KEY = setting
        with pytest.raises(IntegrityError, match="line_fingerprint_length"):
            make.verification(members[2].person)
    settings.FINGERPRINT_KEY = newest
    assert not rewrapping.is_through()

    assert rewrap()["left"] == {}
    assert {make.verification(one.person).line.pk for one in members} == {one.line.pk for one in members}
    assert Line.objects.count() == 3


def test_a_process_with_the_other_chain_makes_no_line_a_second_time(grow, settings):
    mina, former = make.Member(), settings.FINGERPRINT_KEY
    grow()
    with pytest.raises(IntegrityError, match="line_fingerprint_length"):
        make.verification(mina.person)  # the new key before its time

    rewrap()
    settings.FINGERPRINT_KEY = former
    with pytest.raises(IntegrityError, match="line_fingerprint_length"):
        make.verification(mina.person)
    assert Line.objects.count() == 1


def test_nobody_else_may_be_connected(grow):
    """Whatever it does there, as the running copy's application does: its role sees rows and owns nothing."""
    make.Member()
    application = urlsplit(environment.RunDir(Path(os.environ["RUN_DIR"])).kept()["DATABASE_URL"])
    role = connection.ops.quote_name(application.username)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT UPDATE ON verification_line, verification_partneruser TO {role}")
    grow()
    other = psycopg.connect(urlunsplit(application._replace(path=f"/{connection.settings_dict['NAME']}")))
    try:
        with pytest.raises(CommandError, match=f"Connected: {application.username}$") as refused:
            rewrap()
    finally:
        other.close()
    assert refused.value.returncode == 3
    assert rewrap()["left"] == {}


def test_keys_that_never_made_a_fingerprint_here_are_refused(settings):
    make.Member()
    before = stored()
    settings.FINGERPRINT_KEY = f"f-2:{key()},{key()}"
    with pytest.raises(CommandError, match="not made with these keys"):
        rewrap()
    assert stored() == before


def test_what_has_ended_is_done_beside_the_traffic(grow):
    asked = make.verification()
    flow.cancel(pk=asked.pk, reason="cancelled_by_partner")
    grow()
    rewrapping.run(lambda table, rows: None)
    assert rewrapping.is_through()
    assert rewrapping.left() == {"verification_verification": 1}

    assert rewrap() == {"rows": 1, "left": {}}


def test_no_column_of_fingerprints_is_forgotten():
    texts = {
        f"{model._meta.label}.{field.name}": field
        for model in apps.get_models()
        if model._meta.app_label in ("ansim", "pushes", "verification", "subscriptions")
        for field in model._meta.local_fields
        if isinstance(field, models.CharField) and (field.max_length == 64 or "fingerprint" in field.name)
    }
    assert {name for name, field in texts.items() if not isinstance(field, FingerprintField)} == OTHERS


def test_the_fingerprints_of_one_table_may_all_wait_or_none():
    for model, fields in rewrapping.columns().items():
        assert len({field.later for field in fields}) == 1, model


def test_a_fingerprint_says_how_many_keys_made_it(settings):
    settings.FINGERPRINT_KEY = f"c:{key()},b:{key()},{key()}"
    made = fingerprint.ever("phone", "+821012345678")
    assert [fingerprint.step(one) for one in made] == [1, 2, 3]
    assert {fingerprint.wrapped(one) for one in made} == {made[-1]} == {fingerprint.of("phone", "+821012345678")}
    assert fingerprint.first("phone", "+821012345678") == made[0]
    assert re.fullmatch("3~[0-9a-f]{62}", made[-1])


def test_staff_that_tried_wrongly_stay_counted(grow):
    han = Staff("agent")
    for _ in range(4):
        staff_sign_in.guess(han.username, han.address, right=False)
    grow()
    rewrap()
    staff_sign_in.guess(han.username, han.address, right=False)
    assert staff_sign_in.locked(han.agent)
