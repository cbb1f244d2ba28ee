"""The doorkeeper of joining: decorators for the pages of its road (`waiting_room` decides whose turn it is)."""

import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from ansim import rates
from ansim.lib.sealed_cookie import SealedCookie
from subscriptions import proof_pages, waiting_room
from subscriptions.waiting_room import Turn

View = Callable[..., HttpResponse]
PLACE = SealedCookie("join-place", "/join", life=3600)
AGAIN = 10  # seconds until the page asks again
NEWCOMERS_PER_MINUTE = 120  # from one address, as many as may begin a proof: nobody fills the room alone


def by_turn(view: View) -> View:
    """For the first page of the road: who has no place inside is shown where they stand instead (503)."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        held = str(PLACE.read(request).get("ticket", ""))
        if not held and not rates.take(rates.Rule(f"join-room:{_address(request)}", NEWCOMERS_PER_MINUTE)).allowed:
            return proof_pages.busy(request)
        ticket = held or waiting_room.ticket()
        turn = waiting_room.visit(ticket)
        response = _told(request, turn) if _asks_only(request) or not turn.inside else view(request, *args, **kwargs)
        PLACE.give(response, {"ticket": ticket})
        return response

    return wrapped


def few_at_once(view: View) -> View:
    """For pages that ask the carrier: no more than SITE_SLOTS of a process's threads wait there at an instant.

    The others of its threads, and their database connections, stay for verifications, however slow the carrier is.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not _slots().acquire(blocking=False):  # waiting here would hold a thread, which is what we are short of
            return _told(request, Turn(inside=False))
        try:
            return _told(request, Turn(inside=True)) if _asks_only(request) else view(request, *args, **kwargs)
        finally:
            _slots().release()

    return wrapped


def leaves(view: View) -> View:
    """For the page after the end: the place is given on."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        ticket = PLACE.read(request).get("ticket")
        if ticket:
            waiting_room.leave(str(ticket))
            PLACE.forget(response)
        return response

    return wrapped


@cache
def _slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.SITE_SLOTS)


def _address(request: HttpRequest) -> str:
    return str(request.META["REMOTE_ADDR"])


def _asks_only(request: HttpRequest) -> bool:
    """The waiting page's own script: it wants to know, not to come in."""
    return request.headers.get("Accept") == "application/json"


def _told(request: HttpRequest, turn: Turn) -> HttpResponse:
    words = _words(turn)
    if _asks_only(request):
        response: HttpResponse = JsonResponse({"inside": turn.inside, "words": words})
    else:
        context = {"title": _("잠시 기다려 주세요"), "words": words, "queued": bool(turn.minutes), "again": AGAIN}
        response = render(request, "subscriptions/join/waiting.html", {**context, "noindex": True}, status=503)
        response["Retry-After"] = str(AGAIN)
    response["Cache-Control"] = "private, no-store"
    return response


def _words(turn: Turn) -> str:
    if turn.inside:
        return _("이제 들어갈 수 있어요.")
    if not turn.minutes:
        return _("지금 통신사에 확인하는 분이 많아요. 곧 이어서 할 수 있어요.")
    places = {"before": f"{turn.before:,}", "minutes": turn.minutes}
    if not turn.before:
        return _("다음 차례예요. 자리가 나면 바로 들어가요.")
    return _("앞에 %(before)s명이 있어요. 약 %(minutes)s분 뒤에 들어갈 수 있어요.") % places
