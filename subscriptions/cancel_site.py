"""Leaving on the web (mission.md S10, invariant 6; ui.md 5): what ends, the proof by the app, the deed, the receipt.

The explanation stands before everything. Without the phone it is the call centre's, which takes a day.
"""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ansim.lib import masking
from ansim.lib.sealed_cookie import SealedCookie
from subscriptions import forecast, leaving
from subscriptions import proof_pages as pages
from subscriptions.cancel_forms import LeaveForm
from subscriptions.models import Subscription
from subscriptions.proving import Person

ROAD = SealedCookie("cancel", "/cancel", life=1800)


def _page(request: HttpRequest, name: str, /, *, title: str, **more: Any) -> HttpResponse:
    return render(request, f"subscriptions/cancel/{name}.html", {"title": title, **more})


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
def start(request: HttpRequest) -> HttpResponse:
    """What ends, when, and the two ways; POST begins the proof."""
    if request.method == "POST":
        return pages.send(request, purpose="other", back="cancel-proved", cookie=ROAD, said={})
    over = ROAD.read(request).get("over")
    response = _page(
        request,
        "start",
        title=_("해지하기"),
        description=_("해지하면 무엇이 바뀌는지, 앱이 있을 때와 휴대폰이 없을 때 어떻게 해지하는지 알려드려요."),
        over=over,
    )
    if over:  # said once
        ROAD.forget(response)
    return response


@require_safe
@pages.private
def proved(request: HttpRequest) -> HttpResponse:
    """Where the window comes back to. Its query is not looked at: the cookie knows which proof this browser began."""
    said = ROAD.read(request)
    if pages.person(said):
        return pages.see_other("cancel-confirm")
    return pages.unproved(request, said, again="cancel", back="cancel") or _over()


@require_http_methods(["GET", "HEAD", "POST"])
@pages.private
def confirm(request: HttpRequest) -> HttpResponse:
    """The last look, with the bill to the won; POST cancels, and the same form again cancels nothing more."""
    said = ROAD.read(request)
    if request.method == "POST" and "verification" in said:
        return _leave(request, said)
    person = pages.person(said)
    if person is None:
        return _over()
    subscription = person.line.subscriptions.filter(state=Subscription.State.ACTIVE).first()
    if subscription is None:
        text = _("이 번호로 가입한 서비스가 없어요. 해지할 것도 요금도 없어요.")
        return pages.told(
            request, title=_("가입하지 않은 번호예요"), text=text, kind="info", link="/", label=_("처음으로 가기")
        )
    if not person.by_app:
        return _by_app(request)
    return _last_look(request, person, subscription)


def _last_look(request: HttpRequest, person: Person, subscription: Subscription) -> HttpResponse:
    return _page(
        request,
        "confirm",
        title=_("해지할까요?"),
        phone=masking.phone(person.phone),
        joined_at=subscription.joined_at,
        bill=forecast.of_leaving(person.line),
        form=LeaveForm(),
        noindex=True,
    )


def _leave(request: HttpRequest, said: dict[str, Any]) -> HttpResponse:
    form = LeaveForm(request.POST)
    answer = form.cleaned_data["answer"] if form.is_valid() else ""  # a forged answer is none
    try:
        left = leaving.cancel_proved(uuid.UUID(said["verification"]), answer=answer)
    except (leaving.ProofNeeded, Subscription.DoesNotExist):
        return _over()
    response = pages.see_other("cancel-done")
    ROAD.give(response, {"verification": said["verification"], "left": str(left.pk)})
    return response


def _by_app(request: HttpRequest) -> HttpResponse:
    """Proved by SMS, which a temporary release allows: enough for a shop, not for leaving."""
    text = _("해지하려면 안심 앱으로 확인해야 해요. 일시 해제가 끝난 뒤 다시 해 주세요.")
    return pages.told(request, title=_("앱으로 확인해 주세요"), text=text, link="/cancel")


@require_safe
@pages.private
def done(request: HttpRequest) -> HttpResponse:
    """What ended, when, and what was charged; for the browser that did it, half an hour."""
    left = ROAD.read(request).get("left")
    subscription = Subscription.objects.select_related("line").filter(pk=uuid.UUID(left)).first() if left else None
    if subscription is None:
        return _over()
    return _page(
        request,
        "done",
        title=_("해지했어요"),
        reference=subscription.pk.hex[:8].upper(),
        ended_at=subscription.ended_at,
        bill=forecast.of_leaving(subscription.line),
        noindex=True,
    )


def _over() -> HttpResponse:
    """Out of turn, too late, another browser, used before: from the beginning, and why."""
    response = pages.see_other("cancel")
    ROAD.give(response, {"over": True})
    return response


urlpatterns = [
    re_path(r"^cancel/?$", start, name="cancel"),
    path("cancel/proved", proved, name="cancel-proved"),
    path("cancel/confirm", confirm, name="cancel-confirm"),
    path("cancel/done", done, name="cancel-done"),
]
