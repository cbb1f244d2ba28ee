"""Who is at "my page": the session's cookie, and the sealed cookie of a proof that this browser began."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.cache import patch_cache_control

from ansim.lib.sealed_cookie import SealedCookie
from subscriptions import sessions
from subscriptions.models import CustomerSession

SESSION = "__Host-my" if settings.SECURE else "my"  # no other host can plant or read a cookie of such a name
PROOF = SealedCookie("my-proof", "/my", life=1800)
# What comes first counts: others name themselves Chrome and Safari too.
FAMILIES = {
    "EdgA": "Edge", "Edg": "Edge", "SamsungBrowser": "Samsung Internet", "Whale": "Whale", "OPR": "Opera",
    "FxiOS": "Firefox", "Firefox": "Firefox", "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari",
}  # fmt: skip
PLATFORMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Macintosh": "Mac",
    "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip
Rest = ParamSpec("Rest")
SessionView = Callable[Concatenate[HttpRequest, CustomerSession, Rest], HttpResponse]


@dataclass(frozen=True)
class Begun:
    """A proof that this browser began, and what for: None to sign in, else what shall be turned down."""

    verification: uuid.UUID
    wish: dict[str, str] | None


def browser(request: HttpRequest) -> sessions.Browser:
    """Family and platform; "-" for what we do not know."""
    said = request.headers.get("User-Agent", "")
    family, platform = (
        next((name for mark, name in known.items() if mark in said), "-") for known in (FAMILIES, PLATFORMS)
    )
    return sessions.Browser(f"{family} · {platform}")


def current(request: HttpRequest) -> CustomerSession | None:
    token = request.COOKIES.get(SESSION, "")
    return sessions.current(token, browser=browser(request)) if token else None


def signed_in(view: SessionView[Rest]) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """The view's second argument is the session, and through it the only line there is. Nobody: 303 to /my."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Rest.args, **given: Rest.kwargs) -> HttpResponse:
        session = current(request)
        return private(view(request, session, *args, **given) if session else see_other(reverse("my")))

    return asked  # type: ignore[return-value] # `wraps` tells mypy less than it knows


def private(answer: HttpResponse) -> HttpResponse:
    """For this browser and this moment only."""
    patch_cache_control(answer, private=True, no_store=True)
    return answer


def see_other(url: str) -> HttpResponse:
    """303: after a POST the browser asks with GET."""
    return HttpResponseRedirect(url, status=303)


def let_in(request: HttpRequest, response: HttpResponse, token: str) -> None:
    """Hand the browser its session, under a new form token: what was planted before is worth nothing."""
    rotate_token(request)
    _give(response, token, max_age=int(sessions.LIFE.total_seconds()))


def let_out(response: HttpResponse) -> None:
    _give(response, "", max_age=0)


def remember(response: HttpResponse, begun: Begun) -> None:
    """Only this browser can come back with that proof, within half an hour, and only for this wish."""
    PROOF.give(response, {"verification": str(begun.verification), "wish": begun.wish})


def begun(request: HttpRequest) -> Begun | None:
    held = PROOF.read(request)
    return Begun(uuid.UUID(held["verification"]), held["wish"]) if held else None


def _give(response: HttpResponse, token: str, *, max_age: int) -> None:
    response.set_cookie(SESSION, token, max_age=max_age, secure=settings.SECURE, httponly=True, samesite="Lax")
