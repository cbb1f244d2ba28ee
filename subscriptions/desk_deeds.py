"""What can be done for a customer at the desk, as a table: each deed has a page of its own that says what will happen.

What turns protection down only begins here: it waits a day, the phone is told, one tap there stops it (invariant 6).
Where no phone could stop it, a second person has to approve it first. What turns it up is done at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from ansim import audit, rates
from ansim.audit import Actor
from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from ansim.models import AccessRecord, Agent
from ansim.record_models import Action
from pushes import delivery
from subscriptions import case_words, pending, sms
from subscriptions.customer_record import Customer
from subscriptions.models import PendingChange
from verification import controls, not_me, protection, registration
from verification.models import Line

Text = str | Promise
Kind = PendingChange.Kind
LINKS_A_DAY = 3


@dataclass(frozen=True)
class Deed:
    """`title` is also what its button says. `impossible`: why this agent cannot do it now ("" when they can). `do`
    returns what is said afterwards. `dangerous`: takes a fresh one-time code. `checks`: what the agent must have done.
    """

    title: Text
    permission: str
    impossible: Callable[[Customer, Agent], str]
    consequences: Callable[[Customer], list[str]]
    do: Callable[[Customer, Agent, Actor, str], str]
    checks: tuple[Text, ...] = ()
    dangerous: bool = False
    facts: Callable[[Customer], list[tuple[Text, Text]]] = lambda customer: []
    """What there is to read before."""


CALLER = lazy("전화한 사람의 이름과 생년월일이 화면과 같습니다.")
UNDERSTOOD = lazy("하루 뒤에 이루어지고 그 전에 멈출 수 있음을 알렸습니다.")
WITH_APP = lazy("고객이 앱을 쓸 수 있으면 웹에서 바로 해지할 수 있음을 알렸습니다.")
WITH_PASSWORD = lazy("옛 앱 비밀번호를 알면 접수 없이 바로 다시 등록할 수 있음을 알렸습니다.")


def _due(customer: Customer) -> str:
    if customer.line.device is None:
        return _("책임자가 승인해야 시작하고, 승인한 때부터 하루 뒤에 이루어집니다.")
    due = timezone.localtime(timezone.now() + timedelta(seconds=settings.CANCELLATION_DELAY))
    return _("%(at)s에 이루어집니다.") % {"at": f"{due:%Y-%m-%d %H:%M}"}


def _told(customer: Customer) -> str:
    if customer.line.device is None:
        return _("등록된 앱이 없어 앱으로는 알리지도, 멈추지도 못합니다. 그래서 두 사람이 합니다.")
    return _("고객 휴대폰에 바로 알림을 보냅니다. 고객이 앱에서 한 번 누르면 멈춥니다.")


def _waits(customer: Customer, kind: Kind) -> bool:
    return any(change.kind == kind for change in customer.waiting)


def _no_cancellation(customer: Customer, agent: Agent) -> str:
    if not customer.is_active:
        return _("이미 해지되었습니다.")
    return _("이미 접수되어 있습니다.") if _waits(customer, Kind.CANCELLATION) else ""


def _no_reset(customer: Customer, agent: Agent) -> str:
    if not customer.is_active:
        return _("해지된 서비스입니다.")
    return _("이미 접수되어 있습니다.") if _waits(customer, Kind.RESET) else ""


def _nothing_waits(customer: Customer, agent: Agent) -> str:
    return "" if customer.waiting else _("접수된 것이 없습니다.")


def _cancellation(customer: Customer) -> list[str]:
    return [
        _due(customer),
        _told(customer),
        _("그때 보호가 꺼지고 앱 등록이 지워지며, 인증번호는 다시 문자로 갑니다."),
        _("요금은 해지한 날까지 날짜로 셉니다."),
    ]


def _reset(customer: Customer) -> list[str]:
    return [
        _due(customer),
        _told(customer),
        _("그 뒤 고객이 본인확인을 하면 옛 앱 비밀번호 없이 앱을 다시 등록할 수 있습니다."),
        _("잠긴 앱 비밀번호도 그때 풀립니다. 새 비밀번호는 고객이 앱에서 정하고 상담원은 모릅니다."),
        _("그때까지 보호는 그대로이고, 지금 등록된 앱도 그대로 쓸 수 있습니다."),
    ]


def _ask(kind: Kind) -> Callable[[Customer, Agent, Actor, str], str]:
    def ask(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
        change = pending.ask(customer.line.contract, kind, by=agent, address=by.address, reason=reason)
        if change.awaits_approval:
            return _("접수했습니다. 다른 책임자가 승인하면 그때부터 하루 뒤에 이루어집니다.")
        at = f"{timezone.localtime(change.due_at):%Y-%m-%d %H:%M}"
        return _("접수했습니다. %(at)s에 이루어집니다. 그 전에는 고객이 앱에서 멈출 수 있습니다.") % {"at": at}

    return ask


def _stop(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
    with transaction.atomic():
        line = protection.hold(customer.line.contract)
        stopped = pending.stop(line)
        audit.record(by, Action.CHANGE, line.contract_fingerprint, what="pending_stopped", reason=reason)
    return _("멈췄습니다. 보호는 그대로 이어집니다.") if stopped else _("멈출 것이 없었습니다.")


# --- A second person ----------------------------------------------------------------------------------


def _nothing_to_approve(customer: Customer, agent: Agent) -> str:
    unapproved = [change for change in customer.waiting if change.awaits_approval]
    if not unapproved:
        return _("승인할 것이 없습니다.")
    if all(change.asked_by_id == agent.pk for change in unapproved):
        return _("본인이 접수한 것은 다른 책임자가 승인해야 합니다.")
    return ""


def _taken_down(customer: Customer) -> list[tuple[Text, Text]]:
    """Who took it down and why, as the record has it."""
    subjects, shown = fingerprint.ever("contract", customer.line.contract), list[tuple[Text, Text]]()
    for change in customer.waiting:
        if change.awaits_approval and change.asked_by:
            by = change.asked_by.get_username()
            action = pending.ACTIONS[Kind(change.kind)]
            asked = AccessRecord.objects.filter(subject__in=subjects, actor=by, action=action)
            row = asked.order_by("-number").first()
            what = _("해지 접수") if change.kind == Kind.CANCELLATION else _("앱 다시 등록 접수")
            at = f"{timezone.localtime(change.asked_at):%Y-%m-%d %H:%M}"
            shown.append((what, f"{at} · {by} · {row.reason if row else ''}"))
    return shown


def _approve(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
    approved = pending.approve(customer.line.contract, by=agent, actor=by, reason=reason)
    at = f"{timezone.localtime(approved[0].due_at):%Y-%m-%d %H:%M}"
    return _("승인했습니다. %(at)s에 이루어집니다.") % {"at": at}


# --- What turns protection up -------------------------------------------------------------------------


def _no_app(customer: Customer, agent: Agent) -> str:
    if not customer.is_active:
        return _("해지된 서비스입니다.")
    return "" if customer.line.device else _("등록된 앱이 없습니다.")


def _lost(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
    """What waits stops with it: the phone that could have stopped it is gone."""
    with transaction.atomic():
        line = protection.hold(customer.line.contract)
        if line.device is None:
            raise Refused("wrong_state")
        pending.stop(line)
        protection.revoke(line, reason="app_not_registered", notice="removed")
        audit.record(by, Action.CHANGE, line.contract_fingerprint, what="app_revoked", reason=reason)
    return _("앱 등록을 지웠습니다. 보호는 이어지고, 앱을 다시 등록할 때까지 아무도 인증할 수 없습니다.")


def _stopped_already(customer: Customer, agent: Agent) -> str:
    if not customer.is_active:
        return _("해지된 서비스입니다.")
    return _("이미 모두 막는 중입니다.") if customer.line.stop_all else ""


def _stop_all(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
    with transaction.atomic():
        line = protection.hold(customer.line.contract)
        if line.protection == Line.Protection.OFF:
            raise Refused("wrong_state")
        controls.stop_all(line)
        registration.tell(line, "agent_acted")
        audit.record(by, Action.CHANGE, line.contract_fingerprint, what="stop_all", reason=reason)
    return _("모두 막기를 켰습니다. 고객이 앱에서 끌 때까지 아무도 인증할 수 없습니다.")


def _ended(customer: Customer, agent: Agent) -> str:
    return "" if customer.is_active else _("해지된 서비스입니다.")


def _send_link(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
    rule = rates.Rule(f"install-link:{customer.line.pk}", LINKS_A_DAY, seconds=86_400)
    if not rates.take(rule).allowed:
        raise Refused("too_many_requests")
    with transaction.atomic():
        line = protection.hold(customer.line.contract)
        words = sms.HOW_TO.format(address=f"{settings.BASE_URL}/how-to")
        text = delivery.text(line.phone, words, verification=None, until=timezone.now() + delivery.NOTICE_LIFE)
        text.save(force_insert=True)
        delivery.ring(text)
        audit.record(by, Action.CHANGE, line.contract_fingerprint, what="install_link", reason=reason)
    return _("설치 안내 문자를 보냈습니다.")


# --- What the owner reported --------------------------------------------------------------------------


def _no_case(customer: Customer, agent: Agent) -> str:
    return "" if case_words.oldest(customer) else _("신고한 인증이 없습니다.")


def _close_case(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
    with transaction.atomic():
        line = protection.hold(customer.line.contract)
        case = case_words.oldest(customer)
        if case is None:
            raise Refused("wrong_state")
        not_me.close(case.pk, line=line, by=agent, note=reason)
        audit.record(by, Action.CHANGE, line.contract_fingerprint, what="case_closed", reason=reason)
    return _("신고를 끝냈습니다.")


DEEDS = {
    "cancel": Deed(
        lazy("해지 접수하기"), "ansim.ask_cancellation", _no_cancellation, _cancellation,
        _ask(Kind.CANCELLATION), (CALLER, UNDERSTOOD, WITH_APP),
        dangerous=True,
    ),
    "reset": Deed(
        lazy("앱 다시 등록 접수하기 (비밀번호 잠김·잊음)"), "ansim.ask_reset", _no_reset, _reset,
        _ask(Kind.RESET), (CALLER, UNDERSTOOD, WITH_PASSWORD),
        dangerous=True,
    ),
    "stop": Deed(
        lazy("접수한 것 멈추기"), "ansim.stop_pending", _nothing_waits,
        lambda customer: [_("접수되어 기다리는 해지와 앱 다시 등록이 모두 멈춥니다."), _("보호는 그대로 이어집니다.")],
        _stop,
    ),
    "approve": Deed(
        lazy("접수한 것 승인하기"), "ansim.approve_pending", _nothing_to_approve,
        lambda customer: [
            _("지금부터 하루 뒤에 이루어집니다."), _("접수한 상담원과 승인한 책임자가 함께 기록에 남습니다."),
        ],
        _approve, (lazy("접수한 까닭을 읽었고, 고객과 통화해 본인의 뜻임을 확인했습니다."),),
        dangerous=True, facts=_taken_down,
    ),
    "lost": Deed(
        lazy("분실: 앱 등록 지우기"), "ansim.revoke_app", _no_app,
        lambda customer: [
            _("바로 이루어지고, 지우는 휴대폰에 알립니다."),
            _("그 휴대폰으로는 아무것도 할 수 없고, 진행 중인 인증은 끝납니다."),
            _("보호는 이어집니다. 앱을 다시 등록할 때까지 아무도 인증할 수 없고 문자로도 가지 않습니다."),
            _("접수되어 기다리는 것이 있으면 함께 멈춥니다."),
        ],
        _lost, (CALLER,),
    ),
    "stop-all": Deed(
        lazy("요청 모두 막기"), "ansim.stop_line", _stopped_already,
        lambda customer: [
            _("바로 이루어지고, 등록된 앱이 있으면 알립니다."),
            _("진행 중인 인증은 끝나고, 고객이 앱 비밀번호로 끌 때까지 아무도 인증할 수 없습니다."),
        ],
        _stop_all, (CALLER,),
    ),
    "link": Deed(
        lazy("설치 안내 문자 보내기"), "ansim.send_install_link", _ended,
        lambda customer: [
            _("고객 휴대폰에 앱 설치와 등록 방법의 주소를 문자로 보냅니다. 번호나 코드는 없습니다."),
            _("하루에 세 번까지 보낼 수 있습니다."),
        ],
        _send_link,
    ),
    "case": Deed(
        lazy("신고한 인증 살피고 끝내기"), "verification.change_case", _no_case,
        lambda customer: [_("가장 오래된 신고 하나를 끝냅니다."), _("고객의 보호와 차단은 바뀌지 않습니다.")],
        _close_case, (lazy("고객에게 있었던 일과 할 일을 알렸습니다."),),
        facts=case_words.of_oldest,
    ),
}  # fmt: skip
