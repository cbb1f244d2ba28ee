"""Who calls the carrier's door: whoever signs with the secret that the carrier has of us (Standard Webhooks)."""

import base64
import binascii
import hashlib
import hmac
import time
from functools import cache

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

TOLERANCE = 300  # seconds that the sender's clock may differ


@cache
def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


class CarrierSignature(BaseAuthentication):
    """`webhook-id`, `webhook-timestamp`, `webhook-signature`: one of the `v1` signatures must be right, else 401.

    A body over the limit is not read: 413 for a call whose clock is right.
    """

    def authenticate(self, request: Request) -> tuple[None, str]:
        message, at, given = (request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        in_time = at.isascii() and at.isdecimal() and abs(time.time() - int(at[:20])) <= TOLERANCE
        if not (message and given and in_time):
            raise AuthenticationFailed
        signed = b".".join((message.encode("latin-1"), at.encode(), request._request.body))
        wanted = hmac.digest(_key(settings.CARRIER_EVENTS_SECRET), signed, hashlib.sha256)
        if not any(hmac.compare_digest(wanted, signature) for signature in map(_signature, given.split())):
            raise AuthenticationFailed
        return None, "carrier"

    def authenticate_header(self, request: Request) -> str:
        return "Standard-Webhooks"


def _signature(given: str) -> bytes:
    """The bytes of one `v1,…`; of another version or broken text none."""
    version, _, encoded = given.partition(",")
    try:
        return base64.b64decode(encoded, validate=True) if version == "v1" else b""
    except (binascii.Error, ValueError):
        return b""
