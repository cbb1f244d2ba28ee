"""The console: what a partner's own people see and set. Which partner that is comes from the session alone."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ansim import rates
from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from verification import partner_access, partner_figures, partner_settings, webhooks
from verification.console_auth import begin, current, end, see_other, signed_in
from verification.console_forms import AllowedAddresses, Confirmed, NewKey, ReturnOrigins, SignIn, WebhookAddress
from verification.console_pages import end_words, following, listed, one_of, page, posted, state_word
from verification.models import ApiKey, PartnerChange, PartnerUser, Verification, WebhookAttempt, WebhookDelivery
from verification.partner_keys import AT_A_TIME
from verification.partner_settings import By

ROWS = 25
SHOWN_ATTEMPTS = 20
SIGN_INS = 100  # of one address in ten minutes, right or wrong: each costs a slow hash
posts = require_http_methods(["GET", "HEAD", "POST"])


# --- In and out -----------------------------------------------------------------------------------


@sensitive_post_parameters()
@posts
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail, password and one-time code together: whatever is wrong, the answer is one."""
    wrong = request.method == "POST"
    if wrong and (user := _who(request)):
        begin(request, user)
        return see_other(reverse("partner-console"))
    if not wrong and current(request):
        return see_other(reverse("partner-console"))
    form = SignIn(initial={"email": request.POST.get("email", "")[:254]})  # unbound: no field tells what was wrong
    return page(request, "sign_in", {"form": form, "wrong": wrong}, status=422 if wrong else 200)


def _who(request: HttpRequest) -> PartnerUser | None:
    form = SignIn(request.POST)
    came_from = fingerprint.of("console-address", request.META["REMOTE_ADDR"])
    rule = rates.Rule(f"console:{came_from}", SIGN_INS, seconds=600)
    if not form.is_valid() or not rates.take(rule).allowed:
        return None
    return partner_access.sign_in(**form.cleaned_data)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    end(request)
    return see_other(reverse("partner-console-sign-in"))


# --- To see ---------------------------------------------------------------------------------------


@require_safe
@signed_in
def overview(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    """How it went in the last days; real ones, or those of test keys."""
    mode = request.GET.get("mode", "test" if settings.DEMO else "live")
    if mode not in ("test", "live"):
        raise Http404
    figures = partner_figures.of(user.partner, livemode=mode == "live", now=timezone.now())
    ends = [(one, *end_words(one.state, one.reason)) for one in figures.ends]
    return page(request, "overview", {"mode": mode, "figures": figures, "ends": ends}, user=user)


@require_safe
@signed_in
def verifications(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    """Newest first, by `reference` and `state`. No column holds personal data."""
    rows = Verification.objects.filter(partner=user.partner_id)
    reference, state = request.GET.get("reference", "").strip().replace("\0", ""), request.GET.get("state", "")
    if reference:
        rows = rows.filter(reference=reference)
    if state:
        rows = rows.filter(state=one_of(state, Verification.State.values))
    found, cursor = listed(request, rows=ROWS).of(rows.defer("holder", "receipt", "first_answer"))
    context = {
        "rows": [(row, state_word(row.state)) for row in found], "next": following(request, cursor),
        "reference": reference, "state": state, "states": [(one, state_word(one)) for one in Verification.State.values],
    }  # fmt: skip
    return page(request, "verifications", context, user=user)


@require_safe
@signed_in
def verification(request: HttpRequest, user: PartnerUser, pk: uuid.UUID) -> HttpResponse:
    """One, with its times and its webhooks."""
    row = get_object_or_404(Verification, pk=pk, partner=user.partner_id)
    told = _deliveries(user).filter(verification=row).order_by("created_at")
    word, text = end_words(row.state, row.reason)
    context = {"row": row, "state_word": word, "reason_text": text, "deliveries": told}
    return page(request, "verification", context, user=user)


@require_safe
@signed_in
def webhook_log(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    """What was to be told, newest first, each with its attempts."""
    rows, state = _deliveries(user), request.GET.get("state", "")
    if state:
        rows = rows.filter(state=one_of(state, WebhookDelivery.State.values))
    found, cursor = listed(request, rows=ROWS).of(rows)
    context = {
        "deliveries": found, "next": following(request, cursor), "state": state,
        "states": WebhookDelivery.State.choices,
    }  # fmt: skip
    return page(request, "webhooks", context, user=user)


@require_POST
@signed_in
def replay(request: HttpRequest, user: PartnerUser, pk: uuid.UUID) -> HttpResponse:
    """Deliver it again, under the same webhook-id."""
    try:
        delivery = webhooks.replay(pk=pk, partner=user.partner_id)
    except WebhookDelivery.DoesNotExist as error:
        raise Http404 from error
    except Refused:
        messages.error(request, _("웹훅 주소가 없거나 꺼져 있어 보낼 수 없어요. 설정에서 주소를 먼저 저장해 주세요."))
        return see_other(reverse("partner-console-webhooks"))
    messages.success(request, _("다시 보내요. 결과는 잠시 뒤 여기에 보여요."))
    return see_other(reverse("partner-console-verification", args=[delivery.verification_id]))


@require_safe
@signed_in
def changes(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    """Who changed what, newest first."""
    rows = PartnerChange.objects.filter(partner=user.partner_id).select_related("user")
    found, cursor = listed(request, rows=ROWS).of(rows)
    return page(request, "changes", {"rows": found, "next": following(request, cursor)}, user=user)


# --- To set ---------------------------------------------------------------------------------------


@require_safe
@signed_in
def console_settings(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    """All of it, each with the page that changes it."""
    keys = ApiKey.objects.filter(partner=user.partner_id).order_by("revoked_at", "-created_at")
    context = {
        "keys": [key for key in keys if key.revoked_at is None],
        "revoked": [key for key in keys if key.revoked_at],
        "now": timezone.now(),
    }
    return page(request, "settings", context, user=user)


@posts
@signed_in
def return_origins(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    form = ReturnOrigins(posted(request), initial={"origins": "\n".join(user.partner.return_origins)})
    if _sure(form, user):
        partner_settings.set_return_origins(_by(request, user), form.cleaned_data["origins"])
        return _saved(request)
    return _asking(request, user, "origins", form)


@posts
@signed_in
def webhook_address(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    form = WebhookAddress(posted(request), initial={"url": user.partner.webhook_url})
    if _sure(form, user):
        partner_settings.set_webhook_url(_by(request, user), form.cleaned_data["url"])
        return _saved(request)
    return _asking(request, user, "webhook_address", form)


@posts
@signed_in
def webhook_secret(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    """The new secret is the answer to the POST itself: it is nowhere else, and a reload makes none."""
    form = Confirmed(posted(request))
    if _sure(form, user):
        rotated = partner_settings.rotate_webhook_secret(_by(request, user))
        return page(request, "secret", {"secret": rotated.secret, "until": rotated.previous_until}, user=user)
    return _asking(request, user, "webhook_secret", form)


@posts
@signed_in
def new_key(request: HttpRequest, user: PartnerUser) -> HttpResponse:
    form = NewKey(posted(request))
    if _sure(form, user):
        try:
            secret = partner_settings.make_key(_by(request, user), live=form.cleaned_data["kind"] == "live")
        except Refused:
            form.add_error("kind", _("이 종류의 열쇠가 이미 두 개 있어요. 하나를 없앤 뒤 만들어 주세요."))
        else:
            return page(request, "key", {"secret": secret}, user=user)
    return _asking(request, user, "new_key", form, most=AT_A_TIME)


@posts
@signed_in
def revoke_key(request: HttpRequest, user: PartnerUser, pk: uuid.UUID) -> HttpResponse:
    """Asks once more, with the consequence in words."""
    key = _my_key(user, pk)
    form = Confirmed(posted(request))
    if _sure(form, user):
        try:
            partner_settings.revoke_key(_by(request, user), pk)
        except ApiKey.DoesNotExist as error:  # somebody else was faster
            raise Http404 from error
        return _saved(request)
    return _asking(request, user, "revoke_key", form, key=key)


@posts
@signed_in
def allowed_addresses(request: HttpRequest, user: PartnerUser, pk: uuid.UUID) -> HttpResponse:
    key = _my_key(user, pk)
    form = AllowedAddresses(posted(request), initial={"networks": "\n".join(key.allowed_ips)})
    if _sure(form, user):
        try:
            partner_settings.allow(_by(request, user), pk, form.cleaned_data["networks"])
        except ApiKey.DoesNotExist as error:
            raise Http404 from error
        return _saved(request)
    return _asking(request, user, "allowed_addresses", form, key=key)


def _sure(form: Confirmed, user: PartnerUser) -> bool:
    """Everything typed is right, and then the code as well: a slip elsewhere does not use it up."""
    if not form.is_valid():
        return False
    proved = partner_access.confirm(user, form.cleaned_data["token"])
    if not proved:
        form.add_error("token", _("코드가 맞지 않아요. 앱에 보이는 새 코드를 입력해 주세요."))
    return proved


def _asking(request: HttpRequest, user: PartnerUser, template: str, form: Confirmed, **more: Any) -> HttpResponse:
    return page(request, template, {"form": form, **more}, user=user, status=422 if form.errors else 200)


def _saved(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("바꿨어요. 바꾼 기록에 남겼어요."))
    return see_other(reverse("partner-console-settings"))


def _by(request: HttpRequest, user: PartnerUser) -> By:
    return By(user, request.META["REMOTE_ADDR"])


def _my_key(user: PartnerUser, pk: uuid.UUID) -> ApiKey:
    return get_object_or_404(ApiKey, pk=pk, partner=user.partner_id, revoked_at=None)


def _deliveries(user: PartnerUser) -> Any:
    newest = Prefetch("log", WebhookAttempt.objects.order_by("-at", "-id")[:SHOWN_ATTEMPTS], to_attr="newest")
    return WebhookDelivery.objects.filter(partner=user.partner_id).prefetch_related(newest)


urlpatterns = [
    path("", overview, name="partner-console"),
    path("sign-in", sign_in, name="partner-console-sign-in"),
    path("sign-out", sign_out, name="partner-console-sign-out"),
    path("verifications", verifications, name="partner-console-verifications"),
    path("verifications/<uuid:pk>", verification, name="partner-console-verification"),
    path("webhooks", webhook_log, name="partner-console-webhooks"),
    path("webhooks/<uuid:pk>/replay", replay, name="partner-console-replay"),
    path("settings", console_settings, name="partner-console-settings"),
    path("settings/origins", return_origins, name="partner-console-origins"),
    path("settings/webhook", webhook_address, name="partner-console-webhook-address"),
    path("settings/webhook/secret", webhook_secret, name="partner-console-webhook-secret"),
    path("settings/keys/new", new_key, name="partner-console-new-key"),
    path("settings/keys/<uuid:pk>/revoke", revoke_key, name="partner-console-revoke-key"),
    path("settings/keys/<uuid:pk>/addresses", allowed_addresses, name="partner-console-addresses"),
    path("changes", changes, name="partner-console-changes"),
]
