"""FCM HTTP v1 through Google's own library, to the address and with the credentials of the settings.

The library repeats calls by itself (a 429 with Retry-After 9 held one call for 36 s): that is switched off here, our
own rows decide about repeating. The service object and its address are private to the library; a test pins them.
"""

import atexit
import functools
import threading
from typing import Any

import firebase_admin
import requests
from django.conf import settings
from django.utils import timezone
from firebase_admin import exceptions, messaging
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

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

POOL = 64  # connections kept open, at least as many as a drain sends at once
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_lock = threading.Lock()


class _ServiceAccount(service_account.Credentials):
    """Google's service account that talks to its `token_uri` and to nobody else."""

    def _is_regional_access_boundary_lookup_required(self) -> bool:
        return False


def send(message: Message) -> Sent:
    """One push. Safe to call from many threads."""
    encoded = _encoded(message)
    try:
        app = _authorized_app()
        return Sent(messaging.send(encoded, app=app))
    except exceptions.FirebaseError as error:
        raise _failure(error) from error
    except GoogleAuthError as error:
        raise _not_let_in(error) from error


def probe() -> None:
    """Google knows us: it gives a new access token. Raises Failure; nothing is sent."""
    try:
        credential = _authorized_app().credential.get_credential()
        credential.refresh(functools.partial(Request(), timeout=settings.GATEWAY_TIMEOUT))
    except GoogleAuthError as error:
        raise _not_let_in(error) from error


def _authorized_app() -> firebase_admin.App:
    """The app with a live access token: one thread fetches it, the others wait for it instead of fetching their own."""
    with _lock:
        try:
            app = _app(settings.FCM_CREDENTIALS, settings.FCM_URL, settings.GATEWAY_TIMEOUT)
        except (OSError, ValueError) as error:
            raise Misconfigured("credentials_unreadable") from error
        credential = app.credential.get_credential()
        if not credential.valid:
            credential.refresh(functools.partial(Request(), timeout=settings.GATEWAY_TIMEOUT))
    return app


@functools.cache
def _app(credentials_file: str, url: str, timeout: float) -> firebase_admin.App:
    account = _ServiceAccount.from_service_account_file(credentials_file, scopes=[SCOPE])  # type: ignore[no-untyped-call]
    app = firebase_admin.initialize_app(
        account,
        {"httpTimeout": (CONNECT_TIMEOUT, timeout), "projectId": account.project_id},
        name=f"ansim {credentials_file} {url} {timeout}",
    )
    service = messaging._get_messaging_service(app)
    service._fcm_url = f"{url}/v1/projects/{app.project_id}/messages:send"
    service._client.session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=POOL, max_retries=0))
    atexit.register(service._client.session.close)
    return app


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


def _failure(error: exceptions.FirebaseError) -> Failure:
    response = error.http_response
    if response is None:
        return Later(str(error.code))
    told = _told(response)
    code = _code(told) or str(response.status_code)
    if code == "UNREGISTERED" or (code == "INVALID_ARGUMENT" and _blames_token(told)):
        return DeadAddress(code)
    if response.status_code == 400:
        return Never(code)
    if response.status_code == 429 or response.status_code >= 500:
        return Later(code, retry_after=retry_after(response.headers.get("Retry-After")))
    # SENDER_ID_MISMATCH too: with a wrong credentials file every good token would answer so, and must not be lost.
    return Misconfigured(code)


def _told(response: requests.Response) -> dict[str, Any]:
    """The google.rpc.Status of an answer, whatever came instead of one."""
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
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
