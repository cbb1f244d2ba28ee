"""Invariant 2 of mission.md: the number exists only after the right password, is sealed for one phone, is bound to one
verification of one partner, works once, and is nowhere to be found: not in rows, logs, queues or pushes.
"""

import base64
import logging
from collections import Counter

import pytest
from cryptography.exceptions import InvalidTag
from django.db import IntegrityError, transaction

from ansim import once
from ansim.lib import signing
from ansim.lib.problem import Refused
from pushes import tasks
from pushes.models import Message
from tests import make
from tests.verification import callers, leaks
from tests.verification.crowd import at_once
from tests.verification.test_flow import sms_number
from verification import flow, registration, unlocking
from verification.models import Line, Verification, WebhookDelivery
from verification.tasks import deliver_webhooks

ROADS = 3  # six digits may turn up by chance; those of three verifications do not all


@pytest.fixture
def said(caplog):
    """Everything that any logger says, however quiet it is otherwise: ours, Celery's, HTTP's, the database's."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    silent = [logger for logger in loggers if not logger.propagate]
    for logger in silent:
        logger.addHandler(caplog.handler)
    yield lambda: "\n".join(str(record.__dict__) for record in caplog.records)
    for logger in silent:
        logger.removeHandler(caplog.handler)


@pytest.fixture
def bells():
    """The broker of this process, which no worker listens to: what is rung stays there."""
    once.store().flushdb()
    yield once.store()
    once.store().flushdb()


# --- Nowhere to be found ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("platform", "channel"), [("android", "fcm"), ("ios", "apns")])
def test_on_the_apps_road_the_number_is_in_no_row_no_log_no_queue_and_no_push(platform, channel, said, bells, world):
    mina, bookshop, numbers = make.Member(platform=platform), callers.Partner(), []
    for _ in range(ROADS):
        asked = bookshop.create(mina.person).json()["id"]
        tasks.drain(channel)
        envelope = callers.unlock(mina, asked).json()["envelope"]
        number = mina.phone.open(asked, envelope)["code"]
        tasks.drain(channel)
        wrong = f"{(int(number) + 1) % 10**6:06}"
        assert bookshop.confirm(asked, wrong).status_code == 422
        assert bookshop.confirm(asked, number).json()["state"] == "verified"
        deliver_webhooks()
        numbers.append(number)

    pushed = world.get("/world/pushes", params={"token": mina.phone.push_token}).json()
    kinds = [push["body"]["message"]["data"] if channel == "fcm" else push["body"] for push in pushed]
    assert {found["kind"] for found in kinds} == {"wake", "number"}
    assert not leaks.holds(str(pushed), numbers)
    assert not leaks.holds(str([message.body for message in Message.objects.all()]), numbers)
    assert not leaks.holds(leaks.whole_database(), numbers)
    assert bells.llen("push") > 0 < bells.llen("webhook")
    assert not leaks.holds(leaks.whole_queue(bells), numbers)
    assert "sent" in said()
    assert "request" in said()
    assert not leaks.holds(said(), numbers)


@pytest.mark.django_db(transaction=True)
def test_on_the_sms_road_the_number_is_in_no_log_and_no_queue_and_in_the_database_only_sealed(said, bells):
    bookshop, numbers = callers.Partner(), []
    for _ in range(ROADS):
        asked = bookshop.create(make.person()).json()["id"]
        number = sms_number(Verification.objects.get(pk=asked))
        tasks.drain("sms")
        assert bookshop.confirm(asked, number).json()["state"] == "verified"
        numbers.append(number)

    assert not leaks.holds(leaks.whole_database(), numbers)
    assert not leaks.holds(leaks.whole_queue(bells), numbers)
    assert not leaks.holds(said(), numbers)


def test_the_search_itself_finds_what_is_hidden():
    """A search that finds nothing proves nothing, unless it finds what was put there."""
    token = signing.sign({"code": "314159"}, use="number", typ="ansim-number+jwt")
    task = base64.b64encode(token.encode()).decode()
    for heap in ("to 314159!", f"\\x{b'314159'.hex()}", token, f'{{"body": "{task}"}}'):
        assert leaks.holds(heap, ["314159"])
        assert not leaks.holds(heap, ["314159", "271828"])


# --- Not before the password, and for one phone -----------------------------------------------------------------------


@pytest.mark.django_db
def test_before_the_right_password_there_is_no_number_to_guess():
    mina = make.Member()
    asked = make.verification(mina.person)

    assert mina.unlock(asked, "999888").refusal.code == "wrong_password"

    asked.refresh_from_db()
    assert (asked.state, asked.code_fingerprint, asked.code_expires_at) == ("awaiting_app", None, None)
    assert flow.confirm(code="000000", pk=asked.pk).refusal.code == "wrong_state"
    assert not Message.objects.filter(kind="number").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["created", "awaiting_app"])
def test_the_database_holds_no_number_before_it_is_awaited(state):
    asked = make.verification(make.Member().person) if state == "awaiting_app" else make.verification()
    with pytest.raises(IntegrityError, match="verification_number_only_when_awaited"), transaction.atomic():
        Verification.objects.filter(pk=asked.pk).update(code_fingerprint="f" * 64)


@pytest.mark.django_db
def test_only_the_phone_registered_now_may_unlock():
    mina, thief = make.Member(), make.Member()
    asked = make.verification(mina.person)
    code = registration.issue_activation(mina.line)
    given = thief.phone.registration(code, "481516")
    given.pop("activation_code")
    new = registration.Phone(**{name: value for name, value in given.items() if name != "password"})

    with pytest.raises(Refused, match="not_found"):
        unlocking.unlock(asked.pk, device=thief.device, password=make.PASSWORD)
    registration.register(code, phone=new, password="481516", address="here")
    with pytest.raises(Refused, match="not_found"):
        unlocking.unlock(asked.pk, device=mina.device, password=make.PASSWORD)

    asked.refresh_from_db()
    assert (asked.state, asked.code_fingerprint) == ("awaiting_app", None)


@pytest.mark.django_db
def test_no_other_phone_opens_the_envelope():
    mina, thief = make.Member(), make.Member()
    asked = make.verification(mina.person)
    envelope = mina.unlock(asked).envelope
    thief.phone.device_id = mina.phone.device_id  # it may claim what it likes: it has not the key

    with pytest.raises(InvalidTag):
        thief.phone.open(str(asked.pk), envelope)
    with pytest.raises(InvalidTag):
        mina.phone.open(str(make.verification(mina.person).pk), envelope)
    assert mina.phone.open(str(asked.pk), envelope)["code"].isdecimal()


# --- Bound to one verification of one partner -------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_number_is_wrong_at_every_other_verification_also_of_the_same_line_or_partner():
    mina, bookshop = make.Member(), make.partner()
    asked, elsewhere = make.verification(mina.person, at=bookshop), make.verification(mina.person)
    somebody = make.verification(make.person(), at=bookshop)
    number, _ = mina.number(asked), mina.number(elsewhere)

    for other in (elsewhere, somebody):
        # Its own number may be the same by chance, one time in a million: take that away.
        Verification.objects.filter(pk=other.pk).update(code_fingerprint="f" * 64)
        assert flow.confirm(code=number, pk=other.pk).refusal.code == "wrong_code"
    assert flow.confirm(code=number, pk=asked.pk).verification.state == "verified"


@pytest.mark.django_db
@pytest.mark.parametrize("same", ["partner", "line"])
def test_a_fingerprint_copied_onto_another_row_is_worth_nothing_there(same):
    """Whoever can write to the database still cannot make a number that he knows the right one elsewhere."""
    thief, mina = make.person(), make.person()
    bookshop = make.partner()
    known = make.verification(thief, at=bookshop)
    target = make.verification(mina, at=bookshop) if same == "partner" else make.verification(thief)
    Verification.objects.filter(pk=target.pk).update(code_fingerprint=known.code_fingerprint)

    assert flow.confirm(code=sms_number(known), pk=target.pk).refusal.code == "wrong_code"


@pytest.mark.django_db
def test_a_verification_that_is_moved_to_another_partner_has_no_right_number_any_more():
    asked = make.verification(make.person())
    Verification.objects.filter(pk=asked.pk).update(partner=make.partner())
    assert flow.confirm(code=sms_number(asked), pk=asked.pk).refusal.code == "wrong_code"


@pytest.mark.django_db
def test_another_partners_verification_cannot_be_found_with_the_right_number():
    asked = make.verification(make.person())
    answer = callers.Partner().confirm(asked.pk, sms_number(asked))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# --- Once -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_fifty_who_type_the_right_number_at_once_one_is_told_yes():
    bookshop = callers.Partner()
    asked = bookshop.create(make.person()).json()["id"]
    number = sms_number(Verification.objects.get(pk=asked))

    answers = at_once(*[lambda: bookshop.confirm(asked, number)] * 50)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"closed"}
    assert WebhookDelivery.objects.filter(verification=asked, type="verification.verified").count() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_slips_in_between_the_right_number_and_its_commit():
    """The same without the web around it, which spreads the fifty over more time than a commit takes."""
    for _ in range(4):
        asked = make.verification(make.person())
        number = sms_number(asked)

        refusals = at_once(*[lambda pk=asked.pk, code=number: flow.confirm(code=code, pk=pk).refusal] * 50)

        assert refusals.count(None) == 1
        assert {one.code for one in refusals if one} == {"closed"}


@pytest.mark.django_db(transaction=True)
def test_of_many_who_unlock_at_once_all_read_the_same_one_number():
    mina = make.Member()
    asked = make.verification(mina.person)

    envelopes = [outcome.envelope for outcome in at_once(*[lambda: mina.unlock(asked)] * 8)]

    assert len(set(envelopes)) == 1
    assert Message.objects.filter(kind="number").count() == 1
    assert Line.objects.get().wrong_passwords == 0
