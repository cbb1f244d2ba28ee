"""Keyed fingerprints: how we look up personal data and secrets without storing them (mission.md, invariant 10)."""

import base64
import hashlib
import hmac

from django.conf import settings


def of(kind: str, value: str) -> str:
    """64 hex characters of HMAC-SHA256. `kind` keeps a phone's apart from a contract's of the same digits."""
    key = base64.b64decode(settings.FINGERPRINT_KEY)
    return hmac.new(key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()
