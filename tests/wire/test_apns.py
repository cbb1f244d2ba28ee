"""APNs through apns2 (mopyapns), and its reasons to the letter through a plain HTTP/2 client."""

import asyncio
import socket
import ssl
import time
import uuid
from pathlib import Path
from urllib.parse import quote

import httpx
import jwt
import pytest
from apns2 import errors
from apns2.client import APNsClient, NotificationPriority
from apns2.credentials import TokenCredentials
from apns2.payload import Payload
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from tests.wire.threads import elsewhere


class Credentials(TokenCredentials):
    def create_connection(self, *args, **kwargs):
        return httpx.Client(http2=True, verify=ssl.create_default_context(cafile=settings.APNS_CA_FILE), timeout=8)


class Client(APNsClient):
    def _init_connection(self, *args):
        super()._init_connection(*args)
        self._server, self._port = settings.APNS_HOST, settings.APNS_PORT


@pytest.fixture
def client():
    client = Client(Credentials(settings.APNS_KEY_FILE, settings.APNS_KEY_ID, settings.APNS_TEAM_ID))
    yield client
    client._connection.close()


@pytest.fixture
def http():
    with Credentials("", "", "").create_connection() as http:
        yield http


@pytest.fixture
def token():
    return uuid.uuid4().hex


def provider_token(*, key=None, kid=None, **claims):
    claims = {"iss": settings.APNS_TEAM_ID, "iat": int(time.time())} | claims
    key = key or Path(settings.APNS_KEY_FILE).read_text()
    return jwt.encode(claims, key, "ES256", headers={"kid": kid or settings.APNS_KEY_ID})


def address(path):
    return f"https://{settings.APNS_HOST}:{settings.APNS_PORT}{path}"


def usual_headers():
    return {
        "authorization": f"bearer {provider_token()}",
        "apns-topic": settings.APNS_TOPIC,
        "apns-push-type": "alert",
    }


@pytest.fixture
def post(http, token):
    def post(*, path=None, method="POST", raw=b'{"aps": {"alert": "x"}}', without=(), **changed):
        headers = usual_headers() | {name.replace("_", "-"): value for name, value in changed.items()}
        for name in without:
            del headers[name]
        path = f"/3/device/{token}" if path is None else path
        return http.request(method, address(path), content=raw, headers=headers)

    return post


def refused(answer, status, reason):
    assert (answer.status_code, answer.json()) == (status, {"reason": reason})
    assert answer.http_version == "HTTP/2"
    assert answer.headers["content-type"] == "application/json"
    assert uuid.UUID(answer.headers["apns-id"])


def test_a_wake_up_is_taken_and_shown_as_the_provider_saw_it(client, world, token):
    payload = Payload(alert="앱을 열어 주세요", custom={"kind": "wake", "verification": "v1"})
    client.send_notification(token, payload, settings.APNS_TOPIC, expiration=1_800_000_000, collapse_id="v1")

    [push] = world.get("/world/pushes", params={"token": token}).json()
    assert (push["provider"], push["token"], push["answered"]) == ("apns", token, 200)
    assert push["body"] == {"aps": {"alert": "앱을 열어 주세요"}, "kind": "wake", "verification": "v1"}
    apns = {name: value for name, value in push["headers"].items() if name.startswith("apns-")}
    assert apns == {
        "apns-topic": settings.APNS_TOPIC,
        "apns-push-type": "alert",
        "apns-expiration": "1800000000",
        "apns-collapse-id": "v1",
    }
    assert push["headers"]["authorization"] == "bearer …"


def test_a_background_push_of_low_priority_is_taken(client, world, token):
    payload = Payload(content_available=True, custom={"kind": "number", "envelope": "abc"})
    client.send_notification(token, payload, settings.APNS_TOPIC, NotificationPriority.Delayed)

    [push] = world.get("/world/pushes", params={"token": token}).json()
    assert push["body"]["aps"] == {"content-available": 1}
    assert (push["headers"]["apns-push-type"], push["headers"]["apns-priority"]) == ("background", "5")


def test_a_rejected_token_is_unregistered(client, fail, post, token):
    fail("apns", "reject_token", 2)

    with pytest.raises(errors.Unregistered):
        client.send_notification(token, Payload(alert="x"), settings.APNS_TOPIC)
    answer = post()

    assert answer.status_code == 410
    body = answer.json()
    assert body == {"reason": "Unregistered", "timestamp": body["timestamp"]}
    assert abs(body["timestamp"] / 1000 - time.time()) < 5


def test_apples_own_failure(client, fail, post, token):
    fail("apns", "error", 2)

    with pytest.raises(errors.InternalServerError):
        client.send_notification(token, Payload(alert="x"), settings.APNS_TOPIC)
    refused(post(), 500, "InternalServerError")


def test_a_cut_connection_is_no_answer_and_still_listed(client, world, fail, token):
    fail("apns", "drop", 1)

    with pytest.raises(httpx.TransportError):
        client.send_notification(token, Payload(alert="x"), settings.APNS_TOPIC)
    client.send_notification(token, Payload(alert="x"), settings.APNS_TOPIC)

    answered = [push["answered"] for push in world.get("/world/pushes", params={"token": token}).json()]
    assert answered == [200, None]


def test_a_taken_push_is_answered_with_its_id_and_nothing_else(post):
    given = "AB12cd34-0000-4000-8000-123456789abc"

    answer = post(apns_id=given)

    assert (answer.status_code, answer.content, answer.headers["apns-id"]) == (200, b"", given)


def test_a_device_token_may_be_any_text(post, world):
    name = f"폰 {uuid.uuid4()}:+/"

    answer = post(path=f"/3/device/{quote(name, safe='')}")

    assert answer.status_code == 200
    assert len(world.get("/world/pushes", params={"token": name}).json()) == 1


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iat": 1}, "ExpiredProviderToken"),
        ({"iat": 9_999_999_999}, "InvalidProviderToken"),
        ({"iat": "now"}, "InvalidProviderToken"),
        ({"iss": "SOMEBODY00"}, "InvalidProviderToken"),
        ({"kid": "OTHERKEY00"}, "InvalidProviderToken"),
        ({"key": ec.generate_private_key(ec.SECP256R1())}, "InvalidProviderToken"),
    ],
)
def test_a_wrong_provider_token(post, claims, reason):
    refused(post(authorization=f"bearer {provider_token(**claims)}"), 403, reason)


@pytest.mark.parametrize("authorization", ["", "bearer", "basic abc"])
def test_no_provider_token(post, authorization):
    refused(post(authorization=authorization), 403, "MissingProviderToken")


def test_a_provider_token_that_is_no_jwt(post):
    refused(post(authorization="bearer abc"), 403, "InvalidProviderToken")


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"without": ["apns-topic"]}, 400, "MissingTopic"),
        ({"apns_topic": "kr.other.app"}, 400, "TopicDisallowed"),
        ({"apns_push_type": "wake"}, 400, "InvalidPushType"),
        ({"apns_priority": "7"}, 400, "BadPriority"),
        ({"apns_push_type": "background", "apns_priority": "10"}, 400, "BadPriority"),
        ({"apns_expiration": "tomorrow"}, 400, "BadExpirationDate"),
        ({"apns_collapse_id": "x" * 65}, 400, "BadCollapseId"),
        ({"apns_id": "1"}, 400, "BadMessageId"),
        ({"raw": b""}, 400, "PayloadEmpty"),
        ({"raw": b"{}"}, 400, "PayloadEmpty"),
        ({"raw": b"nonsense"}, 400, "PayloadEmpty"),
        ({"raw": b'{"aps": {"alert": "' + b"x" * 4076 + b'"}}'}, 413, "PayloadTooLarge"),
        ({"raw": b"x" * 200_000}, 413, "PayloadTooLarge"),
        ({"path": "/3/device/"}, 400, "MissingDeviceToken"),
        ({"path": "/3/device/" + "x" * 201}, 400, "BadDeviceToken"),
        ({"path": "/4/device/abc"}, 404, "BadPath"),
        ({"method": "PUT"}, 405, "MethodNotAllowed"),
    ],
)
def test_apples_reasons(post, changed, status, reason):
    refused(post(**changed), status, reason)


def test_the_largest_payload_and_collapse_id_are_taken(post):
    raw = b'{"aps": {"alert": "' + b"x" * (4096 - 22) + b'"}}'

    assert len(raw) == 4096
    assert post(raw=raw, apns_collapse_id="x" * 64).status_code == 200


def test_a_header_given_twice(http, token):
    headers = [
        ("authorization", f"bearer {provider_token()}"),
        ("apns-topic", settings.APNS_TOPIC),
        ("apns-topic", settings.APNS_TOPIC),
    ]

    refused(http.post(address(f"/3/device/{token}"), content=b'{"aps": {}}', headers=headers), 400, "DuplicateHeaders")


def test_many_pushes_share_one_connection(token, world):
    answers = elsewhere(asyncio.run, _at_once(64, f"/3/device/{token}"))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["apns-id"] for answer in answers}) == 64
    assert len(world.get("/world/pushes").json()) >= 64


async def _at_once(count, path):
    # not by threads: they draw the same stream number now and then in this client's connection
    context = ssl.create_default_context(cafile=settings.APNS_CA_FILE)
    one = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(http2=True, verify=context, limits=one, timeout=8) as http:
        headers = usual_headers()
        posts = (http.post(address(path), content=b'{"aps": {"alert": "x"}}', headers=headers) for _ in range(count))
        return await asyncio.gather(*posts)


def test_a_client_without_http2_is_hung_up_on(world):
    context = ssl.create_default_context(cafile=settings.APNS_CA_FILE)
    apple = (settings.APNS_HOST, settings.APNS_PORT)
    with (
        socket.create_connection(apple, timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=settings.APNS_HOST) as tls,
    ):
        assert tls.recv(1) == b""


def test_nonsense_on_an_http2_connection_ends_it(world):
    context = ssl.create_default_context(cafile=settings.APNS_CA_FILE)
    context.set_alpn_protocols(["h2"])
    apple = (settings.APNS_HOST, settings.APNS_PORT)
    with (
        socket.create_connection(apple, timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=settings.APNS_HOST) as tls,
    ):
        tls.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10)
        while tls.recv(4096):
            pass
