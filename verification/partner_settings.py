"""What a partner's own people may change of it. Each change is one transaction with the row that records it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from verification import partner_keys, webhooks
from verification.models import ApiKey, Partner, PartnerChange, PartnerUser
from verification.webhooks import Rotated

KEEP_SECRET = timedelta(hours=24)
Kind = PartnerChange.Kind


@dataclass(frozen=True)
class By:
    """Who changes it, and from which address. The partner is always that person's own."""

    user: PartnerUser
    address: str

    def held(self) -> Partner:
        """Their partner, locked, so that changes come one after the other."""
        return Partner.objects.select_for_update(no_key=True).get(pk=self.user.partner_id)

    def record(self, kind: PartnerChange.Kind, *detail: str) -> None:
        PartnerChange.objects.create(
            partner_id=self.user.partner_id, user=self.user, kind=kind, detail=list(detail), address=self.address,
            created_at=timezone.now(),
        )  # fmt: skip


@transaction.atomic
def set_return_origins(by: By, origins: Sequence[str]) -> None:
    """Where the window may lead back to; people on their way to another one are not sent there any more."""
    partner = by.held()
    partner.return_origins = list(origins)
    partner.save(update_fields=["return_origins"])
    by.record(Kind.RETURN_ORIGINS, *origins)


@transaction.atomic
def set_webhook_url(by: By, url: str) -> None:
    """Where webhooks go from now on, also one that had answered 410. Empty: nowhere, and what is owed is given up.

    A partner without a secret gets one: an address without it could not be told from a forger's.
    """
    partner = by.held()
    partner.webhook_url, partner.webhook_disabled_at = url, None
    partner.save(update_fields=["webhook_url", "webhook_disabled_at"])
    if not url:
        webhooks.give_up(partner.pk, "no_address")
    elif partner.webhook_secret is None:
        webhooks.rotate_secret(partner.pk, keep=timedelta(0))
    by.record(Kind.WEBHOOK_URL, url)


@transaction.atomic
def rotate_webhook_secret(by: By) -> Rotated:
    """A new secret, shown once; the one before signs beside it for a day."""
    rotated = webhooks.rotate_secret(by.held().pk, keep=KEEP_SECRET)
    by.record(Kind.WEBHOOK_SECRET)
    return rotated


@transaction.atomic
def make_key(by: By, *, live: bool) -> str:
    """A new key, shown once. Refused with `wrong_state`: a third of its kind."""
    secret = partner_keys.make_successor(by.held(), live=live)
    by.record(Kind.KEY_MADE, partner_keys.hint(secret))
    return secret


@transaction.atomic
def revoke_key(by: By, pk: uuid.UUID) -> ApiKey:
    """It opens nothing any more. Raises ApiKey.DoesNotExist for another partner's and for a revoked one."""
    key = partner_keys.revoke(by.held(), pk)
    by.record(Kind.KEY_REVOKED, key.hint)
    return key


@transaction.atomic
def allow(by: By, pk: uuid.UUID, networks: Sequence[str]) -> ApiKey:
    """That key works from these networks only. Raises ApiKey.DoesNotExist as `revoke_key` does."""
    key = partner_keys.allow(by.held(), pk, networks)
    by.record(Kind.ALLOWED_IPS, key.hint, *networks)
    return key
