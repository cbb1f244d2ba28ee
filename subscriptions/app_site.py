"""The app again on the web: lost, removed, or another phone (mission.md S5, invariants 1, 5, 6).

Identity, then letters by SMS, then the old app password. Until the letters were right every answer is the same for
the owner and for a stranger, in words, status and work done.
"""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ansim import rates
from ansim.lib import masking
from ansim.lib.problem import Refused, Unavailable
from ansim.lib.sealed_cookie import SealedCookie
from subscriptions import activation_pages, re_registration
from subscriptions import proof_pages as pages
from subscriptions.app_forms import LettersForm, PasswordForm
from subscriptions.re_registration import Standing, Way
from verification import letters
from verification.window_forms import PersonForm

ROAD = SealedCookie("app-again", "/app-again", life=1800)
APP = SealedCookie("app-again-code", "/app-again", life=1800)
ASKS_PER_MINUTE = 30  # from one address


def _page(request: HttpRequest, name: str, /, *, title: str, status: int = 200, **more: Any) -> HttpResponse:
    form = more.get("form")
    if form is not None and form.errors:
        title = _("오류: %(title)s") % {"title": title}
    return render(request, f"subscriptions/app/{name}.html", {"title": title, **more}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
def who(request: HttpRequest) -> HttpResponse:
    """Who are you? Whatever the answer, the next page says that letters were sent if that is right."""
    if request.method != "POST":
        over = ROAD.read(request).get("over")
        response = _who(request, PersonForm(), over=over)
        if over:  # said once
            ROAD.forget(response)
        return response
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _who(request, form)
    address = request.META["REMOTE_ADDR"]
    if not rates.take(rates.Rule(f"letters:{address}", ASKS_PER_MINUTE)).allowed:
        return pages.busy(request)
    identity = form.identity()
    try:
        asked = letters.ask(identity, address=address)
    except Unavailable:
        return pages.away(request)
    response = pages.see_other("app-letters")
    ROAD.give(response, {"letters": str(asked), "phone": masking.phone(identity.phone)})
    return response


def _who(request: HttpRequest, form: PersonForm, *, over: bool | None = False) -> HttpResponse:
    description = _("앱을 지웠거나 휴대폰을 바꿨을 때 안심 앱을 다시 등록하는 곳이에요.")
    return _page(request, "who", title=_("앱 다시 등록하기"), description=description, form=form, over=over)


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
def confirm_letters(request: HttpRequest) -> HttpResponse:
    """The letters. Right ones lead to the password; nothing here is said about wrong data, known or not."""
    said = ROAD.read(request)
    if "letters" not in said:
        return _over()
    form = LettersForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        refusal = letters.confirm(uuid.UUID(said["letters"]), form.cleaned_data["letters"])
        if refusal is None:
            return pages.see_other("app-password-again")
        left = refusal.extra.get("tries_left", 0)
        if not left:
            return _over()
        form.add_error("letters", _("확인 글자가 달라요. %(left)s번 더 입력할 수 있어요.") % {"left": left})
    return _page(
        request, "letters", title=_("문자로 받은 글자를 입력해 주세요"), form=form, phone=said["phone"], noindex=True
    )


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
def password(request: HttpRequest) -> HttpResponse:
    """The old app password, or what stands in its place; then the code."""
    asked = ROAD.read(request).get("letters")
    standing = re_registration.standing(uuid.UUID(asked)) if asked else None
    if standing is None:
        return _over()
    form = PasswordForm(request.POST if request.method == "POST" else None)
    typed = form.cleaned_data["password"] if form.is_valid() else ""
    if request.method != "POST" or (standing.way is not Way.RESET and not typed):
        return _password(request, standing, form)
    came = re_registration.issue(uuid.UUID(asked), password=typed)
    if isinstance(came, Refused):
        return _refused(request, came, standing, form)
    response = pages.see_other("app-code")
    activation_pages.give(response, APP, came)
    return response


def _refused(request: HttpRequest, refusal: Refused, standing: Standing, form: PasswordForm) -> HttpResponse:
    left = refusal.extra.get("tries_left", 0)
    if refusal.code == "closed":
        return _over()
    if not left:  # locked now, or before
        return pages.see_other("app-password-again")
    told = {"left": left}
    last = _("앱 비밀번호가 달라요. 한 번 더 틀리면 잠겨요.")
    form.add_error("password", last if left == 1 else _("앱 비밀번호가 달라요. %(left)s번 더 입력할 수 있어요.") % told)
    return _password(request, standing, form)


def _password(request: HttpRequest, standing: Standing, form: PasswordForm) -> HttpResponse:
    titles = {
        Way.PASSWORD: _("쓰던 앱 비밀번호를 입력해 주세요"),
        Way.RESET: _("앱을 다시 등록할 수 있어요"),
        Way.WAITING: _("아직 기다려야 해요"),
        Way.LOCKED: _("앱 비밀번호가 잠겼어요"),
        Way.CALL_CENTRE: _("1566-4380에서 접수해 주세요"),
    }
    open_way = standing.way in (Way.PASSWORD, Way.RESET)
    return _page(
        request,
        "password" if open_way else "call",
        title=titles[standing.way],
        form=form,
        way=standing.way,
        reset_at=standing.reset_at,
        registered=standing.line.device is not None,
        noindex=True,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
def code(request: HttpRequest) -> HttpResponse:
    """The code for the app, in the browser that proved its owner."""
    subscription = activation_pages.subscription_of(request, APP)
    if subscription is None:
        return _over()
    if request.method == "POST":
        return activation_pages.renew(APP, subscription, request, page="app-code")
    return activation_pages.show(request, APP, subscription, page="app-code", title=_("앱에 코드를 입력해 주세요"))


@require_safe
@pages.private
def code_state(request: HttpRequest) -> HttpResponse:
    return activation_pages.state(request, APP)


def _over() -> HttpResponse:
    """Out of turn, too late, too many wrong letters: from the beginning, and why."""
    response = pages.see_other("app-again")
    ROAD.give(response, {"over": True})
    return response


urlpatterns = [
    re_path(r"^app-again/?$", who, name="app-again"),
    path("app-again/letters", confirm_letters, name="app-letters"),
    path("app-again/password", password, name="app-password-again"),
    path("app-again/code", code, name="app-code"),
    path("app-again/code/state", code_state, name="app-code-state"),
]
