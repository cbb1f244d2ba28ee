"""What leaves the house, read back from the providers: api.md section 2, the table of push payloads."""

import json
import re
import uuid
from datetime import UTC, datetime

import pytest

from pushes import delivery, tasks
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
    assert told["notification"] == {"title": "안심", "body": "앱에서 알림을 확인해 주세요"}


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
    assert told["aps"] == {"alert": {"title": "안심", "body": "앱에서 알림을 확인해 주세요"}}


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
