"""The partners' end of our webhooks."""

import httpx
import pytest

BODY = '{"type": "verification.verified", "data": {"id": "v1"}}  '


@pytest.fixture
def deliver(world):
    def deliver(partner="bookshop", content=BODY):
        headers = {"webhook-id": "m1", "Webhook-Signature": "v1,abc", "content-type": "application/json"}
        return world.post(f"/world/webhooks/{partner}", content=content, headers=headers)

    return deliver


def test_a_webhook_is_taken_and_kept_byte_by_byte(world, deliver):
    answer = deliver()

    assert (answer.status_code, answer.content) == (204, b"")
    [heard] = world.get("/world/webhooks", params={"partner": "bookshop"}).json()
    assert heard == {"headers": heard["headers"], "body": BODY, "received_at": heard["received_at"], "answered": 204}
    assert (heard["headers"]["webhook-id"], heard["headers"]["webhook-signature"]) == ("m1", "v1,abc")
    assert heard["received_at"].endswith("Z")


def test_each_partner_has_its_own_list_newest_first(world, deliver):
    deliver(content="1")
    deliver(content="2")
    deliver("bank", content="3")

    assert [heard["body"] for heard in world.get("/world/webhooks?partner=bookshop").json()] == ["2", "1"]
    assert [heard["body"] for heard in world.get("/world/webhooks").json()] == ["3", "2", "1"]


def test_a_partner_that_fails_is_listed_with_what_it_answered(world, fail, deliver):
    fail("webhook", "error", 1)
    assert deliver().status_code == 500

    fail("webhook", "drop", 1)
    with pytest.raises(httpx.RemoteProtocolError):
        deliver()

    assert [heard["answered"] for heard in world.get("/world/webhooks").json()] == [None, 500]


def test_bytes_that_are_no_text_are_still_heard(world, deliver):
    assert deliver(content=b"\xff\x00").status_code == 204

    assert [heard["body"] for heard in world.get("/world/webhooks").json()] == ["\ufffd\ufffd"]


def test_a_question_no_text_can_answer_is_refused_with_words(world):
    answer = world.get("/world/webhooks?partner=%00")

    assert (answer.status_code, answer.json()) == (400, {"error": "partner: holds U+0000"})
