"""How the console shows a page: in the reader's language, with its menu, never from a cache."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _

from ansim.lib import paging
from verification.models import PartnerUser
from verification.partner_docs.contents import WORDS, Text

STATES: dict[str, Text] = {
    "created": _("본인 정보 기다림"), "awaiting_app": _("앱 기다림"), "awaiting_code": _("번호 기다림"),
    "verified": _("본인확인됨"), "failed": _("확인 못 함"), "expired": _("시간 지남"), "denied": _("주인이 거부"),
    "cancelled": _("도중에 그만둠"),
}  # fmt: skip


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, user: PartnerUser | None = None, status: int = 200
) -> HttpResponse:
    """In the language of `?lang=`, which is remembered; else in the reader's. `user` brings the menu."""
    chosen = request.GET.get("lang")
    language = chosen if chosen in dict(settings.LANGUAGES) else translation.get_language() or "ko"
    other = "en" if language == "ko" else "ko"
    shared = {
        "language_switch": {
            "url": _with(request, lang=other), "lang": other, "label": dict(settings.LANGUAGES)[other]
        },
        "user": user,  # also where nobody is: a member of staff in the same browser is nobody here
        "partner": user.partner if user else None,
        "here": request.path,
    }  # fmt: skip
    with translation.override(language):
        answer = render(request, f"console/{template}.html", {**shared, **context}, status=status)
    answer["Content-Language"] = language
    if chosen == language:
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, secure=settings.SECURE, httponly=True, samesite="Lax"
        )
    patch_cache_control(answer, no_store=True)
    return answer


def posted(request: HttpRequest) -> QueryDict | None:
    """For a form: what was sent, also where that is nothing; None when the page is only asked for."""
    return request.POST if request.method == "POST" else None


def state_word(state: str) -> Text:
    return STATES[state]


def end_words(state: str, reason: str | None) -> tuple[Text, Text]:
    """The state in a word, and what happened as the guide explains it; the latter is empty where there is no reason."""
    return STATES[state], WORDS[reason][0] if reason else ""


def listed(request: HttpRequest, *, rows: int) -> paging.Page:
    """So many, from where `cursor` says; 404 for a cursor that is not ours."""
    try:
        return paging.going_on(request.GET.get("cursor", ""), limit=rows)
    except ValueError as error:
        raise Http404 from error


def one_of(chosen: str, known: Sequence[str]) -> str:
    """A filter of ours; 404 for anything else."""
    if chosen not in known:
        raise Http404
    return chosen


def following(request: HttpRequest, cursor: str | None) -> str | None:
    """The address of the next page of this list."""
    return _with(request, cursor=cursor) if cursor else None


def _with(request: HttpRequest, **given: str) -> str:
    query = request.GET.copy()
    for name, value in given.items():
        query[name] = value
    return f"{request.path}?{query.urlencode()}"
