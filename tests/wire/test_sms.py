"""The SMS gateway's wire (api.md section 4)."""

import httpx
import pytest
from django.conf import settings

MESSAGE = {"to": "+821012345678", "from": "15664380", "text": "[안심] 책방 본인확인 번호 123456 (3분 안에 입력)."}


@pytest.fixture
def send():
    def send(message=None, *, token=None, raw=None):
        headers = {"Authorization": f"Bearer {settings.SMS_TOKEN if token is None else token}"}
        body = {"content": raw} if raw is not None else {"json": MESSAGE if message is None else message}
        return httpx.post(f"{settings.SMS_URL}/messages", headers=headers, timeout=8, **body)

    return send


def test_a_message_is_taken_and_listed(world, send):
    answer = send()

    assert answer.status_code == 202
    assert list(answer.json()) == ["id"]
    [listed] = world.get("/world/sms", params={"to": "010-1234-5678"}).json()
    assert listed == {**MESSAGE, "at": listed["at"], "answered": 202}
    assert listed["at"].endswith("Z")


@pytest.mark.parametrize("query", ["to=%2B821012345678", "to=+821012345678", "to=01012345678", "to=010 1234 5678"])
def test_the_number_may_be_asked_for_as_people_write_it(world, send, query):
    send()

    assert len(world.get(f"/world/sms?{query}").json()) == 1


def test_the_newest_comes_first_and_others_numbers_are_left_out(world, send):
    for text in ("first", "second"):
        send({**MESSAGE, "text": text})
    send({**MESSAGE, "to": "+821099998888"})

    listed = world.get("/world/sms", params={"to": MESSAGE["to"]}).json()
    assert [message["text"] for message in listed] == ["second", "first"]
    assert len(world.get("/world/sms").json()) == 3


def test_a_wrong_token_is_refused_and_listed(world, send):
    answer = send(token="guess")

    assert answer.status_code == 401
    assert answer.json() == {"code": "unauthenticated", "message": "The bearer token is not valid."}
    assert [message["answered"] for message in world.get("/world/sms").json()] == [401]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({**MESSAGE, "to": "02-123-4567"}, "to: not a Korean mobile number"),
        ({**MESSAGE, "text": ""}, "text: a text that is not empty"),
        ({**MESSAGE, "text": 123456}, "text: a text that is not empty"),
        ({**MESSAGE, "urgent": True}, "urgent: unknown"),
        ({"to": MESSAGE["to"], "text": "x"}, "from: a text that is not empty"),
        ([], "body: not a JSON object"),
    ],
)
def test_nonsense_is_refused_with_words_and_listed(world, send, message, words):
    answer = send(message)

    assert answer.status_code == 400
    assert answer.json() == {"code": "invalid", "message": words}
    assert [message["answered"] for message in world.get("/world/sms").json()] == [400]


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"to": "\\ud800"}', b'{"text": "\\u0000"}', b'{"to": 1, "to": 2}'])
def test_what_is_no_json_is_refused(world, send, raw):
    assert send(raw=raw).json()["code"] == "invalid"


def test_the_gateways_own_failure_is_listed(world, fail, send):
    fail("sms", "error", 1)

    answer = send()

    assert answer.status_code == 500
    assert answer.json() == {"code": "internal", "message": "The message could not be taken."}
    assert [message["answered"] for message in world.get("/world/sms").json()] == [500]


def test_a_cut_connection_is_listed_without_an_answer(world, fail, send):
    fail("sms", "drop", 1)

    with pytest.raises(httpx.RemoteProtocolError):
        send()

    assert [message["answered"] for message in world.get("/world/sms").json()] == [None]


def test_a_question_for_no_phone_number_is_answered_with_words(world):
    answer = world.get("/world/sms", params={"to": "somebody"})

    assert answer.status_code == 400
    assert answer.json() == {"error": "to: not a phone number"}
