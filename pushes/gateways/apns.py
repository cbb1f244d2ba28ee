"""APNs through the module `apns2`: token credentials, HTTP/2, host, port and CA of the settings.

The library's client loses requests when threads share it, so each message on its way has a client, and with it a
connection, of its own; connections that came through are kept for the next message. One provider token serves all
of them: Apple refuses providers that make new ones too often.
"""

import atexit
import contextlib
import functools
import queue
import ssl
import threading
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import jwt
from apns2.client import APNsClient, NotificationPriority, NotificationType
from apns2.credentials import TokenCredentials
from apns2.payload import Payload, PayloadAlert
from django.conf import settings

from pushes.gateways import (
    CONNECT_TIMEOUT,
    DeadAddress,
    Failure,
    Later,
    Misconfigured,
    Never,
    Sent,
    payload,
    retry_after,
)
from pushes.models import Message

IDLE = 60.0  # seconds an unused connection is kept
DEAD = frozenset({"Unregistered", "ExpiredToken", "BadDeviceToken"})
# What Apple says about this one message; every other 4xx is about us (key, topic, path).
NEVER = frozenset(
    {"BadCollapseId", "BadExpirationDate", "BadMessageId", "BadPriority", "DuplicateHeaders", "InvalidPushType",
     "MissingDeviceToken", "PayloadEmpty", "PayloadTooLarge"}
)  # fmt: skip
NOBODY = "0" * 300  # longer than any device token
_lock = threading.Lock()


class _Credentials(TokenCredentials):  # type: ignore[misc]
    """Our provider token (ES256) and how connections are made. Refuses a key it cannot sign with: Misconfigured."""

    def __init__(self, key_file: str, key_id: str, team_id: str, *, ca_file: str, timeout: float) -> None:
        try:
            super().__init__(key_file, key_id, team_id)
            self._tls = ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context()
        except (OSError, ValueError) as error:
            raise Misconfigured("credentials_unreadable") from error
        self._timeout = httpx.Timeout(timeout, connect=CONNECT_TIMEOUT)
        self._signing = threading.Lock()
        self.get_authorization_header(None)

    def create_connection(
        self, server: str, port: int, proto: str | None, proxy_host: str | None = None, proxy_port: int | None = None
    ) -> httpx.Client:
        return httpx.Client(
            http2=True,
            verify=self._tls,
            timeout=self._timeout,
            limits=httpx.Limits(keepalive_expiry=IDLE),
            headers={"apns-priority": NotificationPriority.Immediate.value},  # the library leaves the default out
        )

    def get_authorization_header(self, topic: str | None) -> str:
        with self._signing:
            try:
                return str(super().get_authorization_header(topic))
            except (jwt.PyJWTError, ValueError, TypeError) as error:
                raise Misconfigured("key_unusable") from error


class _Client(APNsClient):  # type: ignore[misc]
    def __init__(self, credentials: _Credentials, host: str, port: int) -> None:
        self.LIVE_SERVER, self.DEFAULT_PORT = host, port  # where the library looks for its address
        super().__init__(credentials)

    def close(self) -> None:
        self._connection.close()


class _Apple:
    """The clients of one process."""

    def __init__(self, credentials: _Credentials, host: str, port: int) -> None:
        self._credentials, self._host, self._port = credentials, host, port
        self._idle: queue.LifoQueue[_Client] = queue.LifoQueue()

    @contextlib.contextmanager
    def client(self) -> Iterator[_Client]:
        """A client for one request. After a break it and all that lie idle are given up: the next ones connect anew."""
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = _Client(self._credentials, self._host, self._port)
        try:
            yield client
        except BaseException:
            client.close()
            self.hang_up()
            raise
        self._idle.put(client)

    def hang_up(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


def send(message: Message) -> Sent:
    """One push. Safe to call from many threads."""
    try:
        with _apple().client() as client:
            answer = client.send_notification_async(
                quote(payload.token(message), safe=""),
                _encoded(message),
                topic=settings.APNS_TOPIC,
                expiration=int(message.expires_at.timestamp()),
                collapse_id=str(message.about) if message.kind == Message.Kind.WAKE else None,
                **_urgency(message),
            )
    except httpx.TimeoutException as error:
        raise Later("timeout") from error
    except httpx.HTTPError as error:
        raise Later("unreachable") from error
    if answer.status_code != 200:
        raise _failure(answer)
    return Sent(answer.headers.get("apns-id", ""))


def probe() -> None:
    """Apple knows us: it complains of an address that is none, and not of our token. Raises Failure; nobody is rung."""
    try:
        with _apple().client() as client:
            answer = client.send_notification_async(NOBODY, Payload(), topic=settings.APNS_TOPIC)
    except httpx.HTTPError as error:
        raise Later(type(error).__name__) from error
    if answer.status_code != 200 and not isinstance(failure := _failure(answer), DeadAddress):
        raise failure


def _apple() -> _Apple:
    with _lock:
        return _connected(
            settings.APNS_KEY_FILE, settings.APNS_KEY_ID, settings.APNS_TEAM_ID, settings.APNS_CA_FILE,
            settings.APNS_HOST, settings.APNS_PORT, settings.GATEWAY_TIMEOUT,
        )  # fmt: skip


@functools.cache
def _connected(key_file: str, key_id: str, team_id: str, ca_file: str, host: str, port: int, timeout: float) -> _Apple:
    apple = _Apple(_Credentials(key_file, key_id, team_id, ca_file=ca_file, timeout=timeout), host, port)
    atexit.register(apple.hang_up)
    return apple


def _encoded(message: Message) -> Payload:
    words = payload.words(message)
    alert = PayloadAlert(title=payload.TITLE, body=words) if words else None
    return Payload(alert=alert, content_available=alert is None, custom=payload.data(message))


def _urgency(message: Message) -> dict[str, NotificationPriority | NotificationType]:
    """Apple refuses background pushes of priority 10."""
    if message.kind == Message.Kind.NUMBER:
        return {"priority": NotificationPriority.Delayed, "push_type": NotificationType.Background}
    return {"priority": NotificationPriority.Immediate, "push_type": NotificationType.Alert}


def _failure(answer: httpx.Response) -> Failure:
    try:
        reason = str(answer.json()["reason"])
    except (ValueError, KeyError, TypeError):
        reason = str(answer.status_code)
    if answer.status_code == 410 or reason in DEAD:
        return DeadAddress(reason)
    if reason in NEVER:
        return Never(reason)
    if answer.status_code == 429 or answer.status_code >= 500 or reason == "IdleTimeout":
        return Later(reason, retry_after=retry_after(answer.headers.get("Retry-After")))
    return Misconfigured(reason)
