"""What leaves the house, read back from the providers: api.md section 2, the table of push payloads."""

import json
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils.translation import override

from pushes import delivery, notices, tasks
from pushes.gateways import payload
from tests.pushes import phones

pytestmark = pytest.mark.django_db


def body(push):
    return push["body"] if isinstance(push["body"], dict) else json.loads(push["body"])


def sent(pushes, device):
    (push,) = pushes(device)
    assert push["answered"] == 200
    return push


def test_android_is_woken_with_fixed_words_and_an_id(pushes):
    device = phones.android()
    message = phones.wake(device)

    tasks.drain("fcm")

    push = sent(pushes, device)
    ttl = body(push)["message"]["android"].pop("ttl")
    assert push["provider"] == "fcm"
    assert 170 <= int(ttl.removesuffix("s")) <= 180
    assert body(push) == {
        "message": {
            "token": device.push_token,
            "notification": {"title": "안심", "body": "앱을 열어 주세요"},
            "data": {"kind": "wake", "verification": str(message.about)},
            "android": {"priority": "high", "collapse_key": str(message.about)},
        }
    }
    message.refresh_from_db()
    assert message.state == "sent"
    assert message.sent_at
    assert re.fullmatch(r"projects/.+/messages/.+", message.provider_id)


def test_the_number_for_android_is_data_only(pushes):
    device = phones.android()
    message = phones.number(device, envelope="abc")

    tasks.drain("fcm")

    told = body(sent(pushes, device))["message"]
    assert told["data"] == {"kind": "number", "verification": str(message.about), "envelope": "abc"}
    assert told["android"]["priority"] == "high"
    assert "notification" not in told
    assert "collapse_key" not in told["android"]


def test_a_notice_for_android_says_only_what_it_is_about(pushes):
    device = phones.android()
    phones.owed(delivery.notice(device, "replaced"))

    tasks.drain("fcm")

    told = body(sent(pushes, device))["message"]
    assert told["data"] == {"kind": "notice", "notice": "replaced"}
    assert told["notification"] == {
        "title": "안심",
        "body": "다른 휴대폰에 안심 앱을 등록했어요. 이 휴대폰에는 이제 번호가 오지 않아요. "
        "내가 한 일이 아니면 바로 1566-4380으로 전화해 주세요.",
    }


@pytest.mark.parametrize("what", sorted(notices.NOTICES))
def test_a_notice_says_what_happened_and_what_to_do_in_the_services_language(what):
    device = phones.android()
    with override("en"):
        said = payload.words(phones.owed(delivery.notice(device, what)))
    assert re.search("[가-힣]", said)
    assert said.count("요.") >= 2
    assert not re.search(r"[A-Za-z]|\d{5,}", said.replace("1566-4380", ""))


def test_a_notice_without_words_is_never_owed():
    with pytest.raises(ValueError, match="unheard_of"):
        delivery.notice(phones.android(), "unheard_of")


def test_every_notice_that_the_code_sends_has_words():
    """In every call of `tell`, wherever it stands."""
    root = Path(__file__).resolve().parents[2]
    code = [path.read_text() for app in ("verification", "subscriptions") for path in (root / app).rglob("*.py")]
    sent = {what for text in code for what in re.findall(r"\btell\([^()]*?, \"(\w+)\"\)", text)}
    assert len(sent) > 5
    assert sent <= set(notices.NOTICES)


def test_an_iphone_is_woken_with_fixed_words_and_an_id(pushes, settings):
    device = phones.iphone()
    message = phones.wake(device)

    tasks.drain("apns")

    push = sent(pushes, device)
    assert push["provider"] == "apns"
    assert body(push) == {
        "aps": {"alert": {"title": "안심", "body": "앱을 열어 주세요"}},
        "kind": "wake",
        "verification": str(message.about),
    }
    headers = {name.lower(): value for name, value in push["headers"].items()}
    assert headers["apns-push-type"] == "alert"
    assert headers["apns-priority"] == "10"
    assert headers["apns-topic"] == settings.APNS_TOPIC
    assert headers["apns-collapse-id"] == str(message.about)
    assert datetime.fromtimestamp(int(headers["apns-expiration"]), UTC) == message.expires_at.replace(microsecond=0)
    message.refresh_from_db()
    assert message.state == "sent"
    assert message.provider_id


def test_the_number_for_an_iphone_goes_in_the_background(pushes):
    device = phones.iphone()
    message = phones.number(device, envelope="abc")

    tasks.drain("apns")

    push = sent(pushes, device)
    assert body(push) == {
        "aps": {"content-available": 1},
        "kind": "number",
        "verification": str(message.about),
        "envelope": "abc",
    }
    headers = {name.lower(): value for name, value in push["headers"].items()}
    assert headers["apns-push-type"] == "background"
    assert headers["apns-priority"] == "5"


def test_a_notice_for_an_iphone_is_an_alert(pushes):
    device = phones.iphone()
    phones.owed(delivery.notice(device, "locked"))

    tasks.drain("apns")

    told = body(sent(pushes, device))
    assert told["kind"] == "notice"
    assert told["notice"] == "locked"
    assert told["aps"] == {
        "alert": {
            "title": "안심",
            "body": "앱 비밀번호를 5번 틀려서 잠갔어요. 내가 틀린 것이 아니면 휴대폰을 누가 만졌는지 확인해 주세요.",
        }
    }


def test_an_address_with_odd_letters_reaches_its_iphone(pushes):
    device = phones.iphone(push_token="a b%2F?c#" + str(uuid.uuid4()))
    phones.wake(device)

    tasks.drain("apns")

    assert sent(pushes, device)["token"] == device.push_token


def test_a_text_goes_out_as_it_was_written(texts, settings):
    message = phones.sms(words="[안심] 책방 본인확인 번호 123456 (3분 안에 입력).")

    tasks.drain("sms")

    (text,) = texts(message.body["to"])
    assert text["from"] == settings.SMS_FROM
    assert text["text"] == "[안심] 책방 본인확인 번호 123456 (3분 안에 입력)."
    message.refresh_from_db()
    assert message.state == "sent"
    assert message.provider_id
