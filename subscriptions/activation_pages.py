"""The activation code of the app: as text, as a QR code and as a link, and a page that notices the registering (S5).

Only the browser that was given a code sees it and may have a new one, while the line has no other phone than then.
"""

import time
import uuid
from typing import Any

import segno
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from ansim.lib.sealed_cookie import SealedCookie
from subscriptions import enrolment
from subscriptions.enrolment import Joined
from subscriptions.models import Subscription
from verification import registration


def give(response: HttpResponse, cookie: SealedCookie, joined: Joined) -> None:
    """This browser may show the code, and ask for another one as long as the line's phone stays the same."""
    device = joined.line.device_id
    cookie.give(
        response,
        {
            "subscription": str(joined.subscription.pk),
            "device": str(device) if device else None,
            "code": joined.activation_code,
            "until": time.time() + registration.ACTIVATION_LIFE.total_seconds(),
        },
    )


def subscription_of(request: HttpRequest, cookie: SealedCookie) -> Subscription | None:
    """The active subscription that this browser was given a code for."""
    said = cookie.read(request)
    found = Subscription.objects.select_related("line__device").filter(state=Subscription.State.ACTIVE)
    return found.filter(pk=uuid.UUID(said["subscription"])).first() if said else None


def registered(request: HttpRequest, cookie: SealedCookie, subscription: Subscription) -> bool:
    """Whether a phone was registered since the code was given."""
    device = subscription.line.device_id
    return device is not None and str(device) != cookie.read(request)["device"]


def show(
    request: HttpRequest, cookie: SealedCookie, subscription: Subscription, *, page: str, **words: Any
) -> HttpResponse:
    """The code while it lives, else the button for a new one; once the app is registered: that it is done."""
    if registered(request, cookie, subscription):
        return render(request, "subscriptions/app/registered.html", {"line": subscription.line, "noindex": True})
    code, seconds_left = _alive(cookie.read(request), subscription)
    context = {
        "address": reverse(page), "state_url": reverse(f"{page}-state"), "noindex": True, "code": code,
        "seconds_left": seconds_left, **words,
    }  # fmt: skip
    if code:
        link = f"ansim://activate?code={code}"
        context |= {"halves": (code[:5], code[5:]), "link": link, "qr": _qr(link)}
    return render(request, "subscriptions/app/activation.html", context)


def renew(cookie: SealedCookie, subscription: Subscription, request: HttpRequest, *, page: str) -> HttpResponse:
    """Another code; when a phone was registered meanwhile the page says so."""
    device = cookie.read(request)["device"]
    response = HttpResponse(status=303, headers={"Location": reverse(page)})
    try:
        joined = enrolment.renew_unregistered(subscription.pk, device=uuid.UUID(device) if device else None)
    except Refused:
        return response
    give(response, cookie, joined)
    return response


def state(request: HttpRequest, cookie: SealedCookie) -> JsonResponse:
    """What the waiting page asks every few seconds."""
    subscription = subscription_of(request, cookie)
    if subscription is None:
        return JsonResponse({"state": None}, status=403)
    return JsonResponse({"state": "registered" if registered(request, cookie, subscription) else "waiting"})


def _alive(said: dict[str, Any], subscription: Subscription) -> tuple[str | None, int]:
    """The code that this browser was given, if it is still the one that registers, and the seconds it has."""
    line, left = subscription.line, int(said["until"] - time.time())
    newest = line.activation_fingerprint == fingerprint.of("activation", said["code"])
    alive = newest and left > 0 and line.activation_expires_at and line.activation_expires_at > timezone.now()
    return (str(said["code"]), left) if alive else (None, 0)


def _qr(link: str) -> str:
    return str(segno.make(link, error="m").svg_inline(border=4, light="#fff", omitsize=True, svgclass="qr"))
