"""The bell carries a channel's name and nothing else; the clock rings again for what stayed, and forgets."""

import base64
import json
import time
import uuid

import pytest
import redis
from django.utils import timezone

from ansim import bell as bells
from pushes import bell, clock, delivery, tasks
from pushes.models import Message
from tests.pushes import phones

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(settings):
    """What the workers would hear: (task, arguments) by queue."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("sms", "push")
        for one in bell.of(("fcm", "apns", "sms")):
            bells.heard(one)  # no bell of an earlier test waits

        def heard(queue):
            entries = [json.loads(entry) for entry in broker.lrange(queue, 0, -1)]
            return sorted((bell["headers"]["task"], *json.loads(base64.b64decode(bell["body"]))[0]) for bell in entries)

        yield heard
        broker.delete("sms", "push")


def test_each_channel_with_something_due_is_rung_for_once(rung):
    phones.wake(phones.android())
    phones.wake(phones.android())
    phones.sms()
    phones.wake(phones.iphone(), due_at=phones.in_seconds(10))

    clock.ring_again()

    assert rung("push") == [("pushes.tasks.drain", "fcm")]
    assert rung("sms") == [("pushes.tasks.drain", "sms")]


def test_the_bell_rings_after_the_commit_and_not_before(rung, django_capture_on_commit_callbacks):
    message = phones.wake(phones.iphone())

    with django_capture_on_commit_callbacks(execute=True):
        delivery.ring(message, message)
        assert rung("push") == []

    assert rung("push") == [("pushes.tasks.drain", "apns")]


def test_who_hears_a_bell_takes_its_mark_away_so_that_the_next_commit_rings_anew(rung):
    bell.pull("sms")
    tasks.drain("sms")
    bell.pull("sms")

    assert rung("sms") == [("pushes.tasks.drain", "sms")] * 2


def test_a_broker_that_is_away_is_no_loss_and_holds_nobody_up(nobody_home, caplog, settings):
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{nobody_home}/0"
    bells.broker.cache_clear()
    began = time.monotonic()
    try:
        bell.pull("sms")
        assert time.monotonic() - began < 2, "a request waits for this"
    finally:
        bells.broker.cache_clear()

    assert [line.getMessage() for line in caplog.records] == ["bell_silent"]


def test_texts_and_envelopes_go_when_they_have_expired():
    over, alive = phones.sms(seconds=-1), phones.sms()

    clock.forget()

    over.refresh_from_db()
    alive.refresh_from_db()
    assert over.body is None
    assert alive.body["text"]


def test_a_resend_is_the_same_text_with_the_same_end():
    first = phones.sms(words="번호 123456")

    again = phones.owed(*delivery.again(first.about, kind=Message.Kind.SMS))

    assert again.body == first.body
    assert again.expires_at == first.expires_at
    assert again.pk != first.pk


def test_the_envelope_is_there_while_it_lives():
    phone = phones.android()
    alive, over = phones.number(phone, envelope="alive"), phones.number(phone, envelope="over", seconds=-1)

    assert delivery.sealed_number(alive.about) == "alive"
    assert delivery.sealed_number(over.about) is None
    assert delivery.sealed_number(uuid.uuid4()) is None


def test_a_resend_that_fails_is_no_end_while_the_first_text_went_out():
    first = phones.sms(state="sent", sent_at=timezone.now())
    again = phones.owed(*delivery.again(first.about, kind=Message.Kind.SMS), state="failed")
    lost = phones.sms(state="failed")

    assert again.about == first.about
    assert delivery.undeliverable() == [lost.about]
    assert delivery.never_left(lost.about)
    assert not delivery.never_left(first.about)
