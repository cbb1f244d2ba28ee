"""What partners are told (api.md, Webhooks): Standard Webhooks, no personal data, one event for every end."""

import base64
import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ansim import bell
from ansim.lib.problem import Refused
from ansim.lib.times import APART
from pushes import bell as channels
from pushes.models import Message
from verification.models import Partner, Verification, WebhookDelivery

# Standard Webhooks' ladder (mission.md section 5): how long after the attempt before. The first one is at once.
BELL = bell.Bell("verification.tasks.deliver_webhooks", "webhook")
LADDER = tuple(
    timedelta(seconds=after)
    for after in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
State = WebhookDelivery.State


def owed(verification: Verification, partner: Partner, *, now: datetime) -> list[WebhookDelivery]:
    """The row that tells of the state just reached; the caller writes it with the move. None where nobody listens."""
    if not partner.hears:
        return []
    kind = f"verification.{verification.state}"
    data = {
        "id": str(verification.pk),
        **{name: getattr(verification, name) for name in ("reference", "state", "reason")},
    }
    body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
    return [
        WebhookDelivery(partner=partner, verification=verification, type=kind, body=body, due_at=now, created_at=now)
    ]


def ring(*messages: Message) -> None:
    """After the commit, wake somebody to deliver, and whoever sends these messages; in one call."""
    bell.ring(BELL, *channels.of(message.channel for message in messages))


def pull() -> None:
    bell.pull(BELL)


@transaction.atomic
def replay(**which: object) -> WebhookDelivery:
    """Deliver it again, under the same webhook-id, from the foot of the ladder; what is in the air stays as it is.

    Refused: `wrong_state` where the partner's endpoint is gone or disabled. Raises WebhookDelivery.DoesNotExist.
    """
    found = WebhookDelivery.objects.select_related("partner").select_for_update(of=("self",))
    delivery = found.get(**which)
    if not delivery.partner.hears:
        raise Refused("wrong_state")
    delivery.replay(now=timezone.now())
    delivery.save(update_fields=["state", "due_at", "in_the_air", "ladder_from", "delivered_at"])
    ring()
    return delivery


@transaction.atomic
def disable(partner_id: uuid.UUID, *, url: str) -> None:
    """That endpoint answered 410: nothing more is sent there, and what is owed is given up.

    An address that was changed meanwhile is another endpoint: it stays.
    """
    there = Partner.objects.filter(pk=partner_id, webhook_url=url, webhook_disabled_at=None)
    if there.update(webhook_disabled_at=timezone.now()):
        give_up(partner_id, "status_410")


def give_up(partner_id: uuid.UUID, why: str) -> None:
    """Everything owed to a partner that hears no more."""
    owed_to = WebhookDelivery.objects.filter(partner=partner_id, state=State.OWED)
    owed_to.update(state=State.GIVEN_UP, in_the_air=False, last_error=why)


def enable(partner_id: uuid.UUID) -> bool:
    """Later events are told again; what was given up stays so until it is replayed. False: it was not disabled."""
    disabled = Partner.objects.filter(pk=partner_id, webhook_disabled_at__isnull=False)
    return bool(disabled.update(webhook_disabled_at=None))


@dataclass(frozen=True)
class Rotated:
    secret: str
    previous_until: datetime | None
    """Until when the one before signs as well."""


@transaction.atomic
def rotate_secret(partner_id: uuid.UUID, *, keep: timedelta) -> Rotated:
    """A new secret; the present one goes on signing beside it for `keep`, a still older one stops at once.

    `keep` of zero: the old secret leaked. Raises Partner.DoesNotExist; refused: a negative `keep` (ValueError).
    """
    if keep < timedelta(0):
        raise ValueError("an old secret cannot be kept for less than no time")
    partner = Partner.objects.select_for_update(no_key=True).get(pk=partner_id)
    kept = bool(keep) and partner.webhook_secret is not None
    partner.previous_webhook_secret = partner.webhook_secret if kept else None
    partner.previous_webhook_secret_until = timezone.now() + keep if kept else None
    partner.webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    partner.save(update_fields=["webhook_secret", "previous_webhook_secret", "previous_webhook_secret_until"])
    return Rotated(partner.webhook_secret, partner.previous_webhook_secret_until)


def redate(*, now: datetime) -> None:
    """No first attempt waits, and no other one longer than its rung, or a day where the partner asked us to wait: what
    does was dated by a clock that was wrong (docs/adr/0034). It is due at once.
    """
    owed = WebhookDelivery.objects.filter(state=State.OWED).annotate(rung=F("attempts") - F("ladder_from"))
    too_far = Q(rung__lte=0, due_at__gt=now + APART) | Q(due_at__gt=now + _longest(LADDER[-1]))
    asked_to_wait = Q(last_error__in=("status_429", "status_503"))
    for rung, after in enumerate(LADDER, 1):
        too_far |= Q(rung=rung, due_at__gt=now + _longest(after)) & ~asked_to_wait
    owed.filter(too_far).update(due_at=now)


def _longest(rung: timedelta) -> timedelta:
    """With what `webhook_outbox` adds so that attempts do not come together."""
    return rung * 1.1 + APART


def forget(*, now: datetime) -> None:
    """Secrets that sign no more. (Old attempts: the nightly purge.)"""
    outlived = Partner.objects.filter(previous_webhook_secret_until__lte=now)
    outlived.update(previous_webhook_secret=None, previous_webhook_secret_until=None)
