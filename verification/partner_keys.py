"""API keys: made, shown once, kept as fingerprints; allowed from some addresses only; revoked for good."""

import secrets
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from verification.models import ApiKey, Partner

AT_A_TIME = 2  # of each kind: the old one and its successor


def make_key(partner: Partner, *, live: bool, allowed_ips: Sequence[str] = ()) -> str:
    """A new key, returned once; we keep its fingerprint. Refused beside the simulated world: live ones (ValueError)."""
    if live and settings.DEMO:
        raise ValueError("no live keys beside the simulated world")
    secret = f"sk_{'live' if live else 'test'}_{secrets.token_urlsafe(32)}"
    ApiKey.objects.create(
        partner=partner, fingerprint=fingerprint.of("api-key", secret), hint=hint(secret), live=live,
        allowed_ips=list(allowed_ips),
    )  # fmt: skip
    return secret


def hint(secret: str) -> str:
    """Its beginning and end, to tell keys apart."""
    return f"{secret[:8]}…{secret[-4:]}"


def make_successor(partner: Partner, *, live: bool) -> str:
    """One more key beside the present one, with the same allowed addresses. The caller holds the partner's row.

    Refused with `wrong_state`: a third of its kind.
    """
    present = list(ApiKey.objects.filter(partner=partner, live=live, revoked_at=None).order_by("-created_at"))
    if len(present) >= AT_A_TIME:
        raise Refused("wrong_state")
    return make_key(partner, live=live, allowed_ips=present[0].allowed_ips if present else ())


def revoke(partner: Partner, pk: uuid.UUID) -> ApiKey:
    """From now on it opens nothing. Raises ApiKey.DoesNotExist, also for one that was revoked before."""
    key = _in_force(partner, pk)
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    return key


def allow(partner: Partner, pk: uuid.UUID, networks: Sequence[str]) -> ApiKey:
    """From these networks only; none means from anywhere. Raises ApiKey.DoesNotExist."""
    key = _in_force(partner, pk)
    key.allowed_ips = list(networks)
    key.save(update_fields=["allowed_ips"])
    return key


def _in_force(partner: Partner, pk: uuid.UUID) -> ApiKey:
    return ApiKey.objects.select_for_update().get(pk=pk, partner=partner, revoked_at=None)
