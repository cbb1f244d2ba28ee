"""Things that count once, over all processes; also while Redis is away."""

import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis
from django.db import connection
from django.utils import timezone

from ansim import once
from ansim.models import Spent


@pytest.fixture
def name():
    return f"test:{uuid.uuid4()}"


@pytest.fixture
def no_redis(settings):
    """An address where no Redis answers."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        once.store.cache_clear()
        yield
    once.store.cache_clear()


def test_it_counts_once(name):
    assert once.spend(name, seconds=60)
    assert not once.spend(name, seconds=60)


def test_it_counts_again_when_the_time_is_over(name):
    assert once.spend(name, seconds=1)
    time.sleep(1.1)
    assert once.spend(name, seconds=1)


def test_what_came_to_nothing_can_be_spent_again(name):
    once.spend(name, seconds=60)
    once.release(name)
    assert once.spend(name, seconds=60)


def test_of_many_at_the_same_instant_one_is_the_first(name):
    with ThreadPoolExecutor(8) as at_once:
        assert sum(at_once.map(lambda _: once.spend(name, seconds=60), range(32))) == 1


@pytest.mark.django_db
def test_without_redis_the_database_counts(name, no_redis, caplog):
    assert once.spend(name, seconds=60)
    assert not once.spend(name, seconds=60)
    assert caplog.records[0].getMessage() == "redis_away"

    once.release(name)
    assert once.spend(name, seconds=60)


@pytest.mark.django_db
def test_without_redis_the_time_runs_out_too(name, no_redis):
    once.spend(name, seconds=60)
    Spent.objects.update(until=timezone.now() - timedelta(seconds=1))

    assert once.spend(name, seconds=60)


@pytest.mark.django_db(transaction=True)
def test_without_redis_too_one_of_many_is_the_first(name, no_redis):
    def spend(_):
        try:
            return once.spend(name, seconds=60)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as at_once:
        assert sum(at_once.map(spend, range(12))) == 1


def test_a_redis_that_is_away_is_noticed_soon(no_redis):
    began = time.monotonic()
    with pytest.raises(redis.RedisError):
        once.store().get("anything")
    assert time.monotonic() - began < 3
