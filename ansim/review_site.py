"""The monthly review of the record of access at the desk, and its export."""

import re
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from ansim import audit, review, staff_sign_in
from ansim.desk_auth import actor, at_the_desk, page, refused
from ansim.desk_forms import WRONG_TOKEN, Export, SignOff
from ansim.lib import birth
from ansim.lib.problem import Refused
from ansim.models import Agent
from ansim.record_models import Action

posts = require_http_methods(["GET", "HEAD", "POST"])


@posts
@at_the_desk("ansim.review_record")
def month_review(request: HttpRequest, agent: Agent) -> HttpResponse:
    """One month, the last one unless told; its sign-off once it is over. Looking at it is on record as well."""
    month = _month(request.GET.get("month", ""))
    form = SignOff(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _sign(request, month, form.cleaned_data["note"].strip())
    with transaction.atomic():
        audit.record(actor(request), Action.LOOK, what=f"review.{month:%Y-%m}")
    shown: dict[str, Any] = {
        "title": _("접속기록 점검"), "review": review.of(month, by=actor(request)), "form": form,
        "before": review.before(month), "after": review.after(month) if month < birth.today().replace(day=1) else None,
    }  # fmt: skip
    return page(request, "review", shown, status=422 if form.errors else 200)


def _sign(request: HttpRequest, month: date, note: str) -> HttpResponse:
    try:
        signed = review.sign(month, by=actor(request), note=note)
    except Refused as refusal:
        why = _("이미 점검을 마친 달이거나 아직 끝나지 않은 달입니다.")
        if refusal.code == "own":
            why = _("본인이 먼저 서명한 달입니다. 다른 사람이 한 번 더 서명해야 끝납니다.")
        return refused(request, what="review.impossible", why=why, status=409)
    if signed.is_done:
        messages.success(request, _("점검을 마쳤습니다. 누가 언제 마쳤는지 기록에 남습니다."))
    else:
        messages.success(request, _("서명했습니다. 다른 사람이 한 번 더 서명하면 점검이 끝납니다."))
    return HttpResponseRedirect(f"{reverse('desk-review')}?month={month:%Y-%m}", status=303)


def _month(text: str) -> date:
    """404 for what is no month, or one to come."""
    if not text:
        return review.last_month()
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", text, re.ASCII):
        raise Http404
    month = date.fromisoformat(f"{text}-01")
    if month > birth.today():
        raise Http404
    return month


@sensitive_post_parameters()
@posts
@at_the_desk("ansim.view_accessrecord")
def export(request: HttpRequest, agent: Agent) -> HttpResponse:
    """A month of the record as a table, for a reason and a fresh one-time code."""
    form = Export(request.POST or None, initial={"month": f"{review.last_month():%Y-%m}"})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if staff_sign_in.confirm(agent, given["otp_token"], address=request.META["REMOTE_ADDR"]):
            lines = review.export(given["month"], by=actor(request), reason=given["reason"].strip())
            answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="access-record-{given["month"]:%Y-%m}.csv"'
            return cast(HttpResponse, answer)
        form.add_error("otp_token", WRONG_TOKEN)
    shown = {"form": form, "title": _("접속기록 내려받기")}
    return page(request, "export", shown, status=422 if form.errors else 200)


urlpatterns = [
    path("review/", month_review, name="desk-review"),
    path("record/export/", export, name="desk-export"),
]
