"""APNs, host, port and CA of the settings: the module `apns2` makes the payloads and the provider token, our own
connections carry them (docs/adr/0028).

The library's client waits for each answer before it sends the next push and loses requests when threads share it. One
provider token serves all connections: Apple refuses providers that make new ones too often.
"""

import atexit
import functools
import json
import threading
import time
from urllib.parse import quote

import jwt
from apns2.client import NotificationPriority, NotificationType
from apns2.credentials import TokenCredentials
from apns2.payload import Payload, PayloadAlert
from django.conf import settings

from ansim.lib.transfers import Answer, Broken, Call, Transfers
from pushes.gateways import (
    DeadAddress,
    Failure,
    Later,
    Misconfigured,
    Never,
    Sent,
    connections,
    payload,
    retry_after,
)
from pushes.models import Message

DEAD = frozenset({"Unregistered", "ExpiredToken", "BadDeviceToken"})
# What Apple says about this one message; every other 4xx is about us (key, topic, path).
NEVER = frozenset(
    {"BadCollapseId", "BadExpirationDate", "BadMessageId", "BadPriority", "DuplicateHeaders", "InvalidPushType",
     "MissingDeviceToken", "PayloadEmpty", "PayloadTooLarge"}
)  # fmt: skip
NOBODY = "0" * 300  # longer than any device token
_lock = threading.Lock()


class _Credentials(TokenCredentials):  # type: ignore[misc]
    """Our provider token (ES256). Refuses a key it cannot sign with: Misconfigured."""

    def __init__(self, key_file: str, key_id: str, team_id: str) -> None:
        try:
            super().__init__(key_file, key_id, team_id)
        except (OSError, ValueError) as error:
            raise Misconfigured("credentials_unreadable") from error
        self._signing = threading.Lock()
        self.get_authorization_header(None)

    def _is_expired_token(self, issue_date: float) -> bool:
        """Also one from the future: somebody has set our clock back since, and Apple takes no such token."""
        return issue_date > time.time() or super()._is_expired_token(issue_date)  # type: ignore[no-any-return]

    def get_authorization_header(self, topic: str | None) -> str:
        with self._signing:
            try:
                return str(super().get_authorization_header(topic))
            except (jwt.PyJWTError, ValueError, TypeError) as error:
                raise Misconfigured("key_unusable") from error


class _Apple:
    """Who we are there, and the connections of this process."""

    def __init__(self, credentials: _Credentials, address: str, *, ca_file: str, timeout: float) -> None:
        self.credentials, self.address = credentials, address
        self.transfers = connections(address, timeout=timeout, ca_file=ca_file)

    def call(self, token: str, content: Payload, *headers: str) -> Call:
        """To that device."""
        return Call(
            f"{self.address}/3/device/{quote(token, safe='')}",
            (
                f"authorization: {self.credentials.get_authorization_header(None)}",
                f"apns-topic: {settings.APNS_TOPIC}",
                "content-type: application/json",
                *headers,
            ),
            json.dumps(content.dict(), ensure_ascii=False, separators=(",", ":")).encode(),
        )


def call(message: Message) -> Call:
    """The push, let in by our provider token."""
    headers = [f"apns-expiration: {int(message.expires_at.timestamp())}", *_urgency(message)]
    if message.kind == Message.Kind.WAKE:
        headers.append(f"apns-collapse-id: {message.about}")
    return _apple().call(payload.token(message), _encoded(message), *headers)


def heard(said: Answer | Broken) -> Sent:
    """What Apple says about one push."""
    if isinstance(said, Broken):
        raise Later(said.code)
    if said.status != 200:
        raise _failure(said)
    return Sent(said.headers.get("apns-id", ""))


def transfers() -> Transfers:
    return _apple().transfers


def probe() -> None:
    """Apple knows us: it complains of an address that is none, and not of our token. Raises Failure; nobody is rung."""
    apple = _apple()
    try:
        heard(apple.transfers.make(apple.call(NOBODY, Payload(), "apns-push-type: background", "apns-priority: 5")))
    except Broken as broken:
        raise Later(broken.code) from broken
    except DeadAddress:
        return


def _apple() -> _Apple:
    with _lock:
        return _connected(
            settings.APNS_KEY_FILE, settings.APNS_KEY_ID, settings.APNS_TEAM_ID, settings.APNS_CA_FILE,
            settings.APNS_HOST, settings.APNS_PORT, settings.GATEWAY_TIMEOUT,
        )  # fmt: skip


@functools.cache
def _connected(key_file: str, key_id: str, team_id: str, ca_file: str, host: str, port: int, timeout: float) -> _Apple:
    credentials = _Credentials(key_file, key_id, team_id)
    apple = _Apple(credentials, f"https://{host}:{port}", ca_file=ca_file, timeout=timeout)
    atexit.register(apple.transfers.close)
    return apple


def _encoded(message: Message) -> Payload:
    words = payload.words(message)
    alert = PayloadAlert(title=payload.TITLE, body=words) if words else None
    return Payload(alert=alert, content_available=alert is None, custom=payload.data(message))


def _urgency(message: Message) -> tuple[str, str]:
    """Apple refuses background pushes of priority 10."""
    background = message.kind == Message.Kind.NUMBER
    kind = NotificationType.Background if background else NotificationType.Alert
    priority = NotificationPriority.Delayed if background else NotificationPriority.Immediate
    return f"apns-push-type: {kind.value}", f"apns-priority: {priority.value}"


def _failure(answer: Answer) -> Failure:
    reason = str(answer.member("reason") or answer.status)
    if answer.status == 410 or reason in DEAD:
        return DeadAddress(reason)
    if reason in NEVER:
        return Never(reason)
    if answer.status == 429 or answer.status >= 500 or reason == "IdleTimeout":
        return Later(reason, retry_after=retry_after(answer.headers.get("retry-after")))
    return Misconfigured(reason)
