"""How a partner comes in, at the desk: its keys and the people of its console. What is secret is shown once."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from ansim import audit, staff_sign_in
from ansim.audit import Actor
from ansim.desk_auth import actor, at_the_desk, page
from ansim.desk_forms import WRONG_TOKEN
from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from ansim.models import Agent
from ansim.record_models import Action
from verification import partner_access, partner_keys
from verification.models import ApiKey, Partner, PartnerUser
from verification.partner_desk_forms import DisabledUser, NewKey, NewUser, RevokedKey

Shown = dict[str, str] | None
posts = require_http_methods(["GET", "HEAD", "POST"])


@sensitive_post_parameters()
@posts
@at_the_desk("verification.add_apikey")
def access(request: HttpRequest, agent: Agent, partner_id: uuid.UUID) -> HttpResponse:
    """Four forms on one page, told apart by `deed`; each takes a fresh one-time code and is on record."""
    partner = get_object_or_404(Partner, pk=partner_id)
    forms_of = _forms(partner, request)
    deed = request.POST.get("deed", "")
    form = forms_of.get(deed)
    if request.method == "POST" and form is not None and form.is_valid():
        if staff_sign_in.confirm(agent, form.cleaned_data["otp_token"], address=request.META["REMOTE_ADDR"]):
            return _do(request, partner, deed, form, forms_of)
        form.add_error("otp_token", WRONG_TOKEN)
    if request.method != "POST":
        with transaction.atomic():
            audit.record(actor(request), Action.LOOK, _subject(partner), what="partner.access")
    return _page(request, partner, forms_of, form)


def _do(
    request: HttpRequest, partner: Partner, deed: str, form: forms.Form, forms_of: dict[str, forms.Form]
) -> HttpResponse:
    try:
        shown = _DEEDS[deed](partner, form.cleaned_data, actor(request))
    except (Refused, ValueError, ApiKey.DoesNotExist):
        form.add_error(None, _REFUSALS[deed]())
        return _page(request, partner, forms_of, form)
    if shown:
        return page(request, "shown_once", {"partner": partner, "shown": shown, "title": _("한 번만 보입니다")})
    messages.success(request, _("이루어졌습니다. 다음 요청부터 들어오지 못합니다."))
    return HttpResponseRedirect(request.path, status=303)


def _page(
    request: HttpRequest, partner: Partner, forms_of: dict[str, forms.Form], form: forms.Form | None
) -> HttpResponse:
    shown: dict[str, Any] = {
        "partner": partner, "forms": forms_of, "form": form, "title": _("열쇠와 사람"),
        "keys": ApiKey.objects.filter(partner=partner).order_by("-created_at"),
        "users": PartnerUser.objects.filter(partner=partner).order_by("created_at"),
    }  # fmt: skip
    return page(request, "partner_access", shown, status=422 if request.method == "POST" else 200)


def _forms(partner: Partner, request: HttpRequest) -> dict[str, forms.Form]:
    """The one that was sent is bound, the others are empty."""
    alive = ApiKey.objects.filter(partner=partner, revoked_at=None).order_by("-created_at")
    people = PartnerUser.objects.filter(partner=partner, disabled_at=None).order_by("created_at")
    keys, users = [(str(key.pk), key.hint) for key in alive], [(str(one.pk), one.email) for one in people]
    deed = request.POST.get("deed")

    def given(name: str) -> Any:
        return request.POST if deed == name else None

    return {
        "key": NewKey(given("key"), prefix="key"),
        "revoke": RevokedKey(given("revoke"), prefix="revoke", keys=keys),
        "user": NewUser(given("user"), prefix="user"),
        "disable": DisabledUser(given("disable"), prefix="disable", users=users),
    }


def _make_key(partner: Partner, given: dict[str, Any], by: Actor) -> Shown:
    with transaction.atomic():
        held = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        secret = partner_keys.make_successor(held, live=given["live"] == "live")
        audit.record(by, Action.GRANT, _subject(partner), what=f"key_made.{given['live']}")
        return {_("API 열쇠"): secret}


def _revoke_key(partner: Partner, given: dict[str, Any], by: Actor) -> Shown:
    with transaction.atomic():
        partner_keys.revoke(partner, uuid.UUID(given["key"]))
        audit.record(by, Action.GRANT, _subject(partner), what="key_revoked")
        return None


def _add_user(partner: Partner, given: dict[str, Any], by: Actor) -> Shown:
    with transaction.atomic():
        made = partner_access.add_user(partner, email=given["email"], name=given["name"].strip())
        audit.record(by, Action.GRANT, _subject(partner), what="user_added")
        return {_("이메일"): made.email, _("비밀번호"): made.password, _("인증 앱의 열쇠"): made.totp_secret}


def _disable_user(partner: Partner, given: dict[str, Any], by: Actor) -> Shown:
    with transaction.atomic():
        user = PartnerUser.objects.get(pk=given["user"], partner=partner)
        partner_access.disable_user(partner, email=user.email)
        audit.record(by, Action.GRANT, _subject(partner), what="user_disabled")
        return None


def _subject(partner: Partner) -> str:
    return fingerprint.of("partner", str(partner.pk))


_DEEDS: dict[str, Callable[[Partner, dict[str, Any], Actor], Shown]] = {
    "key": _make_key, "revoke": _revoke_key, "user": _add_user, "disable": _disable_user,
}  # fmt: skip
_REFUSALS: dict[str, Callable[[], str]] = {
    "key": lambda: _("같은 종류의 열쇠는 두 개까지입니다. 하나를 먼저 없애십시오."),
    "revoke": lambda: _("그사이 없앤 열쇠입니다."),
    "user": lambda: _("이메일이 아니거나 이미 쓰는 이메일입니다."),
    "disable": lambda: _("그사이 바뀌어서 할 수 없습니다."),
}

urlpatterns = [path("partners/<uuid:partner_id>/access/", access, name="desk-partner-access")]
