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
def _keys(secrets: str) -> list[bytes]:
    """By commas: during a rotation the new one and the old one count."""
    return [base64.b64decode(secret.strip().removeprefix("whsec_")) for secret in secrets.split(",")]


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
        wanted = [hmac.digest(key, signed, hashlib.sha256) for key in _keys(settings.CARRIER_EVENTS_SECRET)]
        told = [_signature(one) for one in given.split()]
        if not any(hmac.compare_digest(one, signature) for one in wanted for signature in told):
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
