"""A bell that nobody has heard yet is not rung again; one that was heard is. Against the real broker."""

import uuid

import pytest

from ansim import bell, once


@pytest.fixture
def queue():
    name = f"tests-{uuid.uuid4().hex}"
    yield name
    once.store().delete(name)


@pytest.fixture
def ring(queue):
    """Rings for something nobody else knows; tells how many bells wait then."""
    task = f"tests.{uuid.uuid4().hex}"

    def ring(*arguments):
        bell.pull(task, *arguments, queue=queue)
        return once.store().llen(queue)

    ring.task = task
    return ring


def test_while_it_waits_unheard_it_rings_once(ring):
    assert [ring("sms") for _ in range(5)] == [1] * 5


def test_each_channel_has_its_own(ring):
    assert [ring("sms"), ring("fcm"), ring("sms")] == [1, 2, 2]


def test_who_commits_after_it_was_heard_rings_anew(ring):
    ring("sms")
    bell.heard(ring.task, "sms")
    assert ring("sms") == 2


def test_a_bell_that_died_with_its_worker_silences_nobody_for_long(ring):
    ring("sms")
    [mark] = once.store().keys(f"bell:{ring.task}:*")
    assert 0 < once.store().pttl(mark) <= bell.UNHEARD <= 1_000


def test_without_redis_it_is_silent_and_breaks_nothing(ring, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    once.store.cache_clear()
    try:
        bell.pull(ring.task, "sms", queue="nowhere")
        bell.heard(ring.task, "sms")
    finally:
        monkeypatch.undo()
        once.store.cache_clear()
