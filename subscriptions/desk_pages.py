"""What the desk's pages are made of: visits, the first page's tasks, a customer as it is shown, masked."""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from ansim.desk_auth import KEY
from ansim.lib import fingerprint, masking
from ansim.models import AccessRecord, Agent
from ansim.record_models import Action
from pushes.models import Message
from subscriptions import pending
from subscriptions.customer_record import Customer
from subscriptions.desk_deeds import DEEDS
from subscriptions.desk_words import PENDING
from subscriptions.models import CarrierEvent, PendingChange, Subscription
from verification.models import Case

Text = str | Promise
VISIT = 30 * 60  # seconds
LATELY = timedelta(days=1)
TASKS_SHOWN = 50
_DUE = lazy("%(at)s에 이루어집니다.")
_UNAPPROVED = lazy("책임자의 승인을 기다립니다.")
_APPROVE = "ansim.approve_pending"


# --- Visits -----------------------------------------------------------------------------------------


def open_visit(request: HttpRequest, subscription_id: uuid.UUID, reason: str) -> None:
    """From now on this session may open that customer's page, for this reason; at most five customers at a time."""
    held = request.session[KEY]
    visits = {**held["visits"], str(subscription_id): {"reason": reason, "until": time.time() + VISIT}}
    request.session[KEY] = {**held, "visits": dict(list(visits.items())[-5:])}


def visit(request: HttpRequest, subscription_id: uuid.UUID) -> str | None:
    """Why that customer's page is open in this session; None when it is not, or not any more."""
    found = request.session[KEY]["visits"].get(str(subscription_id))
    return str(found["reason"]) if found and found["until"] > time.time() else None


# --- The first page ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """So many of a kind wait, the oldest since then."""

    title: Text
    url: str
    count: int
    oldest: datetime | None


TASKS: dict[str, Text] = {
    "approvals": lazy("승인 대기"),
    "pending": lazy("접수되어 기다리는 해지와 앱 다시 등록"),
    "cases": lazy("고객이 신고한, 요청하지 않은 인증"),
    "events": lazy("알 수 없는 통신사 이벤트"),
    "messages": lazy("오늘 보내지 못한 알림"),
}


# Each the oldest first, by an index of its own.


def pending_changes() -> QuerySet[PendingChange]:
    return PendingChange.objects.filter(stopped_at=None, done_at=None).order_by("asked_at")


def unapproved_changes() -> QuerySet[PendingChange]:
    return pending_changes().filter(pending.UNAPPROVED)


def open_cases() -> QuerySet[Case]:
    return Case.objects.filter(closed_at=None).order_by("opened_at")


def stuck_events() -> QuerySet[CarrierEvent]:
    return CarrierEvent.objects.filter(standing=CarrierEvent.Standing.STUCK).order_by("received_at")


def failed_messages() -> QuerySet[Message]:
    since = timezone.now() - LATELY
    return Message.objects.filter(created_at__gt=since, state=Message.State.FAILED).order_by("created_at")


def tasks(agent: Agent) -> list[Task]:
    """All in one statement; what waits for an approval only for who may give it."""
    offered = {kind: title for kind, title in TASKS.items() if kind != "approvals" or agent.has_perm(_APPROVE)}
    first, *others = (
        found.order_by()
        .annotate(of=Value(kind))
        .values("of")
        .annotate(count=Count("pk"), oldest=Min(since))
        .values_list("of", "count", "oldest")
        for kind, found, since in (
            ("pending", pending_changes(), "asked_at"),
            ("approvals", unapproved_changes(), "asked_at"),
            ("cases", open_cases(), "opened_at"),
            ("events", stuck_events(), "received_at"),
            ("messages", failed_messages(), "created_at"),
        )
    )
    counted = {kind: (count, oldest) for kind, count, oldest in first.union(*others, all=True)}
    return [
        Task(title, reverse("desk-tasks", args=[kind]), *counted.get(kind, (0, None)))
        for kind, title in offered.items()
    ]


@dataclass(frozen=True)
class Listed:
    """A customer in a list, masked."""

    id: uuid.UUID
    name: str
    phone: str
    active: bool


def listed(subscription: Subscription) -> Listed:
    return Listed(
        subscription.pk, masking.name(subscription.holder["name"]), masking.phone(subscription.line.phone),
        subscription.state == Subscription.State.ACTIVE,
    )  # fmt: skip


def recent(agent: Agent) -> list[Listed]:
    """The last five whose pages this agent opened, by their record."""
    mine = AccessRecord.objects.filter(actor=agent.get_username()).order_by("-number")
    looked = [subject for subject, action in mine.values_list("subject", "action")[:60] if action == Action.LOOK]
    order = list(dict.fromkeys(fingerprint.wrapped(subject) for subject in looked if subject))[:5]
    rows = Subscription.objects.filter(line__contract_fingerprint__in=order).select_related("line")
    newest = {row.line.contract_fingerprint: row for row in rows.order_by("joined_at")}
    return [listed(newest[subject]) for subject in order if subject in newest]


def today(agent: Agent) -> dict[str, int]:
    """What this agent did since midnight, as the record has it, and what the whole desk took down."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    mine = AccessRecord.objects.filter(actor=agent.get_username(), at__gte=midnight)
    counted = mine.aggregate(
        searches=Count("pk", filter=Q(action=Action.SEARCH)),
        looks=Count("subject", filter=Q(action=Action.LOOK) & ~Q(subject=""), distinct=True),
        reveals=Count("pk", filter=Q(action=Action.REVEAL)),
    )
    asked = PendingChange.objects.filter(asked_at__gte=midnight)
    whole = asked.aggregate(asked=Count("pk"), stopped=Count("pk", filter=Q(stopped_at__isnull=False)))
    return {**counted, **whole}


# --- The customer -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offered:
    """A deed as it stands beside the customer; `why_not` where it cannot be done now."""

    code: str
    title: Text
    why_not: str


def offered(customer: Customer, agent: Agent) -> list[Offered]:
    return [
        Offered(code, deed.title, deed.impossible(customer, agent))
        for code, deed in DEEDS.items()
        if agent.has_perm(deed.permission)
    ]


def masked(customer: Customer) -> dict[str, str]:
    """What may be revealed, as it stands before."""
    holder, contract = customer.subscription.holder, customer.line.contract
    return {
        "name": masking.name(holder["name"]),
        "phone": masking.phone(customer.line.phone),
        "birthdate": f"{holder['birthdate'][:4]}-**-**",
        "contract": f"{'*' * 6}{contract[-4:]}",
    }


def open_value(customer: Customer, field: str) -> str:
    """The field as it is: for one answer, once."""
    holder = customer.subscription.holder
    values = {
        "name": holder["name"], "birthdate": holder["birthdate"], "contract": customer.line.contract,
        "phone": _hyphens(customer.line.phone),
    }  # fmt: skip
    return str(values[field])


def _hyphens(e164: str) -> str:
    digits = "0" + e164.removeprefix("+82")
    return f"{digits[:3]}-{digits[3:-4]}-{digits[-4:]}"


def facts(customer: Customer) -> list[tuple[Text, Text]]:
    line, now = customer.line, customer.subscription
    shown: list[tuple[Text, Text]] = [(_("가입"), _day(now.joined_at))]
    if now.ended_at:
        shown.append((_("해지"), _day(now.ended_at)))
    if now.suspended_at:
        shown.append((_("일시 정지"), _day(now.suspended_at)))
    shown += [
        (_("앱 비밀번호"), _("잠김") if line.wrong_passwords >= settings.PASSWORD_TRIES else _("정상")),
        (_("모두 막기"), _("켜짐") if line.stop_all else _("꺼짐")),
        (_("차단한 사이트"), _("%(count)d곳") % {"count": len(line.blocked_partners)}),
    ]
    risks = ((_("유심 변경"), line.sim_changed_at), (_("휴대폰 변경"), line.device_changed_at))
    shown += [(title, _day(at)) for title, at in (*risks, (_("번호 변경"), line.number_changed_at)) if at]
    return shown


def _day(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


# --- Lists of tasks ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A task in its list; `customer` opens the page, where there is one."""

    at: datetime
    what: Text
    more: Text
    customer: uuid.UUID | None = None


def rows(kind: str) -> list[Row]:
    """The oldest fifty."""
    match kind:
        case "pending" | "approvals":
            found = unapproved_changes() if kind == "approvals" else pending_changes()
            return [
                Row(one.asked_at, PENDING[one.kind], _waits(one), one.subscription_id) for one in found[:TASKS_SHOWN]
            ]
        case "cases":
            cases = list(open_cases().select_related("partner")[:TASKS_SHOWN])
            customers = _newest_of({one.line_id for one in cases})
            return [
                Row(one.opened_at, one.get_kind_display(), one.partner.name, customers.get(one.line_id))
                for one in cases
            ]
        case "events":
            return [Row(one.received_at, one.type[:60], one.event_id[:60]) for one in stuck_events()[:TASKS_SHOWN]]
        case _:
            failed = failed_messages()[:TASKS_SHOWN]
            return [Row(one.created_at, one.get_channel_display(), one.last_error) for one in failed]


def _waits(change: PendingChange) -> Text:
    return _UNAPPROVED if change.awaits_approval else _DUE % {"at": _day(change.due_at)}


def _newest_of(lines: set[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The newest subscription of each line."""
    found = Subscription.objects.filter(line__in=lines).order_by("joined_at").values_list("line_id", "pk")
    return dict(found)
