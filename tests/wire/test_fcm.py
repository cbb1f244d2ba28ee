"""FCM HTTP v1 through firebase-admin; the bodies to the letter through a plain client with the same access token."""

import datetime
import uuid

import firebase_admin
import pytest
import requests
from django.conf import settings
from firebase_admin import credentials, exceptions, messaging

from tests.wire.threads import elsewhere

pytestmark = pytest.mark.filterwarnings("ignore:Message.token is deprecated")
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
METHOD = {"service": "fcm.googleapis.com", "method": "google.firebase.fcm.v1.FcmService.SendMessage"}
CREDENTIAL = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


@pytest.fixture(scope="module")
def app():
    certificate = credentials.Certificate(settings.FCM_CREDENTIALS)
    app = firebase_admin.initialize_app(certificate, {"httpTimeout": 8}, name="wire")
    service = messaging._get_messaging_service(app)
    service._fcm_url = f"{settings.FCM_URL}/v1/projects/{app.project_id}/messages:send"
    service._client.session.mount("http://", requests.adapters.HTTPAdapter(max_retries=0))
    yield app
    service._client.close()
    elsewhere(firebase_admin.delete_app, app)


@pytest.fixture
def token():
    return f"phone:{uuid.uuid4()}"


@pytest.fixture
def post(app):
    """The body as it is, with our access token or the given headers."""

    def post(body, *, headers=None, project=None):
        if headers is None:
            headers = {"Authorization": f"Bearer {app.credential.get_access_token().access_token}"}
        url = f"{settings.FCM_URL}/v1/projects/{project or app.project_id}/messages:send"
        return requests.post(url, json=body, headers=headers, timeout=8)

    return post


def invalid(field, description, *more):
    violation = {"field": field, "description": description}
    details = [{"@type": BAD_REQUEST, "fieldViolations": [violation]}, *more]
    return {"error": {"code": 400, "message": description, "status": "INVALID_ARGUMENT", "details": details}}


def test_a_message_is_taken_and_shown_as_the_provider_saw_it(app, world, token):
    name = messaging.send(
        messaging.Message(
            token=token,
            data={"kind": "wake", "verification": "v1"},
            notification=messaging.Notification(title="안심", body="앱을 열어 주세요"),
            android=messaging.AndroidConfig(
                priority="high", collapse_key="v1", ttl=datetime.timedelta(seconds=179, milliseconds=500)
            ),
        ),
        app=app,
    )

    [push] = world.get("/world/pushes", params={"token": token}).json()
    assert name.startswith(f"projects/{app.project_id}/messages/")
    assert (push["provider"], push["token"], push["answered"]) == ("fcm", token, 200)
    assert push["body"]["message"] == {
        "token": token,
        "data": {"kind": "wake", "verification": "v1"},
        "notification": {"title": "안심", "body": "앱을 열어 주세요"},
        "android": {"priority": "high", "collapse_key": "v1", "ttl": "179.500000000s"},
    }
    assert push["headers"]["authorization"] == "Bearer …"
    assert push["at"].endswith("Z")


def test_an_installation_id_is_a_token_too(app, world, token):
    messaging.send(messaging.Message(fid=token, data={"kind": "notice"}), app=app)

    assert [push["token"] for push in world.get("/world/pushes", params={"token": token}).json()] == [token]


def test_a_rejected_token_is_unregistered(app, world, fail, post, token):
    fail("fcm", "reject_token", 2)

    with pytest.raises(messaging.UnregisteredError, match="Requested entity was not found"):
        messaging.send(messaging.Message(token=token), app=app)
    answer = post({"message": {"token": token}})

    assert answer.status_code == 404
    assert answer.json() == {
        "error": {
            "code": 404,
            "message": "Requested entity was not found.",
            "status": "NOT_FOUND",
            "details": [{"@type": FCM_ERROR, "errorCode": "UNREGISTERED"}],
        }
    }
    assert [push["answered"] for push in world.get("/world/pushes", params={"token": token}).json()] == [404, 404]


def test_the_token_is_good_again_after_the_count(app, world, fail, token):
    fail("fcm", "reject_token", 1)
    with pytest.raises(messaging.UnregisteredError):
        messaging.send(messaging.Message(token=token), app=app)

    assert messaging.send(messaging.Message(token=token), app=app)


def test_googles_own_failure(app, world, fail, post, token):
    fail("fcm", "error", 2)

    with pytest.raises(exceptions.InternalError):
        messaging.send(messaging.Message(token=token), app=app)
    answer = post({"message": {"token": token}})

    assert answer.status_code == 500
    assert answer.json() == {
        "error": {
            "code": 500,
            "message": "Internal error encountered.",
            "status": "INTERNAL",
            "details": [{"@type": FCM_ERROR, "errorCode": "INTERNAL"}],
        }
    }


def test_a_cut_connection_is_no_answer_and_still_listed(app, world, fail, token):
    fail("fcm", "drop", 1)

    with pytest.raises(exceptions.UnavailableError, match="Connection aborted"):
        messaging.send(messaging.Message(token=token), app=app)

    [push] = world.get("/world/pushes", params={"token": token}).json()
    assert push["answered"] is None


def test_no_recipient(world, post):
    answer = post({"message": {"data": {"kind": "wake"}}})

    assert answer.status_code == 400
    assert answer.json() == invalid(
        "message", "Recipient of the message is not set.", {"@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT"}
    )


def test_data_that_is_no_text(world, post, token):
    answer = post({"message": {"token": token, "data": {"kind": "wake", "count": 12}}})

    assert answer.status_code == 400
    description = "Invalid value at 'message.data[1].value' (TYPE_STRING), 12"
    assert answer.json() == invalid("message.data[1].value", description)


def test_a_name_google_does_not_know(world, post, token):
    answer = post({"message": {"token": token, "priority": "high"}})

    assert answer.status_code == 400
    description = "Invalid JSON payload received. Unknown name \"priority\" at 'message': Cannot find field."
    assert answer.json() == invalid("message", description)


@pytest.mark.parametrize(("length", "status"), [(4092, 200), (4093, 400)])
def test_over_4096_bytes_is_too_big(world, post, token, length, status):
    answer = post({"message": {"token": token, "data": {"data": "x" * length}}})

    assert answer.status_code == status
    if status == 400:
        error = {"@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT"}
        assert answer.json() == invalid("message", "Android message is too big", error)


@pytest.mark.parametrize(
    ("headers", "message", "details"),
    [
        (
            {},
            f"Request is missing required authentication credential. {CREDENTIAL}",
            {"@type": ERROR_INFO, "reason": "CREDENTIALS_MISSING", "domain": "googleapis.com", "metadata": METHOD},
        ),
        (
            {"Authorization": "Bearer ya29.made-up"},
            f"Request had invalid authentication credentials. {CREDENTIAL}",
            {"@type": ERROR_INFO, "reason": "ACCESS_TOKEN_TYPE_UNSUPPORTED", "metadata": METHOD},
        ),
    ],
)
def test_without_a_good_access_token(world, post, token, headers, message, details):
    answer = post({"message": {"token": token}}, headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {
        "error": {"code": 401, "message": message, "status": "UNAUTHENTICATED", "details": [details]}
    }
    assert [push["answered"] for push in world.get("/world/pushes", params={"token": token}).json()] == [401]


def test_another_project_is_not_ours(world, post, token):
    answer = post({"message": {"token": token}}, project="somebody-else")

    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"message": {"token": "\\u0000"}}', b"\xff"])
def test_nonsense_is_a_bad_request_and_listed(app, world, raw):
    headers = {"Authorization": f"Bearer {app.credential.get_access_token().access_token}"}
    url = f"{settings.FCM_URL}/v1/projects/{app.project_id}/messages:send"

    answer = requests.post(url, data=raw, headers=headers, timeout=8)

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert 400 in [push["answered"] for push in world.get("/world/pushes").json()]
