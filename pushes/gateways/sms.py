"""SMS, by the gateway that the setting SMS_GATEWAY names: `http` (api.md section 4), or `console` for development."""

import atexit
import functools
import json
import sys
import threading

from django.conf import settings

from ansim.lib import masking
from ansim.lib.transfers import Answer, Broken, Call, Transfers
from pushes.gateways import CONNECT_TIMEOUT, Later, Misconfigured, Never, Sent, retry_after
from pushes.models import Message

PLACES = 32  # texts that a process sends at once, and connections at most
_lock = threading.Lock()


def call(message: Message) -> Call | Sent:
    """`POST {SMS_URL}/messages`. The console needs no call; it refuses to serve real people."""
    if reason := wrong_choice(settings.SMS_GATEWAY, settings.BASE_URL, settings.SMS_URL):
        raise Misconfigured(reason)
    to, text = message.body["to"], message.body["text"]
    if settings.SMS_GATEWAY == "console":
        sys.stderr.write(f"[SMS {masking.phone(to)}] {text}\n")
        return Sent("console")
    return _call({"to": to, "from": settings.SMS_FROM, "text": text})


def heard(said: Answer | Broken) -> Sent:
    """202 `{"id"}`. No answer and 5xx may be tried again, 4xx is final."""
    if isinstance(said, Broken):
        raise Later("timeout" if said.code == "timeout" else "unreachable")
    if said.status >= 500:
        raise Later(_code(said), retry_after=retry_after(said.headers.get("retry-after")))
    if said.status in (401, 403):
        raise Misconfigured(_code(said), final=True)
    if said.status >= 400:
        raise Never(_code(said))
    if not 200 <= said.status < 300:
        raise Misconfigured(str(said.status))  # a redirect: the address is not the gateway's
    return Sent(str(said.member("id") or ""))


def transfers() -> Transfers:
    with _lock:
        return _connected(settings.SMS_URL, settings.GATEWAY_TIMEOUT)


def probe() -> None:
    """The HTTP gateway knows us. Raises Failure; nothing is sent."""
    try:
        answer = transfers().make(_call({}))
    except Broken as broken:
        raise Later(broken.code) from broken
    if answer.status not in (400, 422):  # let in, and told that this is no message
        raise Misconfigured(_code(answer))


def _call(body: dict[str, str]) -> Call:
    headers = (f"Authorization: Bearer {settings.SMS_TOKEN}", "Content-Type: application/json")
    return Call(f"{settings.SMS_URL}/messages", headers, json.dumps(body).encode())


@functools.cache
def _connected(url: str, timeout: float) -> Transfers:
    made = Transfers(seconds=timeout, connect_seconds=CONNECT_TIMEOUT, connections=PLACES, streams=False)
    atexit.register(made.close)
    return made


def wrong_choice(name: str, base_url: str, url: str) -> str | None:
    """Why these settings cannot send an SMS, as a code; None when they can."""
    if name not in ("http", "console"):
        return "sms_gateway_unknown"
    if name == "console" and base_url.startswith("https://"):
        return "sms_gateway_console_in_production"
    if name == "http" and not url:
        return "sms_url_missing"
    return None


def _code(answer: Answer) -> str:
    return str(answer.member("code") or answer.status)
