"""Who calls the partner API: `Authorization: Bearer sk_…` (api.md 1), and the request it may have made before."""

import ipaddress
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ansim.lib import fingerprint, rows
from verification.models import ApiKey, Partner, Verification
from verification.partner_keys import make_key as make_key

REPEATABLE = timedelta(days=1)


class PartnerKey(BaseAuthentication):
    """Sets `request.auth` to the ApiKey with its partner. Unknown, revoked and from a foreign address look alike: 401.

    The same statement brings the earlier verification with this Idempotency-Key (`earlier_…`), because the hot path
    has no room for another one (design.md section 4.6).
    """

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.isascii() or not secret.strip():
            raise AuthenticationFailed
        key = _key_of(fingerprint.of("api-key", secret.strip()), repeated=_repeatable(request))
        if key is None or (key.live and settings.DEMO) or not _from_allowed_address(key, request):
            raise AuthenticationFailed
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="ansim"'


def _repeatable(request: Request) -> str | None:
    idempotency_key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    return idempotency_key if request.method == "POST" and printable(idempotency_key) else None


def _key_of(mark: str, *, repeated: str | None) -> ApiKey | None:
    """One statement, written out: Django needs as long to put it together as PostgreSQL and we for all the rest."""
    values = {"mark": mark, "repeated": repeated, "since": timezone.now() - REPEATABLE}
    columns = rows.first(_statement(), values)
    if columns is None:
        return None
    key, partner = rows.read(ApiKey, columns), rows.read(Partner, columns)
    earlier_id, earlier_hash, earlier_answer = columns
    sealed = rows.value(Verification, "first_answer", earlier_answer)
    key.partner = partner
    key.__dict__.update(earlier_id=earlier_id, earlier_hash=earlier_hash, earlier_answer=sealed)
    return key


@cache
def _statement() -> str:
    return f"""
        SELECT {rows.columns(ApiKey, "key")}, {rows.columns(Partner, "partner")},
               earlier.id, earlier.request_hash, earlier.first_answer
          FROM verification_apikey key
          JOIN verification_partner partner ON partner.id = key.partner_id
          LEFT JOIN verification_verification earlier
                 ON earlier.partner_id = partner.id AND earlier.idempotency_key = %(repeated)s
                AND earlier.created_at > %(since)s
         WHERE key.fingerprint = %(mark)s AND key.revoked_at IS NULL
    """  # noqa: S608 - names of columns, from our own models


def printable(header: str) -> bool:
    """1 to 255 printable ASCII characters."""
    return 1 <= len(header) <= 255 and header.isascii() and header.isprintable()


def _from_allowed_address(key: ApiKey, request: Request) -> bool:
    if not key.allowed_ips:
        return True
    caller = ipaddress.ip_address(request.META["REMOTE_ADDR"])
    return any(caller in ipaddress.ip_network(allowed, strict=False) for allowed in key.allowed_ips)
