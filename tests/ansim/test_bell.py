"""A bell that nobody has heard yet is not rung again; one that was heard is. Against the real broker."""

import base64
import json
import uuid
from datetime import timedelta

import pytest
from celery import current_app
from django.db import transaction

from ansim import bell
from ansim.lib import correlator

HELD_BY_EACH = {"id", "root_id", "correlation_id", "reply_to", "delivery_tag", "origin"}


@pytest.fixture
def queue():
    name = f"tests-{uuid.uuid4().hex}"
    yield name
    bell.broker().delete(name)


@pytest.fixture
def ring(queue):
    """Rings for something nobody else knows; tells how many bells wait then."""
    task = f"tests.{uuid.uuid4().hex}"

    def ring(*arguments):
        bell.pull(bell.Bell(task, queue, arguments))
        return bell.broker().llen(queue)

    ring.task, ring.sms = task, bell.Bell(task, queue, ("sms",))
    return ring


def test_while_it_waits_unheard_it_rings_once(ring):
    assert [ring("sms") for _ in range(5)] == [1] * 5


def test_each_channel_has_its_own(ring):
    assert [ring("sms"), ring("fcm"), ring("sms")] == [1, 2, 2]


def test_who_commits_after_it_was_heard_rings_anew(ring):
    ring("sms")
    bell.heard(ring.sms)
    assert ring("sms") == 2


def test_a_bell_that_died_with_its_worker_silences_nobody_for_long(ring):
    ring("sms")
    assert 0 < bell.broker().pttl(ring.sms.mark) <= bell.UNHEARD <= 1_000


def test_a_mark_that_would_stand_for_forty_days_because_redis_clock_was_set_back_silences_nobody(ring):
    ring("sms")
    bell.broker().pexpire(ring.sms.mark, timedelta(days=40))
    assert [ring("sms"), ring("sms")] == [2, 2]


@pytest.mark.django_db(transaction=True)
def test_all_bells_of_a_commit_ring_in_one_call_and_none_before_it(ring, queue):
    with transaction.atomic():
        bell.ring(ring.sms, bell.Bell(ring.task, queue, ("fcm",)))
        assert bell.broker().llen(queue) == 0
    assert bell.broker().llen(queue) == 2


def test_what_waits_for_the_worker_is_what_celery_itself_would_have_put_there(ring, queue):
    with correlator.carrying("c-1"):
        ring("sms")
        current_app.send_task(
            ring.task, ("sms",), queue=queue, ignore_result=True,
            headers={correlator.HEADER: "c-1"},
        )  # fmt: skip
    celerys, ours = (json.loads(told) for told in bell.broker().lrange(queue, 0, 1))

    assert json.loads(base64.b64decode(ours.pop("body"))) == json.loads(base64.b64decode(celerys.pop("body")))
    for of_celery, of_ours in (
        (celerys.pop("headers"), ours.pop("headers")),
        (celerys.pop("properties"), ours.pop("properties")),
    ):
        assert {**of_celery, **dict.fromkeys(HELD_BY_EACH)} == {**of_ours, **dict.fromkeys(HELD_BY_EACH)}
    assert celerys == ours


def test_each_task_has_an_id_of_its_own(ring, queue):
    ring("sms")
    bell.heard(ring.sms)
    ring("sms")
    told = [json.loads(told) for told in bell.broker().lrange(queue, 0, 1)]

    ids = [(one["headers"]["id"], one["headers"]["root_id"], one["properties"]["correlation_id"]) for one in told]
    assert [len(set(names)) for names in ids] == [1, 1]
    assert len(set(ids)) == len({one["properties"]["delivery_tag"] for one in told}) == 2


def test_while_no_worker_lives_a_queue_grows_no_further(ring):
    waiting = [(ring("sms"), bell.heard(ring.sms))[0] for _ in range(bell.WAITING + 8)]

    assert waiting[: bell.WAITING] == list(range(1, bell.WAITING + 1))
    assert waiting[bell.WAITING :] == [bell.WAITING] * 8


def test_without_redis_it_is_silent_and_breaks_nothing(ring, settings, monkeypatch):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    bell.broker.cache_clear()
    try:
        bell.pull(ring.sms)
        bell.heard(ring.sms)
    finally:
        monkeypatch.undo()
        bell.broker.cache_clear()
