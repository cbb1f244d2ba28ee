"""The hosted window (api.md section 1): plain forms in the browser of the person to be verified.

The address with the secret opens it once and hands the browser a cookie; the first POST binds that browser, every
other one is refused from then on. The browser is never trusted with a result: the partner asks the API.
"""

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ansim import rates
from ansim.lib import fingerprint, masking
from ansim.lib.problem import Refused
from ansim.templatetags.korean import duration, josa
from verification import flow, words
from verification.ending import Outcome
from verification.limits import Limits
from verification.models import Verification
from verification.partner_api import region
from verification.window_forms import CodeForm, IdentityForm

State = Verification.State
FOLDER = "verification/window"
COOKIE_LIFE = 3600  # seconds
IDENTITIES_PER_MINUTE = 600  # from one address; many people share one behind a carrier's network
FLASH_LIFE = 60


# --- Who may look ---------------------------------------------------------------------------------


def _cookie_name(verification_id: uuid.UUID) -> str:
    return f"window-{verification_id.hex}"


def _browser(request: HttpRequest, verification_id: uuid.UUID) -> str | None:
    """The fingerprint of the browser that opened this window with its secret; None for any other."""
    try:
        nonce = str(request.get_signed_cookie(_cookie_name(verification_id), salt="window"))
    except (KeyError, signing.BadSignature):
        return None
    return fingerprint.of("browser", nonce)


def _visible(request: HttpRequest, verification_id: uuid.UUID) -> Verification | None:
    """The verification, brought up to date, if this browser may see it."""
    browser = _browser(request, verification_id)
    allowed = Q(browser_fingerprint=None) | Q(browser_fingerprint=browser)
    found = Verification.objects.select_related("partner").filter(allowed, pk=verification_id)
    verification = found.first() if browser else None
    if verification and verification.is_open and verification.expires_at <= timezone.now():
        flow.expire(verification_id)
        verification = found.first()
    return verification


def _bind(request: HttpRequest, verification_id: uuid.UUID) -> bool:
    """The first POST binds the browser: one UPDATE decides between two that try at once."""
    browser = _browser(request, verification_id)
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
        patch_cache_control(response, no_store=True)
        return response

    return wrapped


@require_safe
@_open_to_opener
def enter(request: HttpRequest, secret: str) -> HttpResponse:
    """Swap the secret for a cookie and move on. Binds nothing: link previews and scanners only look."""
    verification = Verification.objects.filter(window_fingerprint=fingerprint.of("window", secret)).first()
    if verification is None:
        return _elsewhere(request, None, status=404)
    response = HttpResponseRedirect(_address(verification.pk), status=303)
    # Once a browser is bound only its own cookie opens the window, and that one is sent to the address we move to.
    if verification.browser_fingerprint is None:
        response.set_signed_cookie(
            _cookie_name(verification.pk), secrets.token_urlsafe(24), salt="window", max_age=COOKIE_LIFE,
            path=_address(verification.pk), secure=settings.SECURE, httponly=True, samesite="Lax",
        )  # fmt: skip
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@_open_to_opener
def at(request: HttpRequest, verification_id: uuid.UUID) -> HttpResponse:
    """The window itself: GET shows the state, POST does one thing and comes back here."""
    if "lang" in request.GET:
        return _speak(request, verification_id)
    verification = _visible(request, verification_id)
    if verification is None:
        return _elsewhere(request, Verification.objects.filter(pk=verification_id).first(), status=403)
    if request.method != "POST":
        return _show(request, verification)
    if not _bind(request, verification_id):
        return _elsewhere(request, verification, status=403)
    wanted = request.POST.get("do") or ("code" if "code" in request.POST else "identity")
    deed = {"identity": _identify, "code": _confirm, "resend": _resend, "cancel": _cancel}.get(wanted)
    return deed(request, verification) if deed else _back(verification.pk)


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
        {"state": verification.state, "seconds_left": _seconds_left(verification)}, headers={"ETag": etag}
    )


# --- Deeds ----------------------------------------------------------------------------------------


def _identify(request: HttpRequest, verification: Verification) -> HttpResponse:
    form = IdentityForm(request.POST, asks=verification.partner.window_asks)
    if verification.state != State.CREATED:
        return _back(verification.pk)
    if not form.is_valid():
        return _show(request, verification, form=form)
    address = request.META["REMOTE_ADDR"]
    if not rates.take(rates.Rule(f"address:{address}", IDENTITIES_PER_MINUTE)).allowed:
        busy = _("이 네트워크에서 온 요청이 많아요. 1분 뒤 다시 해 주세요. 입력한 내용은 그대로 있어요.")
        return _show(request, verification, form=form, notice={"kind": "warn", "text": busy}, status=429)
    try:
        outcome = flow.identify(
            verification,
            identity=form.identity(),
            address=address,
            region=region(address),
            consented=form.consented(),
        )
    except Refused:
        away = _(
            "지금은 통신사에 확인할 수 없어요. 인증은 시작되지 않았어요. "
            "1분 뒤 다시 해 주세요. 입력한 내용은 그대로 있어요."
        )
        return _show(request, verification, form=form, notice={"kind": "warn", "text": away}, status=503)
    if outcome.refusal and outcome.refusal.code == "invalid":
        return _show(request, outcome.verification, form=form, notice={"kind": "bad", "text": words.REFUSED.text})
    return _back(verification.pk)


def _confirm(request: HttpRequest, verification: Verification) -> HttpResponse:
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _back(verification.pk, kind="not_six", code=request.POST.get("code", "")[:40])
    outcome = flow.confirm(code=form.cleaned_data["code"], pk=verification.pk)
    if outcome.refusal and outcome.refusal.code == "wrong_code" and outcome.verification.is_open:
        return _back(verification.pk, kind="wrong", code=form.cleaned_data["code"])
    return _back(verification.pk)


def _resend(request: HttpRequest, verification: Verification) -> HttpResponse:
    outcome: Outcome = flow.resend(pk=verification.pk)
    if outcome.refusal is None:
        return _back(verification.pk, kind="resent")
    return _back(verification.pk, kind=outcome.refusal.code, wait=outcome.refusal.retry_after)


def _cancel(request: HttpRequest, verification: Verification) -> HttpResponse:
    flow.cancel(reason="cancelled_by_customer", pk=verification.pk)
    return _back(verification.pk)


def _back(verification_id: uuid.UUID, **flash: Any) -> HttpResponse:
    """POST, redirect, GET: a reload repeats nothing. What the next page says goes along, signed."""
    response = HttpResponseRedirect(_address(verification_id), status=303)
    if flash:
        response.set_signed_cookie(
            "window-flash", json.dumps(flash), salt=str(verification_id), max_age=FLASH_LIFE,
            path=_address(verification_id), secure=settings.SECURE, httponly=True, samesite="Lax",
        )  # fmt: skip
    return response


def _speak(request: HttpRequest, verification_id: uuid.UUID) -> HttpResponse:
    response = _back(verification_id)
    if request.GET["lang"] in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, request.GET["lang"], secure=settings.SECURE, httponly=True, samesite="Lax"
        )
    return response


# --- Pages ----------------------------------------------------------------------------------------


def _show(request: HttpRequest, verification: Verification, *, status: int = 200, **more: Any) -> HttpResponse:
    said = _flash(request, verification.pk)
    page, context = {
        State.CREATED: ("identity", _identity_page),
        State.AWAITING_APP: ("app", _app_page),
        State.AWAITING_CODE: ("code", _code_page),
    }.get(State(verification.state), ("end", _end_page))
    context_of_page = {
        **_frame(verification),
        "notice": _notice(said, verification),
        **context(request, verification, said),
        **more,
    }
    response = render(request, f"{FOLDER}/{page}.html", context_of_page, status=status)
    if said:
        response.delete_cookie("window-flash", path=_address(verification.pk), samesite="Lax")
    return response


def _flash(request: HttpRequest, verification_id: uuid.UUID) -> dict[str, Any]:
    try:
        said = json.loads(str(request.get_signed_cookie("window-flash", salt=str(verification_id), max_age=FLASH_LIFE)))
    except (KeyError, signing.BadSignature, ValueError):
        return {}
    return dict(said)


def _frame(verification: Verification) -> dict[str, Any]:
    site, other = verification.site, "ko" if get_language() == "en" else "en"
    return {
        "who": {
            "name": site["name"],
            "domain": site["domain"],
            "agency": site.get("agency"),
            "purpose": words.PURPOSES[verification.purpose],
        },
        "livemode": verification.livemode,
        "language_switch": {
            "url": f"{_address(verification.pk)}?lang={other}",
            "lang": other,
            "label": dict(settings.LANGUAGES)[other],
        },
        "shared": [str(label) for name, label in words.GRANTS.items() if name in verification.partner.grants],
        "seconds_left": _seconds_left(verification),
        "address": _address(verification.pk),
        "return_label": _("%(shop)s 돌아가기") % {"shop": josa(site["name"], "으로/로")},
    }


def _identity_page(request: HttpRequest, verification: Verification, said: dict[str, Any]) -> dict[str, Any]:
    limits = Limits.of(verification.partner.limits)
    return {
        "form": IdentityForm(asks=verification.partner.window_asks),
        "app_time": duration(limits.app_ttl),
        "code_time": duration(limits.code_ttl),
    }


def _app_page(request: HttpRequest, verification: Verification, said: dict[str, Any]) -> dict[str, Any]:
    early = {"kind": "warn", "text": _("아직 비밀번호를 입력하지 않았어요. 앱에서 입력한 뒤 다시 눌러 주세요.")}
    return {
        "match_number": verification.match_number,
        "resends_left": verification.resends_left,
        "state": verification.state,
        "state_url": reverse("window-state", args=[verification.pk]),
        **({"notice": early} if "pressed" in request.GET else {}),
    }


def _code_page(request: HttpRequest, verification: Verification, said: dict[str, Any]) -> dict[str, Any]:
    form = CodeForm({"code": said["code"]}) if "code" in said else CodeForm()
    if said.get("kind") == "wrong" and form.is_valid():
        left = verification.tries_left
        last = _("인증번호가 달라요. 한 번 더 틀리면 이번 인증이 끝나요.")
        form.add_error(
            "code", last if left == 1 else _("인증번호가 달라요. %(left)s번 더 입력할 수 있어요.") % {"left": left}
        )
    return {
        "form": form,
        "channel": verification.channel,
        "masked_phone": masking.phone(verification.holder["phone"]),
        "tries_left": verification.tries_left,
        "resends_left": verification.resends_left,
    }


def _end_page(request: HttpRequest, verification: Verification, said: dict[str, Any]) -> dict[str, Any]:
    message = {"type": "ansim.verification", "verification_id": str(verification.pk), "state": verification.state}
    back = _back_url(verification)
    parts = urlsplit(verification.return_url)
    origin = (
        f"{parts.scheme}://{parts.netloc}"
        if verification.return_url
        else next(iter(verification.partner.return_origins), None)
    )
    return {
        "end": words.end_of(verification),
        "state": verification.state,
        "back_url": back,
        "popup": {"origin": origin, "message": message} if origin else None,
        "notice": None,
    }


def _back_url(verification: Verification) -> str | None:
    if not verification.return_url:
        return None
    parts = urlsplit(verification.return_url)
    added = urlencode({"verification_id": verification.pk, "state": verification.state})
    return parts._replace(query="&".join(part for part in (parts.query, added) if part)).geturl()


def _notice(said: dict[str, Any], verification: Verification) -> dict[str, str] | None:
    sent = Limits.of(verification.partner.limits).resends - verification.resends_left
    texts = {
        "resent": ("ok", _("다시 보냈어요. (%(sent)s번째)") % {"sent": sent}),
        "resend_too_soon": ("warn", _("%(wait)s초 뒤에 다시 보낼 수 있어요.") % {"wait": said.get("wait")}),
        "resends_used_up": ("warn", _("더 보낼 수 없어요. 받은 번호나 앱을 확인해 주세요.")),
    }
    kind, text = texts.get(said.get("kind", ""), (None, ""))
    return {"kind": kind, "text": text} if kind else None


def _elsewhere(request: HttpRequest, verification: Verification | None, *, status: int) -> HttpResponse:
    """A browser that may not look. It learns the partner's return address only where it had the secret."""
    if verification is None:
        title, text = _("이 창은 더 이상 열 수 없어요"), _("이용 사이트에서 다시 시작해 주세요.")
    else:
        title = _("다른 브라우저에서 이미 열었어요")
        text = _("처음 연 창에서 계속해 주세요. 없으면 이용 사이트에서 다시 시작해 주세요.")
    return render(request, f"{FOLDER}/elsewhere.html", {"title": title, "text": text, "back_url": None}, status=status)


def _address(verification_id: uuid.UUID) -> str:
    return reverse("window-at", args=[verification_id])


def _seconds_left(verification: Verification) -> int | None:
    if not verification.is_open:
        return None
    return max(0, int((verification.expires_at - timezone.now()).total_seconds()))


urlpatterns = [
    path("at/<uuid:verification_id>", at, name="window-at"),
    path("at/<uuid:verification_id>/state", state, name="window-state"),
    path("<str:secret>", enter, name="window"),
]
