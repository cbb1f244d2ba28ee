"""What can be done for a customer at the desk, as a table: each deed has a page of its own that says what will happen.

What turns protection down only begins here: it waits a day, the phone is told, one tap there stops it (invariant 6).
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

from ansim import audit
from ansim.audit import Actor
from ansim.models import Agent
from ansim.record_models import Action
from subscriptions import pending
from subscriptions.customer_record import Customer
from subscriptions.models import PendingChange
from verification import protection

Text = str | Promise
Kind = PendingChange.Kind


@dataclass(frozen=True)
class Deed:
    """`title` is also what its button says. `impossible` says why it cannot be done now ("" when it can); `do` returns
    what is said when it was done. `dangerous`: takes a fresh one-time code. `checks`: what the agent has to have done.
    """

    title: Text
    permission: str
    impossible: Callable[[Customer], str]
    consequences: Callable[[Customer], list[str]]
    do: Callable[[Customer, Agent, Actor, str], str]
    checks: tuple[Text, ...] = ()
    dangerous: bool = False


CALLER = lazy("전화한 사람의 이름과 생년월일이 화면과 같습니다.")
UNDERSTOOD = lazy("하루 뒤에 이루어지고 그 전에 멈출 수 있음을 알렸습니다.")
WITH_APP = lazy("고객이 앱을 쓸 수 있으면 웹에서 바로 해지할 수 있음을 알렸습니다.")
WITH_PASSWORD = lazy("옛 앱 비밀번호를 알면 접수 없이 바로 다시 등록할 수 있음을 알렸습니다.")


def _due() -> str:
    due = timezone.localtime(timezone.now() + timedelta(seconds=settings.CANCELLATION_DELAY))
    return _("%(at)s에 이루어집니다.") % {"at": f"{due:%Y-%m-%d %H:%M}"}


def _told(customer: Customer) -> str:
    if customer.line.device is None:
        return _("등록된 앱이 없어 앱으로는 알리지 못합니다.")
    return _("고객 휴대폰에 바로 알림을 보냅니다. 고객이 앱에서 한 번 누르면 멈춥니다.")


def _waits(customer: Customer, kind: Kind) -> bool:
    return any(change.kind == kind for change in customer.waiting)


def _no_cancellation(customer: Customer) -> str:
    if not customer.is_active:
        return _("이미 해지되었습니다.")
    return _("이미 접수되어 있습니다.") if _waits(customer, Kind.CANCELLATION) else ""


def _no_reset(customer: Customer) -> str:
    if not customer.is_active:
        return _("해지된 서비스입니다.")
    return _("이미 접수되어 있습니다.") if _waits(customer, Kind.RESET) else ""


def _nothing_waits(customer: Customer) -> str:
    return "" if customer.waiting else _("접수된 것이 없습니다.")


def _cancellation(customer: Customer) -> list[str]:
    return [
        _due(),
        _told(customer),
        _("그때 보호가 꺼지고 앱 등록이 지워지며, 인증번호는 다시 문자로 갑니다."),
        _("요금은 해지한 날까지 날짜로 셉니다."),
    ]


def _reset(customer: Customer) -> list[str]:
    return [
        _due(),
        _told(customer),
        _("그 뒤 고객이 본인확인을 하면 옛 앱 비밀번호 없이 앱을 다시 등록할 수 있습니다."),
        _("그때까지 보호는 그대로이고, 지금 등록된 앱도 그대로 쓸 수 있습니다."),
    ]


def _ask(kind: Kind) -> Callable[[Customer, Agent, Actor, str], str]:
    def ask(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
        change = pending.ask(customer.line.contract, kind, by=agent, address=by.address, reason=reason)
        at = f"{timezone.localtime(change.due_at):%Y-%m-%d %H:%M}"
        return _("접수했습니다. %(at)s에 이루어집니다. 그 전에는 고객이 앱에서 멈출 수 있습니다.") % {"at": at}

    return ask


def _stop(customer: Customer, agent: Agent, by: Actor, reason: str) -> str:
    with transaction.atomic():
        line = protection.hold(customer.line.contract)
        stopped = pending.stop(line)
        audit.record(by, Action.CHANGE, line.contract_fingerprint, what="pending_stopped", reason=reason)
    return _("멈췄습니다. 보호는 그대로 이어집니다.") if stopped else _("멈출 것이 없었습니다.")


DEEDS = {
    "cancel": Deed(
        lazy("해지 접수하기"), "ansim.ask_cancellation", _no_cancellation, _cancellation,
        _ask(Kind.CANCELLATION), (CALLER, UNDERSTOOD, WITH_APP),
        dangerous=True,
    ),
    "reset": Deed(
        lazy("앱 다시 등록 접수하기"), "ansim.ask_reset", _no_reset, _reset,
        _ask(Kind.RESET), (CALLER, UNDERSTOOD, WITH_PASSWORD),
        dangerous=True,
    ),
    "stop": Deed(
        lazy("접수한 것 멈추기"), "ansim.stop_pending", _nothing_waits,
        lambda customer: [_("접수되어 기다리는 해지와 앱 다시 등록이 모두 멈춥니다."), _("보호는 그대로 이어집니다.")],
        _stop,
    ),
}  # fmt: skip
