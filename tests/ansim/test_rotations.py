"""Secrets that two sides hold are rotated while both count (docs/key-rotation.md)."""

import base64
import hashlib
import hmac
import os
import time

import pytest
from django.core import signing
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from subscriptions.carrier_auth import CarrierSignature


def whsec():
    return f"whsec_{base64.b64encode(os.urandom(32)).decode()}"


def event(secret):
    """A call of the carrier, signed with that secret."""
    at, key = str(int(time.time())), base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"msg_1.{at}.{{}}".encode(), hashlib.sha256)).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
    return Request(APIRequestFactory().post("/", b"{}", content_type="application/json", headers=headers))


def test_the_carriers_events_count_by_the_new_secret_and_by_the_old_one(settings):
    old, new, strange = whsec(), whsec(), whsec()
    settings.CARRIER_EVENTS_SECRET = f"{new},{old}"
    for known in (old, new):
        assert CarrierSignature().authenticate(event(known)) == (None, "carrier")
    with pytest.raises(AuthenticationFailed):
        CarrierSignature().authenticate(event(strange))

    settings.CARRIER_EVENTS_SECRET = new
    with pytest.raises(AuthenticationFailed):
        CarrierSignature().authenticate(event(old))


def test_what_the_former_secret_key_signed_counts_until_it_is_taken_out(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "former", []
    signed = signing.dumps({"agent": 1})
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "present", ["former"]
    assert signing.loads(signed) == {"agent": 1}
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(signing.BadSignature):
        signing.loads(signed)
