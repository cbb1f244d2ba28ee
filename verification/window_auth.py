"""Which browser may look into a window: the one that was handed its cookie (api.md section 1, hosted window)."""

import uuid

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from verification import codes

COOKIE_LIFE = 3600  # seconds


def give(response: HttpResponse, verification_id: uuid.UUID, *, nonce: str) -> None:
    """Hand this browser the cookie of that window; it is sent to the window's own address only."""
    response.set_signed_cookie(
        _name(verification_id), nonce, salt="window", max_age=COOKIE_LIFE,
        path=reverse("window-at", args=[verification_id]), secure=settings.SECURE, httponly=True, samesite="Lax",
    )  # fmt: skip


def browser(request: HttpRequest, verification_id: uuid.UUID) -> str | None:
    """The fingerprint of the browser that holds this window's cookie; None for any other."""
    try:
        return codes.browser_fingerprint(str(request.get_signed_cookie(_name(verification_id), salt="window")))
    except (KeyError, signing.BadSignature):
        return None


def _name(verification_id: uuid.UUID) -> str:
    return f"window-{verification_id.hex}"
