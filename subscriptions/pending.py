"""What the desk took down for a customer without the app: it waits, is told, and can be stopped (invariant 6)."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ansim import audit
from ansim.audit import Actor
from ansim.lib.problem import Refused
from ansim.models import Agent
from ansim.record_models import Action
from subscriptions import leaving
from subscriptions.models import PendingChange, Subscription
from verification import protection, registration
from verification.models import Line

Kind = PendingChange.Kind
NOTICES = {Kind.CANCELLATION: "cancellation_requested", Kind.RESET: "reset_requested"}
ACTIONS = {Kind.CANCELLATION: Action.CANCEL, Kind.RESET: Action.RESET}
OPEN = {"stopped_at": None, "done_at": None}
UNAPPROVED = Q(needs_approval=True, approved_at=None)
"""Does nothing however long it waits: a second person has to approve it first."""
RESET_LIFE = timedelta(seconds=settings.RESET_LIFE)


def ask(
    contract: str, kind: Kind, *, by: Agent | None, at: datetime | None = None, address: str = "", reason: str = ""
) -> PendingChange:
    """Take it down: the phone is told at once. The delay counts from `at` (now). Taken down already: that one stands.

    Who asked, from which address and why goes on record, each time. With no phone that could stop it, what an agent
    took down needs somebody else's approval, and its day begins with that (maker and checker: mission.md S10).

    Refused: `not_found`. Raises Subscription.DoesNotExist for a line that has no active one.
    """
    with transaction.atomic():
        line = protection.hold(contract)
        subscription = leaving.active(line)
        lapse()
        asked_at = at or timezone.now()
        change, is_new = PendingChange.objects.get_or_create(
            subscription=subscription,
            kind=kind,
            **OPEN,
            defaults={
                "asked_at": asked_at,
                "asked_by": by,
                "needs_approval": by is not None and line.device is None,
                "due_at": asked_at + timedelta(seconds=settings.CANCELLATION_DELAY),
            },
        )
        if is_new:
            registration.tell(line, NOTICES[kind])
        actor = audit.staff(by, address=address) if by else audit.COMMAND
        audit.record(actor, ACTIONS[kind], line.contract_fingerprint, what=kind, reason=reason)
        return change


def approve(contract: str, *, by: Agent, actor: Actor, reason: str) -> list[PendingChange]:
    """A second person lets the day begin for what waits for that and was taken down by somebody else; the phone is told
    if there is one by now. Refused: `not_found`, `wrong_state` where there is nothing that this person may approve.
    """
    with transaction.atomic():
        line = protection.hold(contract)
        now = timezone.now()
        unapproved = PendingChange.objects.filter(UNAPPROVED, subscription__line=line, **OPEN)
        chosen = list(unapproved.filter(asked_by__isnull=False).exclude(asked_by=by))
        if not chosen:
            raise Refused("wrong_state")
        for change in chosen:
            change.approved_by, change.approved_at = by, now
            change.due_at = now + timedelta(seconds=settings.CANCELLATION_DELAY)
            change.save(update_fields=["approved_by", "approved_at", "due_at"])
            registration.tell(line, NOTICES[Kind(change.kind)])
        for change in chosen:
            audit.record(actor, Action.APPROVE, line.contract_fingerprint, what=change.kind, reason=reason)
        return chosen


def waiting(line: Line) -> list[PendingChange]:
    """What waits on that line, the one that is due first before the others."""
    return list(PendingChange.objects.filter(subscription__line=line, **OPEN).order_by("due_at"))


def stop(line: Line) -> bool:
    """The owner's tap stops all that waits. False when nothing did."""
    waiting = PendingChange.objects.filter(subscription__line=line, **OPEN)
    with transaction.atomic():
        stopped = waiting.update(stopped_at=timezone.now()) > 0
        if stopped:
            registration.tell(line, "pending_stopped")
    return stopped


def lapse() -> None:
    """A reset that the customer did not finish in time is over, as if it had been stopped (the clock calls); so is what
    nobody approved for as long.
    """
    limit = timezone.now() - RESET_LIFE
    late = Q(kind=Kind.RESET, due_at__lte=limit) | (UNAPPROVED & Q(asked_at__lte=limit))
    PendingChange.objects.filter(late, **OPEN).update(stopped_at=timezone.now())


def take_effect(change_id: uuid.UUID) -> None:
    """The day is over (the clock calls). Stopped a moment ago, or ended otherwise: nothing happens."""
    contract = PendingChange.objects.select_related("subscription__line").get(pk=change_id).subscription.line.contract
    with transaction.atomic():
        line = protection.hold(contract)
        due = PendingChange.objects.select_for_update(of=("self",)).select_related("subscription")
        change = due.filter(~UNAPPROVED, pk=change_id, due_at__lte=timezone.now(), **OPEN).first()
        if change is None or change.kind != Kind.CANCELLATION:
            return
        change.done_at = timezone.now()
        change.save(update_fields=["done_at"])
        if change.subscription.state == Subscription.State.ACTIVE:
            leaving.end(change.subscription, line, reason="desk", at=change.due_at)
