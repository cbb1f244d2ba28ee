"""What the hosted window shows in each state, and how it comes back to itself after a POST."""

import base64
import uuid
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ansim.lib import masking, sealed
from ansim.templatetags.korean import duration, josa
from verification import words
from verification.limits import Limits
from verification.models import Verification
from verification.states import State
from verification.window_forms import CodeForm, IdentityForm

FOLDER = "verification/window"
FLASH_LIFE = 60  # seconds


def back(verification_id: uuid.UUID, **flash: Any) -> HttpResponse:
    """POST, redirect, GET: a reload repeats nothing. What the next page says goes along, sealed: it may be personal."""
    response = HttpResponseRedirect(address(verification_id), status=303)
    if flash:
        said = base64.urlsafe_b64encode(sealed.seal(flash, place=_place(verification_id))).decode()
        response.set_signed_cookie(
            "window-flash", said, salt=str(verification_id), max_age=FLASH_LIFE,
            path=address(verification_id), secure=settings.SECURE, httponly=True, samesite="Lax",
        )  # fmt: skip
    return response


def show(request: HttpRequest, verification: Verification, *, status: int = 200, **more: Any) -> HttpResponse:
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
        response.delete_cookie("window-flash", path=address(verification.pk), samesite="Lax")
    return response


def _flash(request: HttpRequest, verification_id: uuid.UUID) -> dict[str, Any]:
    try:
        said = request.get_signed_cookie("window-flash", salt=str(verification_id), max_age=FLASH_LIFE)
        return dict(sealed.unseal(base64.urlsafe_b64decode(str(said)), place=_place(verification_id)))
    except (KeyError, signing.BadSignature, ValueError, sealed.Unreadable):
        return {}


def _place(verification_id: uuid.UUID) -> str:
    return f"window.flash.{verification_id}"


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
            "url": f"{address(verification.pk)}?lang={other}",
            "lang": other,
            "label": dict(settings.LANGUAGES)[other],
        },
        "shared": [str(label) for name, label in words.GRANTS.items() if name in verification.partner.grants],
        "seconds_left": seconds_left(verification),
        "address": address(verification.pk),
        "return_label": _("%(shop)s 돌아가기") % {"shop": josa(site["name"], "으로/로")},
    }


def _identity_page(request: HttpRequest, verification: Verification, said: dict[str, Any]) -> dict[str, Any]:
    limits = Limits.of(verification.partner.limits)
    return {
        "form": IdentityForm(said.get("typed"), asks=verification.partner.window_asks),
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
        "released": verification.released,
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


def _notice(said: dict[str, Any], verification: Verification) -> dict[str, words.Text] | None:
    sent = Limits.of(verification.partner.limits).resends - verification.resends_left
    texts = {
        "mismatch": ("bad", words.REFUSED.text),
        "resent": ("ok", _("다시 보냈어요. (%(sent)s번째)") % {"sent": sent}),
        "resend_too_soon": ("warn", _("%(wait)s초 뒤에 다시 보낼 수 있어요.") % {"wait": said.get("wait")}),
        "resends_used_up": ("warn", _("더 보낼 수 없어요. 받은 번호나 앱을 확인해 주세요.")),
    }
    kind, text = texts.get(said.get("kind", ""), (None, ""))
    return {"kind": kind, "text": text} if kind else None


def elsewhere(request: HttpRequest, verification: Verification | None, *, status: int) -> HttpResponse:
    """A browser that may not look. It learns the partner's return address only where it had the secret."""
    if verification is None:
        title, text = _("이 창은 더 이상 열 수 없어요"), _("이용 사이트에서 다시 시작해 주세요.")
    else:
        title = _("다른 브라우저에서 이미 열었어요")
        text = _("처음 연 창에서 계속해 주세요. 없으면 이용 사이트에서 다시 시작해 주세요.")
    return render(request, f"{FOLDER}/elsewhere.html", {"title": title, "text": text, "back_url": None}, status=status)


def address(verification_id: uuid.UUID) -> str:
    return reverse("window-at", args=[verification_id])


def seconds_left(verification: Verification) -> int | None:
    if not verification.is_open:
        return None
    return max(0, int((verification.expires_at - timezone.now()).total_seconds()))
