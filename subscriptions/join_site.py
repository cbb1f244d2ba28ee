"""Joining on the web (mission.md S4, S5, S7; ui.md 5): what is needed, consents, the proof, the verdict, the app.

Between the steps nothing is stored but in the browser's own sealed cookie: who is refused or thinks better of it left
nothing here. A step that comes out of turn, too late or from another browser starts over.
"""

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ansim.lib import masking
from ansim.lib.problem import Unavailable
from ansim.lib.sealed_cookie import SealedCookie
from subscriptions import activation_pages, consents, enrolment, forecast, waiting_door
from subscriptions import proof_pages as pages
from subscriptions.join_forms import ConsentForm
from subscriptions.join_pages import reasons
from subscriptions.models import Consent
from subscriptions.proving import Person
from subscriptions.public_pages import text

ROAD = SealedCookie("join", "/join", life=1800)
APP = SealedCookie("join-app", "/join", life=86_400)


def _page(request: HttpRequest, name: str, /, *, title: str, **more: Any) -> HttpResponse:
    return render(request, f"subscriptions/join/{name}.html", {"title": title, **more})


@require_safe
@pages.private
def start(request: HttpRequest) -> HttpResponse:
    """Step 1: who can join and what it costs, without asking for anything."""
    unfinished, over = activation_pages.subscription_of(request, APP), ROAD.read(request).get("over")
    response = _page(
        request,
        "start",
        title=_("가입하기"),
        description=_("SKT 회선이고 본인 명의면 3분 안에 가입해요. 가입 조건과 요금을 먼저 알려드려요."),
        monthly=forecast.monthly(),
        over=over,
        unfinished=unfinished is not None and unfinished.line.device_id is None,
    )
    if over:  # said once
        ROAD.forget(response)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
@waiting_door.by_turn
def agree(request: HttpRequest) -> HttpResponse:
    """Step 2: what is agreed to. From here to the window, or on to the last page where the person is proved already."""
    said, documents = ROAD.read(request), consents.asked_now()
    if request.method != "POST":
        ticked = [uuid.UUID(one) for one in said.get("documents", ())]
        return _consents(request, ConsentForm(documents, ticked=ticked), outdated=said.get("outdated", False))
    form = ConsentForm(documents, request.POST)
    if not form.is_valid():
        return _consents(request, form)
    agreed = {"documents": [str(one) for one in form.ticked()], "ticked_at": timezone.now().isoformat()}
    if pages.person(said):
        response = pages.see_other("join-confirm")
        ROAD.give(response, {**agreed, "verification": said["verification"]})
        return response
    return pages.send(request, purpose="join", back="join-proved", cookie=ROAD, said=agreed)


def _consents(request: HttpRequest, form: ConsentForm, *, outdated: bool = False) -> HttpResponse:
    title = _("약관 동의")
    title = _("오류: %(title)s") % {"title": title} if form.errors else title
    return _page(request, "consents", title=title, form=form, boxes=form.boxes(), outdated=outdated, noindex=True)


@require_safe
@pages.private
def proved(request: HttpRequest) -> HttpResponse:
    """Where the window comes back to. Its query is not looked at: the cookie knows which proof this browser began."""
    said = ROAD.read(request)
    if pages.person(said):
        return pages.see_other("join-confirm")
    return pages.unproved(request, said, again="join-again", back="join") or _over()


@require_http_methods(["POST"])
@pages.private
def again(request: HttpRequest) -> HttpResponse:
    """Another proof, with what was ticked before."""
    said = ROAD.read(request)
    if "documents" not in said:
        return _over()
    agreed = {name: said[name] for name in ("documents", "ticked_at")}
    return pages.send(request, purpose="join", back="join-proved", cookie=ROAD, said=agreed)


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
@waiting_door.few_at_once
def confirm(request: HttpRequest) -> HttpResponse:
    """Steps 3a and 4: the verdict on the line that was proved, or everything once more with the price in the button."""
    said = ROAD.read(request)
    person = pages.person(said)
    if person is None:  # the form again, after it has joined: the same next page
        return pages.see_other("join-app") if activation_pages.subscription_of(request, APP) else _over()
    try:
        return _join(request, person, said) if request.method == "POST" else _last_look(request, person, said)
    except Unavailable:
        return pages.away(request)
    except (enrolment.Unknown, enrolment.ProofUsed):
        return _over()


def _last_look(request: HttpRequest, person: Person, said: dict[str, Any]) -> HttpResponse:
    facts, why_not = enrolment.verdict(person.phone)
    if facts.contract != person.line.contract:
        raise enrolment.ProofUsed
    if why_not == ["already_joined"]:
        return _page(request, "member", title=_("이미 가입한 번호예요"), noindex=True)
    if why_not:
        return _page(
            request, "refused", title=_("지금은 가입할 수 없어요"), reasons=reasons(why_not, facts), noindex=True
        )
    documents = [one for one in consents.asked_now() if str(one.pk) in said["documents"]]
    return _page(
        request,
        "confirm",
        title=_("이대로 가입할까요?"),
        phone=masking.phone(person.phone),
        name=masking.name(person.name),
        bill=forecast.of_joining(person.line),
        agreed=[text(document, "title") for document in documents],
        noindex=True,
    )


def _join(request: HttpRequest, person: Person, said: dict[str, Any]) -> HttpResponse:
    agreed = consents.Agreement(
        frozenset(uuid.UUID(one) for one in said["documents"]), Consent.Channel.WEB,
        datetime.fromisoformat(said["ticked_at"]),
    )  # fmt: skip
    try:
        joined = enrolment.join_proved(person, agreed=agreed)
    except enrolment.NotEligible:
        return pages.see_other("join-confirm")  # which tells why
    except consents.Outdated:
        response = pages.see_other("join-consents")
        ROAD.give(response, {**said, "outdated": True})
        return response
    response = pages.see_other("join-app")
    ROAD.forget(response)
    activation_pages.give(response, APP, joined)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
@waiting_door.leaves
def app(request: HttpRequest) -> HttpResponse:
    """Step 5: the code for the app, in the browser that joined, for a day."""
    subscription = activation_pages.subscription_of(request, APP)
    if subscription is None:
        return _over()
    if request.method == "POST":
        return activation_pages.renew(APP, subscription, request, page="join-app")
    title = _("가입했어요. 앱을 등록하면 보호가 시작돼요")
    return activation_pages.show(request, APP, subscription, page="join-app", title=title, joining=True)


@require_safe
@pages.private
def app_state(request: HttpRequest) -> HttpResponse:
    return activation_pages.state(request, APP)


def _over() -> HttpResponse:
    """Out of turn, too late, another browser: from the beginning, and why."""
    response = pages.see_other("join")
    ROAD.give(response, {"over": True})
    return response


urlpatterns = [
    re_path(r"^join/?$", start, name="join"),
    path("join/consents", agree, name="join-consents"),
    path("join/proved", proved, name="join-proved"),
    path("join/again", again, name="join-again"),
    path("join/confirm", confirm, name="join-confirm"),
    path("join/app", app, name="join-app"),
    path("join/app/state", app_state, name="join-app-state"),
]
