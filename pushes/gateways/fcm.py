"""FCM HTTP v1, to the address and with the credentials of the settings: Google's own library makes the messages and the
access tokens, our own connections carry them (docs/adr/0028).
"""

import atexit
import functools
import math
import threading
import time
from typing import Any

from django.conf import settings
from django.utils import timezone
from firebase_admin import messaging
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

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

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
REFUSED_FOR = 1.0  # seconds in which a token endpoint that failed is not asked again
TOKEN_LIFE = 3_000.0  # seconds; Google's access tokens are good for an hour
# As Google would say it where nobody said anything.
SILENCE = {"timeout": "DEADLINE_EXCEEDED"}
_lock = threading.Lock()


class _ServiceAccount(service_account.Credentials):
    """Google's service account that talks to its `token_uri` and to nobody else."""

    def _is_regional_access_boundary_lookup_required(self) -> bool:
        return False


class _Google:
    """Our account there, its live access token, and the connections of this process."""

    def __init__(self, credentials_file: str, url: str, timeout: float) -> None:
        self.account = _ServiceAccount.from_service_account_file(credentials_file, scopes=[SCOPE])  # type: ignore[no-untyped-call]
        self.address = f"{url}/v1/projects/{self.account.project_id}/messages:send"
        self.transfers = connections(url, timeout=timeout)
        self._request = functools.partial(Request(), timeout=timeout)
        self._refreshing = threading.Lock()
        self._refused: tuple[float, Failure] | None = None
        self._good_until = math.inf

    def _let_in(self) -> bool:
        """By the time of day, as Google's library has it, and by the clock that nobody sets: when somebody sets ours
        back an hour, a token does not live an hour longer.
        """
        return bool(self.account.valid) and time.monotonic() < self._good_until

    def authorization(self) -> str:
        """One thread fetches a new token, the others wait for it instead of fetching their own. Raises Failure."""
        if not self._let_in():
            with self._refreshing:
                if not self._let_in():
                    self._refresh()
        return f"Authorization: Bearer {self.account.token}"

    def _refresh(self) -> None:
        if self._refused and time.monotonic() < self._refused[0] + REFUSED_FOR:
            raise self._refused[1]
        try:
            self.refresh()
        except Failure as failure:
            self._refused = time.monotonic(), failure
            raise

    def refresh(self) -> None:
        """A new token, whether the old one is good or not. Raises Failure."""
        try:
            self.account.refresh(self._request)
        except GoogleAuthError as error:
            raise _not_let_in(error) from error
        self._good_until = time.monotonic() + TOKEN_LIFE


def call(message: Message) -> Call:
    """The push, let in by our access token."""
    encoded = _encoded(message)
    google = _google()
    headers = (google.authorization(), "Content-Type: application/json; charset=UTF-8")
    return Call(google.address, headers, b'{"message": %s}' % str(encoded).encode())


def heard(said: Answer | Broken) -> Sent:
    """What Google says about one push."""
    if isinstance(said, Broken):
        raise Later(SILENCE.get(said.code, "UNAVAILABLE"))
    if said.status != 200:
        raise _failure(said)
    return Sent(str(said.member("name") or ""))


def transfers() -> Transfers:
    return _google().transfers


def probe() -> None:
    """Google knows us: it gives a new access token. Raises Failure; nothing is sent."""
    _google().refresh()


def _google() -> _Google:
    with _lock:
        try:
            return _connected(settings.FCM_CREDENTIALS, settings.FCM_URL, settings.GATEWAY_TIMEOUT)
        except (OSError, ValueError) as error:
            raise Misconfigured("credentials_unreadable") from error


@functools.cache
def _connected(credentials_file: str, url: str, timeout: float) -> _Google:
    google = _Google(credentials_file, url, timeout)
    atexit.register(google.transfers.close)
    return google


def _encoded(message: Message) -> messaging.Message:
    words = payload.words(message)
    encoded = messaging.Message(
        data=payload.data(message),
        notification=messaging.Notification(title=payload.TITLE, body=words) if words else None,
        android=messaging.AndroidConfig(
            priority="high",
            ttl=max(int((message.expires_at - timezone.now()).total_seconds()), 0),
            collapse_key=str(message.about) if message.kind == Message.Kind.WAKE else None,
        ),
    )
    encoded.token = payload.token(message)  # as an argument the library warns: Google would rather have `fid`
    return encoded


def _failure(answer: Answer) -> Failure:
    told = _told(answer)
    code = _code(told) or str(answer.status)
    if code == "UNREGISTERED" or (code == "INVALID_ARGUMENT" and _blames_token(told)):
        return DeadAddress(code)
    if answer.status == 400:
        return Never(code)
    if answer.status == 429 or answer.status >= 500:
        return Later(code, retry_after=retry_after(answer.headers.get("retry-after")))
    # SENDER_ID_MISMATCH too: with a wrong credentials file every good token would answer so, and must not be lost.
    return Misconfigured(code)


def _told(answer: Answer) -> dict[str, Any]:
    """The google.rpc.Status of an answer, whatever came instead of one."""
    error = answer.member("error")
    return error if isinstance(error, dict) else {}


def _details(told: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [detail for detail in told.get("details", []) if str(detail.get("@type", "")).endswith(f".{kind}")]


def _code(told: dict[str, Any]) -> str:
    """FCM's own code where it gives one, else the general status."""
    own = [detail.get("errorCode") for detail in _details(told, "FcmError")]
    return str(next(filter(None, own), told.get("status") or ""))


def _blames_token(told: dict[str, Any]) -> bool:
    """400 is also said of a payload; only a complaint about the token itself is about the address."""
    violations = [found for detail in _details(told, "BadRequest") for found in detail.get("fieldViolations", [])]
    return any(found.get("field") == "message.token" for found in violations)


def _not_let_in(error: GoogleAuthError) -> Failure:
    """The token endpoint: away (try again), or it does not know our service account."""
    if not isinstance(error, RefreshError) or error.retryable:
        return Later("token_endpoint")
    told = next((part for part in error.args if isinstance(part, dict)), {})
    return Misconfigured(str(told.get("error", "token_refused")))
