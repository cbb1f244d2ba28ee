"""For how long what is kept, at the desk: the rules, the last night's purge, and a change of one rule (supervisors)."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from ansim import audit, retention, staff_sign_in
from ansim.desk_auth import actor, at_the_desk, page
from ansim.desk_forms import WRONG_TOKEN, Period
from ansim.models import Agent, RetentionRule
from ansim.record_models import Action
from ansim.retention_models import FLOORS, Kind

posts = require_http_methods(["GET", "HEAD", "POST"])
WHY: dict[Kind, Promise] = {
    Kind.MESSAGE: lazy("보냈는지 묻는 고객에게 답하는 동안"),
    Kind.ATTEMPT: lazy("이용 사이트가 전달을 살피는 동안"),
    Kind.WEBHOOK: lazy("이용 사이트가 다시 보내 달라고 할 수 있는 동안"),
    Kind.VERIFICATION: lazy("고객이 인증이력을 보고 이용 사이트가 영수증을 찾는 동안"),
    Kind.DEVICE: lazy("바꾼 휴대폰에 관한 문의에 답하는 동안"),
    Kind.EVENT: lazy("통신사와 맞춰 보는 동안"),
    Kind.CASE: lazy("소비자 불만과 분쟁의 기록은 3년 (전자상거래법)"),
    Kind.SUBSCRIPTION: lazy("계약과 대금의 기록은 5년 (전자상거래법)"),
    Kind.STAFF: lazy("권한과 설정을 바꾼 기록은 3년 (안전성 확보조치 기준)"),
    Kind.RECORD: lazy("열람은 2년, 권한 변경은 3년 (안전성 확보조치 기준). 한 사슬이라 함께 3년"),
}
FIXED: tuple[tuple[Promise, Promise], ...] = (
    (lazy("이용 사이트가 읽는 본인확인 결과"), lazy("성공한 뒤 10분")),
    (lazy("다르게 입력된 정보의 흔적, 틀린 등록 코드"), lazy("1시간")),
    (lazy("같은 요청을 알아보는 열쇠와 첫 답"), lazy("1일")),
    (lazy("문자와 알림의 내용, 봉인한 인증번호"), lazy("쓸 수 있는 동안")),
    (lazy("고객과 직원이 들어온 화면"), lazy("끝난 뒤 1일")),
)
"""What is no matter of policy: the protocol says so, and the clock does it within the minute."""


@dataclass(frozen=True)
class Row:
    kind: Kind
    rule: RetentionRule
    least: int
    why: Promise | str


@require_safe
@at_the_desk("ansim.view_retentionrule")
def rules(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Reading them is on record like any list."""
    with transaction.atomic():
        audit.record(actor(request), Action.LOOK, what="retention.list")
    found = {rule.kind: rule for rule in RetentionRule.objects.all()}
    last = retention.last()
    shown: dict[str, Any] = {
        "title": _("보관 기간"),
        "rows": [Row(kind, found[kind], FLOORS[kind], WHY.get(kind, "")) for kind in Kind if kind in found],
        "fixed": FIXED,
        "last": last,
        "removed": f"{sum(last.removed.values()):,}" if last else "0",
    }
    return page(request, "retention", shown)


@sensitive_post_parameters()
@posts
@at_the_desk("ansim.change_retentionrule")
def change(request: HttpRequest, agent: Agent, kind: str) -> HttpResponse:
    """One rule, for a reason and a fresh one-time code; never below what the law says."""
    if kind not in Kind.values:
        raise Http404
    chosen = Kind(kind)
    kept = retention.days().get(chosen, FLOORS[chosen])
    form = Period(request.POST or None, initial={"days": kept}, least=FLOORS[chosen])
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if staff_sign_in.confirm(agent, given["otp_token"], address=request.META["REMOTE_ADDR"]):
            retention.change(chosen, given["days"], by=actor(request), reason=given["reason"].strip())
            messages.success(request, _("보관 기간을 바꿨습니다. 오늘 밤부터 새 기간으로 지웁니다."))
            return HttpResponseRedirect(reverse("desk-retention"), status=303)
        form.add_error("otp_token", WRONG_TOKEN)
    shown = {"title": _("보관 기간 바꾸기"), "kind": chosen, "form": form, "why": WHY.get(chosen, "")}
    return page(request, "retention_change", shown, status=422 if form.errors else 200)


urlpatterns = [
    path("retention/", rules, name="desk-retention"),
    path("retention/<slug:kind>/", change, name="desk-retention-change"),
]
