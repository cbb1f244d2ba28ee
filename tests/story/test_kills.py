"""Invariant 9: killing a process loses no event, push or verification, and none has its effect twice."""

import contextlib
import os
import signal
import threading

import httpx
import pytest

from tests.client.partner import identity, told
from tests.client.world import until

BACK = 30.0  # seconds


def kill(town, program, how=signal.SIGKILL):
    """That signal to every process of one program of the running copy, as demo.json names them."""
    pids = town.handles()["pids"][program]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
    return pids


def wait_for_new(town, program, old):
    """Until demo.json names other processes: then all of the copy answers again."""
    until(lambda: not set(town.handles()["pids"][program]) & set(old), seconds=BACK)


@pytest.fixture(scope="module")
def mina(town):
    """A member with the app."""
    return town.member()


def test_the_worker_is_killed_between_the_request_and_the_push_and_the_phone_still_rings(town, world, bookshop, mina):
    someone = world.person()
    kill(town, "worker", signal.SIGSTOP)
    asked, by_sms = bookshop.ask(mina.person), bookshop.ask(someone)
    assert world.texts(someone) == []

    old = kill(town, "worker")

    assert world.number(someone)
    until(lambda: [p for p in world.pushes(mina.push_token, "wake") if p["verification"] == asked["id"]], seconds=BACK)
    assert bookshop.confirm(asked["id"], mina.number(asked["id"])).status_code == 200
    assert bookshop.confirm(by_sms["id"], world.number(someone)).status_code == 200
    for pk in (asked["id"], by_sms["id"]):
        until(lambda pk=pk: "verification.verified" in told(world.webhooks(bookshop.entry), pk), seconds=BACK)
    assert len(world.texts(someone)) == 1
    wait_for_new(town, "worker", old)


def test_web_is_killed_amid_requests_and_repeating_them_makes_each_once(town, world, bookshop):
    people = [world.person() for _ in range(12)]
    bodies = [
        {"idempotency_key": one["contract"], "reference": one["contract"], "identity": identity(one)} for one in people
    ]
    started = threading.Semaphore(0)
    answered = []

    def ask(body):
        started.release()
        with contextlib.suppress(httpx.TransportError):
            answered.append(bookshop.create(**body))

    threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for _ in range(6):
        started.acquire()
    old = kill(town, "web")
    for thread in threads:
        thread.join(timeout=BACK)
    wait_for_new(town, "web", old)

    first = {answer.json()["reference"]: answer.json() for answer in answered if answer.status_code == 201}
    for body in bodies:
        again = until(lambda body=body: _settled(bookshop.create(**body)))
        assert again.status_code == 201, again.text
        assert again.json() == first.get(body["reference"], again.json())

    for one in people:
        (item,) = bookshop.listed(reference=one["contract"]).json()["items"]
        assert bookshop.confirm(item["id"], world.number(one)).status_code == 200
        assert len(world.texts(one)) == 1


def _settled(answer):
    """None while the killed request's claim on the key still stands: the client is told to ask again."""
    return None if answer.status_code == 409 and answer.json()["code"] == "idempotency_in_flight" else answer
