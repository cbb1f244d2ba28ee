"""SMS, by the gateway class that the setting SMS_GATEWAY names (api.md section 4)."""

import atexit
import functools
import json
import sys
import threading
from typing import Protocol

import urllib3
from django.conf import settings

from ansim.lib import masking
from pushes.gateways import CONNECT_TIMEOUT, Later, Misconfigured, Never, Sent, retry_after
from pushes.models import Message

_lock = threading.Lock()


class Gateway(Protocol):
    def send(self, to: str, text: str) -> Sent: ...


class Http:
    """`POST {SMS_URL}/messages` > 202 `{"id"}`. No answer and 5xx may be tried again, 4xx is final."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        self._url = f"{url}/messages"
        self._pools = urllib3.PoolManager(
            num_pools=2,
            maxsize=32,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=timeout),
            retries=False,
        )
        atexit.register(self._pools.clear)

    def send(self, to: str, text: str) -> Sent:
        try:
            answer = self._post({"to": to, "from": settings.SMS_FROM, "text": text})
        except urllib3.exceptions.TimeoutError as error:
            raise Later("timeout") from error
        except urllib3.exceptions.HTTPError as error:
            raise Later("unreachable") from error
        if answer.status >= 500:
            raise Later(_code(answer), retry_after=retry_after(answer.headers.get("Retry-After")))
        if answer.status in (401, 403):
            raise Misconfigured(_code(answer), final=True)
        if answer.status >= 400:
            raise Never(_code(answer))
        if not 200 <= answer.status < 300:
            raise Misconfigured(str(answer.status))  # a redirect: the address is not the gateway's
        return Sent(_said(answer, "id"))

    def probe(self) -> None:
        """Let in and told that this is no message: nothing was sent."""
        try:
            answer = self._post({})
        except urllib3.exceptions.HTTPError as error:
            raise Later(type(error).__name__) from error
        if answer.status not in (400, 422):
            raise Misconfigured(_code(answer))

    def _post(self, body: dict[str, str]) -> urllib3.BaseHTTPResponse:
        return self._pools.request("POST", self._url, body=json.dumps(body).encode(), redirect=False)


class Console:
    """For development: the text goes to the terminal. Refuses to serve real people."""

    def send(self, to: str, text: str) -> Sent:
        sys.stderr.write(f"[SMS {masking.phone(to)}] {text}\n")
        return Sent("console")


def send(message: Message) -> Sent:
    """One SMS. Safe to call from many threads."""
    with _lock:
        gateway = _gateway(
            settings.SMS_GATEWAY, settings.BASE_URL, settings.SMS_URL, settings.SMS_TOKEN, settings.GATEWAY_TIMEOUT
        )
    return gateway.send(message.body["to"], message.body["text"])


def probe() -> None:
    """The HTTP gateway knows us. Raises Failure; nothing is sent."""
    Http(settings.SMS_URL, settings.SMS_TOKEN, settings.GATEWAY_TIMEOUT).probe()


@functools.cache
def _gateway(name: str, base_url: str, url: str, token: str, timeout: float) -> Gateway:
    if reason := wrong_choice(name, base_url, url):
        raise Misconfigured(reason)
    return Console() if name == "console" else Http(url, token, timeout)


def wrong_choice(name: str, base_url: str, url: str) -> str | None:
    """Why these settings cannot send an SMS, as a code; None when they can."""
    if name not in ("http", "console"):
        return "sms_gateway_unknown"
    if name == "console" and base_url.startswith("https://"):
        return "sms_gateway_console_in_production"
    if name == "http" and not url:
        return "sms_url_missing"
    return None


def _code(answer: urllib3.BaseHTTPResponse) -> str:
    return _said(answer, "code") or str(answer.status)


def _said(answer: urllib3.BaseHTTPResponse, member: str) -> str:
    try:
        return str(answer.json()[member])
    except (ValueError, KeyError, TypeError):
        return ""
