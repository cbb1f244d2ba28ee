"""My page: what a customer sees of the service and changes about it on the web (mission.md section 2; ui.md 5, /my).

Signed in by the app's verification. What turns protection up is one press; what turns it down starts another proof by
the app, and the wish waits in the browser's sealed cookie until it comes back (invariant 6). Every page is the
session's own: no address names a line, a number or a customer.
"""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, re_path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST, require_safe

from ansim import rates
from ansim.lib.problem import Refused
from subscriptions import consents, my_auth, pending, proving, sessions
from subscriptions import my_pages as pages
from subscriptions.models import Consent, CustomerSession
from subscriptions.my_auth import Begun, private, see_other, signed_in
from verification import controls, regions, releases, window_auth
from verification.controls import Controls

PROOFS_PER_MINUTE = 30  # begun from one address


# --- Coming and going -------------------------------------------------------------------------------


@require_safe
def my(request: HttpRequest) -> HttpResponse:
    """Everything at a glance; who is not signed in is told how."""
    session = my_auth.current(request)
    if session is None:
        return private(render(request, "subscriptions/my/sign_in.html", {"noindex": True}))
    return private(pages.page(request, "overview", session, **pages.overview(session)))


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    return _prove(request, "login", wish=None)


def _prove(request: HttpRequest, purpose: str, *, wish: dict[str, str] | None) -> HttpResponse:
    """Send the browser to our own window; only it can come back with the result."""
    address = request.META["REMOTE_ADDR"]
    if not rates.take(rates.Rule(f"address:my:{address}", PROOFS_PER_MINUTE)).allowed:
        return _told(request, "busy", status=429)
    asked = proving.ask(purpose, back=reverse("my-back"), region=regions.shown(address), address=address)
    answer = private(see_other(asked.window))
    window_auth.give(answer, asked.verification, nonce=asked.nonce)
    my_auth.remember(answer, Begun(asked.verification, wish))
    return answer


@require_safe
def back(request: HttpRequest) -> HttpResponse:
    """From our own window. What its address says is not believed: the sealed cookie names the proof."""
    begun = my_auth.begun(request)
    if begun is None:
        return private(see_other(reverse("my")))
    return private(_fulfil(request, begun) if begun.wish else _let_in(request, begun))


def _let_in(request: HttpRequest, begun: Begun) -> HttpResponse:
    person = proving.proved(begun.verification)
    if person is None:
        return see_other(reverse("my")) if my_auth.current(request) else _told(request, "not_proved")
    try:
        region = regions.shown(request.META["REMOTE_ADDR"])
        _session, token = sessions.begin(person, browser=my_auth.browser(request), region=region)
    except sessions.NotJoined:
        return _told(request, "not_joined")
    except sessions.NotProved:
        return _told(request, "not_by_app")
    answer = see_other(reverse("my"))
    my_auth.let_in(request, answer, token)
    my_auth.PROOF.forget(answer)
    return answer


def _told(request: HttpRequest, why: str, *, status: int = 200) -> HttpResponse:
    context = {"why": why, "noindex": True}
    return private(render(request, "subscriptions/my/told.html", context, status=status))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    session = my_auth.current(request)
    if session:
        sessions.end(session.subscription, only=session.pk)
    answer = private(see_other(reverse("my")))
    my_auth.let_out(answer)
    return answer


@require_POST
@signed_in
def stay(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    """Pressed shortly before the end: to have asked is to have used it."""
    return JsonResponse({"seconds_left": pages.seconds_left(session)})


@require_safe
@signed_in
def all_sessions(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    """Where this customer is signed in."""
    return pages.page(request, "sessions", session, sessions=sessions.alive(session.subscription))


@require_POST
@signed_in
def end_sessions(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    """One of the list, or all of them; whose is the present one is signed out with it."""
    only = _uuid(request.POST.get("session", ""))
    if request.POST.get("session") != "all" and only is None:
        raise Http404
    if sessions.end(session.subscription, only=only):
        messages.success(request, _("로그인을 끝냈어요."))
    return see_other(reverse("my-sessions"))


# --- Protection -------------------------------------------------------------------------------------

# What can be wished: how it changes the controls, and what is said when it is done.
Turn = Callable[[Controls, frozenset[uuid.UUID]], Controls]
WISHES: dict[str, tuple[Turn, str | Promise]] = {
    "stop_all": (
        lambda former, _chosen: Controls(stop_all=True, blocked_partners=former.blocked_partners),
        lazy("모두 막기를 켰어요. 이제 어느 사이트도 이 번호로 인증할 수 없어요."),
    ),
    "allow_all": (
        lambda former, _chosen: Controls(stop_all=False, blocked_partners=former.blocked_partners),
        lazy("모두 막기를 껐어요. 다시 인증할 수 있어요."),
    ),
    "block": (
        lambda former, chosen: Controls(former.stop_all, former.blocked_partners | chosen),
        lazy("차단했어요. 이 사이트는 이제 이 번호로 인증할 수 없어요."),
    ),
    "unblock": (
        lambda former, chosen: Controls(former.stop_all, former.blocked_partners - chosen),
        lazy("차단을 풀었어요. 이 사이트가 다시 인증을 요청할 수 있어요."),
    ),
}


@require_POST
@signed_in
def change(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    """Stop everybody or one partner: done. The other way: to the window, and done on the way back."""
    wish = {"do": request.POST.get("do", ""), "partner": request.POST.get("partner", "")}
    partner = _uuid(wish["partner"])
    if wish["do"] not in WISHES or (wish["do"] in ("block", "unblock") and partner in (None, proving.SITE)):
        raise Http404
    try:
        _turn(session, wish, proof=None)
    except controls.ProofNeeded:
        return _prove(request, "other", wish=wish)
    except controls.UnknownPartner as error:
        raise Http404 from error
    messages.success(request, str(WISHES[wish["do"]][1]))
    return see_other(reverse("my"))


def _turn(session: CustomerSession, wish: dict[str, str], *, proof: uuid.UUID | None) -> None:
    turn, partner = WISHES[wish["do"]][0], _uuid(wish["partner"])
    chosen = frozenset([partner] if partner else [])
    controls.change_proved(session.subscription.line_id, lambda former: turn(former, chosen), proof=proof)


def _fulfil(request: HttpRequest, begun: Begun) -> HttpResponse:
    """The app said yes, to this line's own session: now it is done. Anything else changes nothing."""
    session = my_auth.current(request)
    if session is None or begun.wish is None:
        return see_other(reverse("my"))
    try:
        _turn(session, begun.wish, proof=begun.verification)
    except (controls.ProofNeeded, controls.UnknownPartner):
        messages.warning(request, _("앱에서 확인하지 않아서 바꾸지 않았어요. 모든 것이 그대로예요."))
        return see_other(reverse("my"))
    messages.success(request, str(WISHES[begun.wish["do"]][1]))
    answer = see_other(reverse("my"))
    my_auth.PROOF.forget(answer)
    return answer


@require_POST
@signed_in
def stop_pending(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    """What the desk took down: one press stops it, as in the app."""
    if pending.stop(session.subscription.line):
        messages.success(request, _("멈췄어요. 보호는 그대로 이어져요."))
    return see_other(reverse("my"))


@require_POST
@signed_in
def end_release(request: HttpRequest, session: CustomerSession, release_id: uuid.UUID) -> HttpResponse:
    """Turns protection up. Used or over a moment ago: then it is over."""
    try:
        releases.withdraw(release_id, line=session.subscription.line)
        messages.success(request, _("일시 해제를 끝냈어요. 인증번호는 다시 앱으로만 와요."))
    except Refused:
        messages.info(request, _("그 일시 해제는 이미 끝났어요."))
    return see_other(reverse("my"))


@require_POST
@signed_in
def withdraw(request: HttpRequest, session: CustomerSession, document_id: uuid.UUID) -> HttpResponse:
    """Optional consents end with one press; the required ones end with the service."""
    try:
        consents.withdraw(session.subscription, document_id, channel=Consent.Channel.WEB)
    except Refused as refusal:
        raise Http404 from refusal
    messages.success(request, _("동의를 거둬들였어요."))
    return see_other(reverse("my"))


def _uuid(typed: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(typed)
    except ValueError:
        return None


urlpatterns = [
    re_path(r"^my/?$", my, name="my"),
    path("my/sign-in", sign_in, name="my-sign-in"),
    path("my/back", back, name="my-back"),
    path("my/sign-out", sign_out, name="my-sign-out"),
    path("my/stay", stay, name="my-stay"),
    path("my/sessions", all_sessions, name="my-sessions"),
    path("my/sessions/end", end_sessions, name="my-sessions-end"),
    path("my/controls", change, name="my-controls"),
    path("my/pending/stop", stop_pending, name="my-pending-stop"),
    path("my/releases/<uuid:release_id>/end", end_release, name="my-release-end"),
    path("my/consents/<uuid:document_id>/withdraw", withdraw, name="my-consent-withdraw"),
]
