"""Who calls the partner API: `Authorization: Bearer sk_…` (api.md 1), and the request it may have made before."""

import ipaddress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, FilteredRelation, Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ansim.lib import fingerprint
from verification.models import ApiKey
from verification.partner_keys import make_key as make_key

REPEATABLE = timedelta(days=1)


class PartnerKey(BaseAuthentication):
    """Sets `request.auth` to the ApiKey with its partner. Unknown, revoked and from a foreign address look alike: 401.

    The same statement brings the earlier verification with this Idempotency-Key (`earlier_…`), because the hot path
    has no room for another one (design.md section 4.6).
    """

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.isascii() or not secret.strip():
            raise AuthenticationFailed
        key = self._keys(request).filter(fingerprint=fingerprint.of("api-key", secret.strip()), revoked_at=None).first()
        if key is None or (key.live and settings.DEMO) or not _from_allowed_address(key, request):
            raise AuthenticationFailed
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="ansim"'

    def _keys(self, request: Request) -> Any:
        keys = ApiKey.objects.select_related("partner").order_by()
        idempotency_key = request.headers.get("Idempotency-Key", "")
        if request.method != "POST" or not printable(idempotency_key):
            return keys
        repeated = Q(
            partner__verifications__idempotency_key=idempotency_key,
            partner__verifications__created_at__gt=timezone.now() - REPEATABLE,
        )
        return keys.annotate(earlier=FilteredRelation("partner__verifications", condition=repeated)).annotate(
            earlier_id=F("earlier__id"),
            earlier_hash=F("earlier__request_hash"),
            earlier_answer=F("earlier__first_answer"),
        )


def printable(header: str) -> bool:
    """1 to 255 printable ASCII characters."""
    return 1 <= len(header) <= 255 and header.isascii() and header.isprintable()


def _from_allowed_address(key: ApiKey, request: Request) -> bool:
    if not key.allowed_ips:
        return True
    caller = ipaddress.ip_address(request.META["REMOTE_ADDR"])
    return any(caller in ipaddress.ip_network(allowed, strict=False) for allowed in key.allowed_ips)
