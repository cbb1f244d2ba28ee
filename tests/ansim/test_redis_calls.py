"""One command to Redis at a time, on a connection that the thread keeps."""

import os
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import settings

from ansim import once
from ansim.lib.redis_calls import Script, ask


@pytest.fixture
def client():
    """Patient enough, and with connections of its own."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def session(client):
    """Which of Redis' connections this thread has."""
    return ask(client, "CLIENT", "ID")


def test_the_thread_keeps_its_connection_and_shares_it_with_no_other(client):
    mine = session(client)

    with ThreadPoolExecutor(1) as elsewhere:
        assert elsewhere.submit(session, client).result() != mine
    assert session(client) == mine


def test_a_connection_that_redis_closed_is_made_anew(client):
    before = session(client)
    once.store().client_kill_filter(_id=str(before))

    assert session(client) != before


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one(client):
    hasty = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.05)
    nobody_pushes = f"test:{uuid.uuid4()}"
    assert ask(hasty, "ECHO", "first") == b"first"

    with pytest.raises(redis.TimeoutError):
        ask(hasty, "BLPOP", nobody_pushes, 1)
    client.lpush(nobody_pushes, "late")

    assert ask(hasty, "ECHO", "second") == b"second"
    client.delete(nobody_pushes)


def test_a_refusal_is_an_error_and_leaves_the_connection_good(client):
    mine = session(client)

    with pytest.raises(redis.ResponseError):
        ask(client, "NOTHING")

    assert session(client) == mine


def test_redis_away_is_told_each_time_and_found_again():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = redis.Redis.from_url(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        for _ in range(2):
            with pytest.raises(redis.RedisError):
                ask(nowhere, "PING")


def test_a_script_that_redis_does_not_know_any_more_is_told_again(client):
    say = Script(f"return {{KEYS[1], ARGV[1], '{uuid.uuid4()}'}}")
    for _ in range(2):
        assert say(client, ["a"], [7])[:2] == [b"a", b"7"]

    client.script_flush()

    assert say(client, ["a"], [8])[:2] == [b"a", b"8"]


def test_a_forked_child_does_not_speak_on_its_parents_connection(client):
    mine = session(client)
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(tells, str(session(client)).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(told, 20)) != mine
    assert session(client) == mine
    os.close(told)
    os.close(tells)
