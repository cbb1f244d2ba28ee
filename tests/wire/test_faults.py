"""How the world is told to fail. What each vendor's failure looks like stands with the vendor."""

import time

import httpx
import pytest


@pytest.fixture
def order(world):
    return lambda **body: world.post("/world/faults", json=body)


def deliver(world):
    return world.post("/world/webhooks/bookshop", content=b"{}").status_code


def test_a_fault_with_a_count_ends_by_itself(world, order):
    answer = order(target="webhook", mode="error", count=2)

    assert answer.json() == {"target": "webhook", "mode": "error", "count": 2}
    assert [deliver(world) for _ in range(3)] == [500, 500, 204]


def test_a_fault_without_a_count_holds_until_ok(world, order):
    order(target="webhook", mode="error")
    assert [deliver(world) for _ in range(3)] == [500, 500, 500]

    order(target="webhook", mode="ok")
    assert deliver(world) == 204


def test_a_reset_ends_every_fault(world, order):
    order(target="webhook", mode="error")

    world.post("/world/reset")

    assert {fault["mode"] for fault in world.get("/world/faults").json()} == {"ok"}
    assert deliver(world) == 204


def test_a_slow_vendor_answers_after_five_seconds(world, order):
    order(target="webhook", mode="slow", count=2)
    before = time.monotonic()

    with pytest.raises(httpx.ReadTimeout):  # gives up first: was never answered
        world.post("/world/webhooks/bank", content=b"{}", timeout=0.2)
    assert [heard["answered"] for heard in world.get("/world/webhooks?partner=bank").json()] == [None]
    assert deliver(world) == 204

    assert 5 <= time.monotonic() - before < 7
    assert [heard["answered"] for heard in world.get("/world/webhooks").json()] == [204, None]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "target: one of fcm, apns, sms, carrier, webhook"),
        ({"target": ["fcm"], "mode": "ok"}, "target: one of fcm, apns, sms, carrier, webhook"),
        ({"target": "fcm", "mode": "explode"}, "mode: one of ok, slow, error, drop, reject_token"),
        ({"target": "sms", "mode": "reject_token"}, "mode: only fcm and apns have tokens to reject"),
        ({"target": "fcm", "mode": "error", "count": 0}, "count: a whole number from 1, or left out"),
        ({"target": "fcm", "mode": "error", "count": True}, "count: a whole number from 1, or left out"),
        ({"target": "fcm", "mode": "error", "counts": 1}, "counts: unknown"),
    ],
)
def test_nonsense_is_refused_with_words_that_name_the_field(order, body, words):
    answer = order(**body)

    assert (answer.status_code, answer.json()) == (400, {"error": words})


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b"NaN", b"[" * 100_000])
@pytest.mark.parametrize("path", ["/world/faults", "/world/lines"])
def test_what_is_no_json_object_is_refused(world, path, raw):
    answer = world.post(path, content=raw)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("body: ")
