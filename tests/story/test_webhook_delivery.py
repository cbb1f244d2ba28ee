"""Webhooks of the running system: fair between partners, heard again after a kill, rotated, replayed."""

import os
import signal
import threading
import time
import uuid

import pytest
from standardwebhooks.webhooks import Webhook

from tests.client.partner import heard, told
from tests.client.town import Shop
from tests.client.world import until
from tests.verification.endpoints import answering, saying

TRIED = """
    SELECT attempt.error, attempt.ms FROM verification_webhookattempt AS attempt
      JOIN verification_webhookdelivery AS delivery ON delivery.id = delivery_id WHERE partner_id = %s
"""


def partner_at(town, url):
    """A partner whose endpoint is that address."""
    entry = town.manage("demo", "partner", "--webhook-url", url, "--limits", '{"partner_per_min": 100000}')
    return town.kept(Shop(town.base_url, entry))


def event(shop):
    """One event for that partner: a verification that it cancels at once."""
    asked = shop.create(reference=uuid.uuid4().hex).json()
    assert shop.cancel(asked["id"]).status_code == 200
    return asked["id"]


def deliveries(shop, **query):
    answer = shop.http.get("/webhook-deliveries", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.mark.slow
def test_a_partner_that_hangs_15_seconds_with_200_owed_does_not_delay_another(town, world, bookshop):
    with saying(then_hang=True) as hanging:
        slow = partner_at(town, hanging)
        threads = [threading.Thread(target=lambda: [event(slow) for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = []
        ends = time.monotonic() + 18  # longer than a shift of the worker, and than the time-out
        while time.monotonic() < ends:
            pk, began = event(bookshop), time.monotonic()
            until(lambda pk=pk: told(world.webhooks(bookshop.entry), pk), seconds=5)
            took.append(time.monotonic() - began)
            time.sleep(0.5)
        tried = town.rows(TRIED, slow.entry["id"])

    assert max(took) < 2.0
    assert len(took) > 10
    assert {error for error, _ in tried} == {"timeout"}
    assert all(14_900 < ms < 16_500 for _, ms in tried)


@pytest.mark.slow
def test_a_worker_killed_in_mid_delivery_costs_no_event(town):
    go = threading.Event()
    with answering(before=lambda hook: go.wait(60) and None) as endpoint:
        shop = partner_at(town, endpoint.url)
        asked = event(shop)
        until(lambda: endpoint.heard)
        old = town.handles()["pids"]["worker"]
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        go.set()

        until(lambda: deliveries(shop, verification=asked)[0]["state"] == "delivered", seconds=60)
        until(lambda: not set(town.handles()["pids"]["worker"]) & set(old), seconds=30)

    (item,) = deliveries(shop, verification=asked)
    assert {headers["webhook-id"] for headers, _ in endpoint.heard} == {item["id"]}
    assert len(endpoint.heard) == 2
    assert [(attempt["status"], attempt["error"]) for attempt in reversed(item["log"])] == [
        (None, "interrupted"),
        (204, None),
    ]


def test_a_rotated_secret_signs_beside_the_old_one(town, world):
    shop = town.shop()
    old = shop.entry["webhook_secret"]

    rotated = town.manage("partners", "rotate-webhook-secret", shop.entry["id"])
    pk = event(shop)

    (hook,) = until(lambda: [hook for hook in world.webhooks(shop.entry) if pk in hook["body"]])
    for secret in (old, rotated["webhook_secret"]):
        assert heard(hook, secret=secret)["type"] == "verification.cancelled"
    newest, _ = hook["headers"]["webhook-signature"].split(" ")
    assert Webhook(rotated["webhook_secret"]).verify(hook["body"], {**hook["headers"], "webhook-signature": newest})


def test_a_partner_replays_what_it_lost(town, world):
    shop = town.shop()
    pk = event(shop)
    first = until(lambda: deliveries(shop, verification=pk, state="delivered"))[0]

    answer = shop.http.post(f"/webhook-deliveries/{first['id']}/replay")

    assert answer.status_code == 202

    def arrived():
        return [hook for hook in world.webhooks(shop.entry) if pk in hook["body"]]

    until(lambda: len(arrived()) == 2)
    assert {hook["headers"]["webhook-id"] for hook in arrived()} == {first["id"]}
    assert len({hook["body"] for hook in arrived()}) == 1


def test_410_ends_it_until_the_operator_enables_it_again(town):
    gone = [410]
    with answering(before=lambda hook: gone[0]) as endpoint:
        shop = partner_at(town, endpoint.url)
        lost = event(shop)
        until(lambda: deliveries(shop, verification=lost)[0]["state"] == "given_up")
        later = event(shop)
        assert deliveries(shop, verification=later) == []

        gone[0] = None
        assert town.manage("partners", "enable-webhooks", shop.entry["id"])["was_disabled"]
        after = event(shop)
        until(lambda: deliveries(shop, verification=after, state="delivered"))
        (given_up,) = deliveries(shop, verification=lost)
        assert shop.http.post(f"/webhook-deliveries/{given_up['id']}/replay").status_code == 202
        until(lambda: deliveries(shop, verification=lost, state="delivered"))
