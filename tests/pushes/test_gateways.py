"""What a provider's answer means for us, where the simulated world does not give that answer."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import requests
from firebase_admin import exceptions, messaging
from google.oauth2 import service_account

from pushes.gateways import DeadAddress, Later, Misconfigured, Never, apns, fcm, retry_after


def google(status, error, headers=None):
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers or {})
    response._content = requests.compat.json.dumps({"error": error}).encode() if error else b"<html>"
    return exceptions.UnknownError("", http_response=response)


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
    assert fcm._failure(google(429, {"status": "RESOURCE_EXHAUSTED"}, {"Retry-After": "9"})).retry_after == 9


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
    failure = apns._failure(httpx.Response(status, json={"reason": reason}))

    assert type(failure) is meaning
    assert failure.code == reason


def test_an_answer_of_somebody_else_than_apple_is_known_by_its_status():
    assert apns._failure(httpx.Response(502, text="<html>")).code == "502"


@pytest.mark.parametrize(("header", "seconds"), [(None, None), ("9", 9), ("soon", None), ("-1", None)])
def test_the_seconds_to_wait(header, seconds):
    assert retry_after(header) == seconds


def test_a_date_to_wait_for():
    assert 8 < retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)) <= 10
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_the_private_parts_of_googles_library_are_where_we_change_them(settings):
    """firebase-admin has no public way to name another address or to switch its own repeating off."""
    service = messaging._get_messaging_service(fcm._app(settings.FCM_CREDENTIALS, settings.FCM_URL, 5.0))

    assert service._fcm_url.startswith(f"{settings.FCM_URL}/v1/projects/")
    assert service._client.session.get_adapter(service._fcm_url).max_retries.total == 0
    assert service._client.timeout == (2.0, 5.0)


def test_googles_credentials_talk_to_nobody_but_their_token_endpoint(settings):
    app = fcm._app(settings.FCM_CREDENTIALS, settings.FCM_URL, 5.0)
    inherited = service_account.Credentials._is_regional_access_boundary_lookup_required

    assert inherited(app.credential.get_credential()), "by itself the library would ask elsewhere"
    assert not app.credential.get_credential()._is_regional_access_boundary_lookup_required()
