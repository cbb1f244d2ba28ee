"""A drain at work hears its bell itself, past Celery; where nobody listens or has time, Celery wakes somebody."""

import random
import threading
import time
import uuid
from datetime import timedelta

import pytest

from ansim import bell, ear
from ansim.lib import correlator


@pytest.fixture
def rung():
    """A bell that nobody else knows."""
    name = f"tests-{uuid.uuid4().hex}"
    yield bell.Bell(f"tests.{name}", name, ("sms",))
    bell.broker().delete(name)


@pytest.fixture
def listening(rung):
    """Begins to listen; tells what was heard so far. Whoever begins waits until it is known that somebody listens."""
    ears = []

    def listening(*, apart=0.0):
        heard = []
        one = ear.Ear(rung, heard.append, apart=apart)
        ears.append(one)
        one.listen()
        until(lambda: bell.broker().exists(rung.ear))
        return one, heard

    yield listening
    for one in ears:
        one.close()


def until(there, *, seconds=15):
    ends = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.005)


def with_celery(rung):
    """Bells that wait in Celery's queue."""
    return bell.broker().llen(rung.queue)


def test_who_listens_hears_the_bell_and_whose_it_is_and_celery_is_not_asked(rung, listening):
    _, heard = listening()
    with correlator.carrying("c-17"):
        bell.pull(rung)
    until(lambda: heard == ["c-17"])
    assert with_celery(rung) == 0


def test_an_ear_hears_the_next_bell_only_when_there_is_time_for_it(rung, listening):
    one, heard = listening()
    bell.pull(rung)
    until(lambda: len(heard) == 1)
    for _ in range(3):
        bell.pull(rung)
    time.sleep(0.1)
    assert (len(heard), with_celery(rung)) == (1, 0)
    one.listen()
    until(lambda: len(heard) == 2)


def test_a_bell_that_lies_too_long_before_a_busy_ear_wakes_somebody_else_through_celery(rung, listening):
    _, heard = listening()
    bell.pull(rung)
    until(lambda: len(heard) == 1)  # and has no time from now on
    bell.pull(rung)
    assert with_celery(rung) == 0
    time.sleep(bell.LATE / 1000 + 0.05)
    bell.pull(rung)
    assert with_celery(rung) == 1


def test_between_two_bells_there_is_the_time_that_is_wanted(rung, listening):
    one, heard = listening(apart=0.3)
    bell.pull(rung)
    until(lambda: len(heard) == 1)
    began = time.monotonic()
    one.listen()
    bell.pull(rung)
    until(lambda: len(heard) == 2)
    assert time.monotonic() - began > 0.25


def test_when_no_more_bells_come_it_goes_with_one_last_word_and_celery_is_asked_again(rung, listening):
    one, heard = listening()
    assert not one.quiet
    until(lambda: one.quiet and heard == [""])
    assert not bell.broker().exists(rung.ear)
    bell.pull(rung)
    assert (with_celery(rung), heard) == (1, [""])


def test_a_worker_that_is_told_to_end_listens_no_more(rung, listening, monkeypatch):
    ending = threading.Event()
    monkeypatch.setattr(ear, "_ending", ending)
    one, _ = listening()
    ending.set()
    began = time.monotonic()
    until(lambda: one.quiet)
    assert time.monotonic() - began < ear.LINGER - 0.2


def test_who_has_no_time_is_not_idle_and_stays(rung, listening, monkeypatch):
    monkeypatch.setattr(ear, "LINGER", 0.1)
    monkeypatch.setattr(ear, "WAIT", 0.05)
    one, heard = listening()
    bell.pull(rung)
    until(lambda: len(heard) == 1)
    time.sleep(0.5)
    assert not one.quiet
    one.listen()
    until(lambda: one.quiet)


def test_what_is_rung_for_who_was_closed_meanwhile_goes_to_somebody_else(rung, listening):
    one, heard = listening()
    time.sleep(0.05)  # it waits for a bell now
    one.close()
    bell.pull(rung)
    until(lambda: with_celery(rung) == 1)
    until(lambda: one.quiet)
    assert set(heard) <= {""}


def test_what_lies_before_who_goes_is_for_somebody_else(rung, listening, monkeypatch):
    ending = threading.Event()
    monkeypatch.setattr(ear, "_ending", ending)
    one, heard = listening()
    bell.pull(rung)
    until(lambda: len(heard) == 1)  # and has no time from now on
    bell.pull(rung)
    ending.set()
    until(lambda: one.quiet)
    assert with_celery(rung) == 1


def test_the_ear_of_a_killed_worker_silences_nobody_for_longer_than_a_late_bell(rung):
    bell.broker().set(rung.ear, 1, px=bell.LISTENS)  # as it left it
    bell.pull(rung)
    assert with_celery(rung) == 0
    time.sleep(bell.LATE / 1000 + 0.05)
    bell.pull(rung)
    assert with_celery(rung) == 1


@pytest.mark.parametrize("what", ["ear", "rung"])
def test_nothing_stands_for_forty_days_because_redis_clock_was_set_back(rung, what):
    if what == "ear":
        bell.broker().set(rung.ear, 1, px=timedelta(days=40))
    else:
        bell.broker().set(rung.ear, 1, px=bell.LISTENS)
        bell.broker().lpush(rung.rung, "")
        bell.broker().pexpire(rung.rung, timedelta(days=40))
    bell.pull(rung)
    if what == "ear":
        assert with_celery(rung) == 1
    else:
        assert 0 < bell.broker().pttl(rung.rung) <= bell.UNHEARD, "it was rung anew"


def test_who_loses_redis_goes(rung, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    ear._broker.cache_clear()
    try:
        heard = []
        one = ear.Ear(rung, heard.append, apart=0.0)
        one.listen()
        until(lambda: one.quiet and heard == [""])
    finally:
        ear._broker.cache_clear()


def test_no_bell_is_lost_while_ears_come_and_go(rung, monkeypatch):
    """After each bell somebody looks: who listens, or a task of Celery's."""
    monkeypatch.setattr(ear, "LINGER", 0.02)
    monkeypatch.setattr(ear, "WAIT", 0.01)
    chance = random.Random(8)
    for _ in range(40):
        _round(rung, chance)


def _round(rung, chance):
    looked = []
    ears = [ear.Ear(rung, lambda _: looked.append(time.monotonic()), apart=0.0) for _ in range(2)]
    for one in ears:
        one.listen()
    time.sleep(chance.uniform(0.0, 0.04))
    if chance.random() < 0.5:
        ears[0].close()
    bell.broker().delete(rung.queue, rung.mark)
    rung_at = time.monotonic()
    bell.pull(rung)
    until(lambda: any(at >= rung_at for at in looked) or with_celery(rung))
    for one in ears:
        one.close()
    until(lambda: all(one.quiet for one in ears))
    bell.broker().delete(rung.rung)
