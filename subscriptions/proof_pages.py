"""Sending a browser to our own window and taking it back: what joining and cancelling share."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from ansim import rates
from ansim.lib.sealed_cookie import SealedCookie
from subscriptions import proving
from verification import regions, window_auth
from verification.models import Verification

PROOFS_PER_MINUTE = 120  # from one address; many people share one behind a carrier's network


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For this browser and this moment only: no cache keeps it."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        return response

    return wrapped


def see_other(name: str) -> HttpResponse:
    """303 to one of our pages, in the language of this one: after a POST the browser asks with GET."""
    return HttpResponseRedirect(reverse(name), status=303)


def send(request: HttpRequest, *, purpose: str, back: str, cookie: SealedCookie, said: dict[str, Any]) -> HttpResponse:
    """Begin a proof and go to its window, which comes back to the page named `back`. 429 when the address is busy.

    Only this browser can open that window, and only its cookie says which proof it began.
    """
    address = request.META["REMOTE_ADDR"]
    if not rates.take(rates.Rule(f"proofs:{address}", PROOFS_PER_MINUTE)).allowed:
        return busy(request)
    asked = proving.ask(purpose, back=reverse(back), region=regions.shown(address), address=address)
    response = HttpResponseRedirect(asked.window, status=303)
    window_auth.give(response, asked.verification, nonce=asked.nonce)
    cookie.give(response, {**said, "verification": str(asked.verification)})
    return response


def person(said: dict[str, Any]) -> proving.Person | None:
    """Who was proved in this browser, while the result is there."""
    return proving.proved(uuid.UUID(said["verification"])) if "verification" in said else None


def unproved(request: HttpRequest, said: dict[str, Any], *, again: str, back: str) -> HttpResponse | None:
    """The page for a proof that this browser began and that came to nothing; None when it knows of none.

    `again` is the page to which the form posts that begins another one, `back` the page to return to.
    """
    found = proving.begun(uuid.UUID(said["verification"])) if "verification" in said else None
    if found is None:
        return None
    window = reverse("window-at", args=[found.pk]) if found.is_open else None
    title, text = _words(found)
    return render(
        request,
        "subscriptions/unproved.html",
        {
            "title": title, "text": text, "window": window, "again": reverse(again), "back": reverse(back),
            "app_first": found.reason in ("app_not_registered", "app_locked"), "noindex": True,
        },
    )  # fmt: skip


def _words(found: Verification) -> tuple[str, str]:
    if found.is_open:
        return _("본인확인을 아직 마치지 않았어요"), _("열려 있는 창에서 이어갈 수 있어요.")
    if found.state == Verification.State.VERIFIED:  # and its result is gone
        return _("본인확인한 지 오래됐어요"), _("본인확인 결과는 10분 동안만 두고 지워요. 다시 확인해 주세요.")
    told = {
        "app_not_registered": (
            _("이미 가입한 번호예요"),
            _("이 번호는 보호 중이라 문자로는 확인하지 않아요. 앱을 먼저 등록해 주세요."),
        ),
        "app_locked": (
            _("앱 비밀번호가 잠겼어요"),
            _("5번 틀려서 잠갔어요. 1566-4380에서 앱 다시 등록을 접수해 주세요."),
        ),
    }
    plain = (
        _("본인확인을 마치지 못했어요"),
        _("저장한 정보는 없어요. 다시 하거나, 계속 안 되면 1566-4380에 물어봐 주세요."),
    )
    return told.get(found.reason or "", plain)


def busy(request: HttpRequest) -> HttpResponse:
    """Too many from this address; nothing was begun."""
    text = _("이 네트워크에서 온 요청이 많아요. 1분 뒤 다시 해 주세요.")
    return told(request, title=_("잠시 뒤에 다시 해 주세요"), text=text, status=429)


def away(request: HttpRequest) -> HttpResponse:
    """The carrier gives no clear answer; nothing was changed."""
    text = _("바뀐 것은 아무것도 없어요. 1분 뒤 다시 해 주세요.")
    return told(request, title=_("지금은 통신사에 확인할 수 없어요"), text=text, status=503)


def told(request: HttpRequest, *, title: str, text: str, status: int = 200, **more: Any) -> HttpResponse:
    """A page that says one thing, with one link: `link` and `label`, else this page again."""
    context = {"title": title, "text": text, "noindex": True, "kind": "warn", "link": request.path, **more}
    return render(request, "subscriptions/told.html", {"label": _("다시 하기"), **context}, status=status)
