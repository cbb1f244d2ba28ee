"""Getting in at the desk for the first time, new recovery codes, and the record of access for those who read it."""

from typing import Any

import segno
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from ansim import audit, staff, staff_sign_in
from ansim.desk_auth import actor, at_the_desk, from_allowed_address, page
from ansim.desk_forms import WRONG_TOKEN, Confirmed, Enrolment, Invited
from ansim.models import AccessRecord, Agent
from ansim.record_models import Action, Role

ENROLLING = "desk-enrolling"
ROWS = 50


# --- Enrolling --------------------------------------------------------------------------------------


@sensitive_post_parameters()
@never_cache
def enrol(request: HttpRequest) -> HttpResponse:
    """Who was handed a code says so. Wrong ones count like wrong passwords."""
    from_allowed_address(request)
    form = Invited(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        agent = staff.invited(given["username"], given["code"])
        if staff_sign_in.guess(given["username"], request.META["REMOTE_ADDR"], right=agent is not None) and agent:
            request.session.cycle_key()
            request.session[ENROLLING] = {"username": agent.username, "code": given["code"]}
            return redirect("desk-enrol-app")
        why = _("아이디나 등록 코드가 맞지 않거나 시간이 지났습니다. 다섯 번 틀리면 15분 동안 잠깁니다.")
        form.add_error(None, why)
    return page(request, "enrol", {"form": form, "title": _("처음 등록하기")}, status=422 if form.errors else 200)


@sensitive_post_parameters()
@never_cache
def enrol_app(request: HttpRequest) -> HttpResponse:
    """The key for the authenticator app as a QR code, and a password of one's own."""
    from_allowed_address(request)
    held = request.session.get(ENROLLING) or {"username": "", "code": ""}
    agent = staff.invited(**held)
    if agent is None:
        request.session.pop(ENROLLING, None)
        return redirect("desk-enrol")
    form = Enrolment(request.POST or None, agent=agent)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        codes = staff.enrol(
            agent, code=held["code"], password=given["password"], token=given["otp_token"].strip(),
            address=request.META["REMOTE_ADDR"],
        )  # fmt: skip
        if codes:
            del request.session[ENROLLING]
            return _shown_once(request, codes)
        form.add_error("otp_token", _("코드가 맞지 않습니다. 앱에 지금 보이는 6자리를 입력하십시오."))
    return _with_qr(request, agent, form)


def _with_qr(request: HttpRequest, agent: Agent, form: Enrolment) -> HttpResponse:
    device = staff.authenticator(agent)
    picture = segno.make(staff.otpauth(device, agent), micro=False).svg_data_uri(scale=5, border=2)
    shown = {
        "form": form, "agent": agent, "picture": picture, "secret": staff.secret(device), "title": _("인증 앱 등록"),
    }  # fmt: skip
    answer = page(request, "enrol_app", shown, status=422 if form.errors else 200)
    answer["Cache-Control"] = "no-store"
    return answer


def _shown_once(request: HttpRequest, codes: list[str]) -> HttpResponse:
    answer = page(request, "recovery_codes", {"codes": codes, "title": _("복구 코드")})
    answer["Cache-Control"] = "no-store"
    return answer


@sensitive_post_parameters()
@at_the_desk()
def recovery_codes(request: HttpRequest, agent: Agent) -> HttpResponse:
    """New ones for a fresh one-time code."""
    form = Confirmed(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = request.META["REMOTE_ADDR"]
        if staff_sign_in.confirm(agent, form.cleaned_data["otp_token"], address=address):
            return _shown_once(request, staff.renew_recovery_codes(agent, address=address))
        form.add_error("otp_token", WRONG_TOKEN)
    shown = {"form": form, "title": _("복구 코드 새로 받기")}
    return page(request, "renew_recovery_codes", shown, status=422 if form.errors else 200)


# --- The record of access ---------------------------------------------------------------------------


@at_the_desk("ansim.view_accessrecord")
def record(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Newest first, by who did it and what. Reading it is on record as well."""
    typed, action = request.GET.get("actor", "").strip().replace("\0", ""), request.GET.get("action", "")
    rows = AccessRecord.objects.order_by("-number")
    if typed:
        rows = rows.filter(actor=typed)
    if action in Action.values:
        rows = rows.filter(action=action)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        rows = rows.filter(number__lt=int(before))
    with transaction.atomic():
        audit.record(actor(request), Action.LOOK, what="accessrecord.list")
    found = list(rows[: ROWS + 1])
    shown: dict[str, Any] = {
        "title": _("접속기록"),
        "rows": [(row, _role(row.role), _action(row.action)) for row in found[:ROWS]],
        "older": found[ROWS - 1].number if len(found) > ROWS else None,
        "actor": typed,
        "action": action,
        "actions": Action.choices,
    }
    return page(request, "record", shown)


def _role(roles: str) -> str:
    return ", ".join(str(Role(role).label) if role in Role.values else role for role in roles.split(","))


def _action(action: str) -> str:
    return str(Action(action).label) if action in Action.values else action


@sensitive_post_parameters()
@at_the_desk("ansim.change_agent")
def invite(request: HttpRequest, agent: Agent, agent_id: int) -> HttpResponse:
    """A new enrolment code for somebody, who hands over nothing but their presence."""
    found = Agent.objects.filter(pk=agent_id).first()
    if found is None or staff.may_manage(agent, found, ()):
        messages.error(request, _("본인이나 더 높은 역할의 등록 코드는 만들 수 없습니다. 운영 담당자에게 말하십시오."))
        return HttpResponseRedirect("/admin/ansim/agent/", status=303)
    form = Confirmed(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if staff_sign_in.confirm(agent, form.cleaned_data["otp_token"], address=request.META["REMOTE_ADDR"]):
            code = staff.invite(found, by=actor(request))
            return page(request, "enrolment_code", {"code": code, "agent": found, "title": _("등록 코드")})
        form.add_error("otp_token", WRONG_TOKEN)
    shown = {"form": form, "agent": found, "title": _("등록 코드 만들기")}
    return page(request, "invite", shown, status=422 if form.errors else 200)


urlpatterns = [
    path("enrol/", enrol, name="desk-enrol"),
    path("enrol/app/", enrol_app, name="desk-enrol-app"),
    path("recovery-codes/", recovery_codes, name="desk-recovery-codes"),
    path("record/", record, name="desk-record"),
    path("agents/<int:agent_id>/enrolment/", invite, name="desk-invite"),
]
