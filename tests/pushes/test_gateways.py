"""What a provider's answer means for us, where the simulated world does not give that answer."""

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import jwt
import pytest
from django.conf import settings
from google.oauth2 import service_account

from ansim.lib.transfers import Answer
from pushes.gateways import DeadAddress, Later, Misconfigured, Never, apns, fcm, retry_after


def google(status, error, headers=None):
    return Answer(status, headers or {}, json.dumps({"error": error}).encode() if error else b"<html>")


def fcm_error(code):
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def bad_request(field):
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": field}]}


@pytest.mark.parametrize(
    ("status", "error", "meaning", "code"),
    [
        (404, {"status": "NOT_FOUND", "details": [fcm_error("UNREGISTERED")]}, DeadAddress, "UNREGISTERED"),
        (404, {"status": "NOT_FOUND"}, Misconfigured, "NOT_FOUND"),
        (403, {"status": "PERMISSION_DENIED", "details": [fcm_error("SENDER_ID_MISMATCH")]}, Misconfigured,
         "SENDER_ID_MISMATCH"),
        (401, {"status": "UNAUTHENTICATED", "details": [fcm_error("THIRD_PARTY_AUTH_ERROR")]}, Misconfigured,
         "THIRD_PARTY_AUTH_ERROR"),
        (400, {"status": "INVALID_ARGUMENT", "details": [bad_request("message.token")]}, DeadAddress,
         "INVALID_ARGUMENT"),
        (400, {"status": "INVALID_ARGUMENT", "details": [bad_request("message.data[0].value")]}, Never,
         "INVALID_ARGUMENT"),
        (429, {"status": "RESOURCE_EXHAUSTED", "details": [fcm_error("QUOTA_EXCEEDED")]}, Later, "QUOTA_EXCEEDED"),
        (503, {"status": "UNAVAILABLE"}, Later, "UNAVAILABLE"),
        (502, None, Later, "502"),
    ],
)  # fmt: skip
def test_what_google_says(status, error, meaning, code):
    failure = fcm._failure(google(status, error))

    assert type(failure) is meaning
    assert failure.code == code


def test_google_says_when_to_come_back():
    assert fcm._failure(google(429, {"status": "RESOURCE_EXHAUSTED"}, {"retry-after": "9"})).retry_after == 9


@pytest.mark.parametrize(
    ("status", "reason", "meaning"),
    [
        (410, "Unregistered", DeadAddress),
        (410, "ExpiredToken", DeadAddress),
        (400, "BadDeviceToken", DeadAddress),
        (400, "DeviceTokenNotForTopic", Misconfigured),
        (400, "TopicDisallowed", Misconfigured),
        (403, "ExpiredProviderToken", Misconfigured),
        (413, "PayloadTooLarge", Never),
        (400, "IdleTimeout", Later),
        (429, "TooManyRequests", Later),
        (429, "TooManyProviderTokenUpdates", Later),
        (500, "InternalServerError", Later),
        (503, "Shutdown", Later),
    ],
)
def test_what_apple_says(status, reason, meaning):
    failure = apns._failure(Answer(status, {}, json.dumps({"reason": reason}).encode()))

    assert type(failure) is meaning
    assert failure.code == reason


def test_an_answer_of_somebody_else_than_apple_is_known_by_its_status():
    assert apns._failure(Answer(502, {}, b"<html>")).code == "502"


@pytest.mark.parametrize(("header", "seconds"), [(None, None), ("9", 9), ("soon", None), ("-1", None)])
def test_the_seconds_to_wait(header, seconds):
    assert retry_after(header) == seconds


def test_a_date_to_wait_for():
    assert 8 < retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)) <= 10
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_googles_credentials_talk_to_nobody_but_their_token_endpoint():
    account = fcm._google().account
    inherited = service_account.Credentials._is_regional_access_boundary_lookup_required

    assert inherited(account), "by itself the library would ask elsewhere"
    assert not account._is_regional_access_boundary_lookup_required()


def test_a_token_endpoint_that_refuses_us_is_asked_once_for_all_that_waits(monkeypatch, settings):
    """Each push would else wait for a refusal of its own while it holds up the ones behind it."""
    asked = []

    def refuse():
        asked.append(1)
        raise Misconfigured("invalid_grant")

    google = fcm._Google(settings.FCM_CREDENTIALS, "http://127.0.0.1:1", 5.0)
    monkeypatch.setattr(google, "refresh", refuse)
    for _ in range(5):
        with pytest.raises(Misconfigured):
            google.authorization()
    assert len(asked) == 1

    monkeypatch.setattr(fcm, "REFUSED_FOR", 0.0)
    with pytest.raises(Misconfigured):
        google.authorization()
    assert len(asked) == 2


@pytest.mark.parametrize("ahead", [-3_600, 3_600, 40 * 86_400])
def test_apple_is_shown_no_token_that_a_wrong_clock_dated(monkeypatch, ahead):
    """Apple refuses one from the future and one of an hour ago; ours must not be kept until that day comes again."""
    credentials = apns._Credentials(settings.APNS_KEY_FILE, settings.APNS_KEY_ID, settings.APNS_TEAM_ID)
    now = {"clock": time.time() + ahead}
    monkeypatch.setattr("apns2.credentials.time.time", lambda: now["clock"])
    wrong = credentials.get_authorization_header(None)
    assert credentials.get_authorization_header(None) == wrong, "one token serves all"

    now["clock"] -= ahead
    right = credentials.get_authorization_header(None)

    issued = jwt.decode(right.removeprefix("bearer "), options={"verify_signature": False})["iat"]
    assert abs(issued - now["clock"]) < 1


def test_googles_token_lives_no_longer_because_our_clock_was_set_back(monkeypatch, world_url):
    now = {"mono": 1_000.0}
    monkeypatch.setattr(fcm.time, "monotonic", lambda: now["mono"])
    google = fcm._Google(settings.FCM_CREDENTIALS, settings.FCM_URL, 5.0)
    first = google.authorization()
    google.account.expiry += timedelta(days=40)  # as a clock that was ahead had it
    assert google.authorization() == first

    now["mono"] += 3_600
    google.account.token = "ya29.of-an-hour-ago"

    assert google.authorization() != "Authorization: Bearer ya29.of-an-hour-ago"
