"""The hosted window (api.md section 1): plain forms in the browser of the person to be verified.

The address with the secret opens it once and hands the browser a cookie; the first POST binds that browser, every
other one is refused from then on. The browser is never trusted with a result: the partner asks the API.
"""

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from ansim import rates
from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from verification import codes, flow, regions, window_auth
from verification import window_pages as pages
from verification.ending import Outcome
from verification.models import Verification
from verification.states import State
from verification.window_forms import CodeForm, IdentityForm

IDENTITIES_PER_MINUTE = 600  # from one address; many people share one behind a carrier's network


# --- Who may look ---------------------------------------------------------------------------------


def _visible(request: HttpRequest, verification_id: uuid.UUID) -> Verification | None:
    """The verification, brought up to date, if this browser may see it."""
    browser = window_auth.browser(request, verification_id)
    allowed = Q(browser_fingerprint=None) | Q(browser_fingerprint=browser)
    found = Verification.objects.select_related("partner").filter(allowed, pk=verification_id)
    verification = found.first() if browser else None
    if verification and verification.is_open and verification.expires_at <= timezone.now():
        flow.expire(verification_id)
        verification = found.first()
    return verification


def _bind(request: HttpRequest, verification_id: uuid.UUID) -> bool:
    """The first POST binds the browser: one UPDATE decides between two that try at once."""
    browser = window_auth.browser(request, verification_id)
    if browser is None:
        return False
    mine = Verification.objects.filter(Q(browser_fingerprint=None) | Q(browser_fingerprint=browser), pk=verification_id)
    return mine.update(browser_fingerprint=browser) == 1


# --- Views ----------------------------------------------------------------------------------------


def _open_to_opener(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Popups must reach their opener (postMessage); nothing of a window is ever kept by a cache."""

    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Cross-Origin-Opener-Policy"] = "unsafe-none"
        response["Referrer-Policy"] = "no-referrer"  # api.md; the pages widen it for their own forms
        patch_cache_control(response, no_store=True)
        return response

    return wrapped


@csrf_exempt  # it takes no form; and Django's line about a missing token would write the secret into the log
@require_safe
@_open_to_opener
def enter(request: HttpRequest, secret: str) -> HttpResponse:
    """Swap the secret for a cookie and move on. Binds nothing: link previews and scanners only look."""
    verification = Verification.objects.filter(window_fingerprint=fingerprint.of("window", secret)).first()
    if verification is None:
        return pages.elsewhere(request, None, status=404)
    response = HttpResponseRedirect(pages.address(verification.pk), status=303)
    # Once a browser is bound only its own cookie opens the window, and that one is sent to the address we move to.
    if verification.browser_fingerprint is None:
        window_auth.give(response, verification.pk, nonce=codes.browser_nonce())
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@_open_to_opener
def at(request: HttpRequest, verification_id: uuid.UUID) -> HttpResponse:
    """The window itself: GET shows the state, POST does one thing and comes back here."""
    if "lang" in request.GET:
        return _speak(request, verification_id)
    verification = _visible(request, verification_id)
    if verification is None:
        return pages.elsewhere(request, Verification.objects.filter(pk=verification_id).first(), status=403)
    if request.method != "POST":
        return pages.show(request, verification)
    if not _bind(request, verification_id):
        return pages.elsewhere(request, verification, status=403)
    wanted = request.POST.get("do") or ("code" if "code" in request.POST else "identity")
    deed = {"identity": _identify, "code": _confirm, "resend": _resend, "cancel": _cancel}.get(wanted)
    return deed(request, verification) if deed else pages.back(verification.pk)


@require_safe
@_open_to_opener
def state(request: HttpRequest, verification_id: uuid.UUID) -> HttpResponse:
    """What the waiting page asks every few seconds."""
    verification = _visible(request, verification_id)
    if verification is None:
        return JsonResponse({"state": None}, status=403)
    etag = f'"{hashlib.sha256(f"{verification.state} {verification.reason}".encode()).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    return JsonResponse(
        {"state": verification.state, "seconds_left": pages.seconds_left(verification)}, headers={"ETag": etag}
    )


# --- Deeds ----------------------------------------------------------------------------------------


def _identify(request: HttpRequest, verification: Verification) -> HttpResponse:
    form = IdentityForm(request.POST, asks=verification.partner.window_asks)
    if verification.state != State.CREATED:
        return pages.back(verification.pk)
    if not form.is_valid():
        return pages.show(request, verification, form=form)
    address = request.META["REMOTE_ADDR"]
    if not rates.take(rates.Rule(f"address:{address}", IDENTITIES_PER_MINUTE)).allowed:
        busy = _("이 네트워크에서 온 요청이 많아요. 1분 뒤 다시 해 주세요. 입력한 내용은 그대로 있어요.")
        return pages.show(request, verification, form=form, notice={"kind": "warn", "text": busy}, status=429)
    try:
        outcome = flow.identify(
            verification,
            identity=form.identity(),
            address=address,
            region=regions.shown(address),
            consented=form.consented(),
        )
    except Refused:
        away = _(
            "지금은 통신사에 확인할 수 없어요. 인증은 시작되지 않았어요. "
            "1분 뒤 다시 해 주세요. 입력한 내용은 그대로 있어요."
        )
        return pages.show(request, verification, form=form, notice={"kind": "warn", "text": away}, status=503)
    if outcome.refusal and outcome.refusal.code == "invalid":
        return pages.back(verification.pk, kind="mismatch", typed=form.typed())
    return pages.back(verification.pk)


def _confirm(request: HttpRequest, verification: Verification) -> HttpResponse:
    form = CodeForm(request.POST)
    if not form.is_valid():
        return pages.back(verification.pk, kind="not_six", code=request.POST.get("code", "")[:40])
    outcome = flow.confirm(code=form.cleaned_data["code"], pk=verification.pk)
    if outcome.refusal and outcome.refusal.code == "wrong_code" and outcome.verification.is_open:
        return pages.back(verification.pk, kind="wrong", code=form.cleaned_data["code"])
    return pages.back(verification.pk)


def _resend(request: HttpRequest, verification: Verification) -> HttpResponse:
    outcome: Outcome = flow.resend(pk=verification.pk)
    if outcome.refusal is None:
        return pages.back(verification.pk, kind="resent")
    return pages.back(verification.pk, kind=outcome.refusal.code, wait=outcome.refusal.retry_after)


def _cancel(request: HttpRequest, verification: Verification) -> HttpResponse:
    flow.cancel(reason="cancelled_by_customer", pk=verification.pk)
    return pages.back(verification.pk)


def _speak(request: HttpRequest, verification_id: uuid.UUID) -> HttpResponse:
    response = pages.back(verification_id)
    if request.GET["lang"] in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, request.GET["lang"], secure=settings.SECURE, httponly=True, samesite="Lax"
        )
    return response


urlpatterns = [
    path("at/<uuid:verification_id>", at, name="window-at"),
    path("at/<uuid:verification_id>/state", state, name="window-state"),
    path("<str:secret>", enter, name="window"),
]
