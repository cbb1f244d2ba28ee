"""Idempotency-Key (api.md, POST verifications): an equal request gets the same 201, at any moment, from any process.

The row with its unique key is the truth. The claim (`ansim.rates.take`, 10 s) only spares the work while the
first is at it.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request

from ansim.lib.problem import Refused
from ansim.lib.sealed import unseal
from verification.flow import Repeated
from verification.models import ApiKey, Verification
from verification.partner_auth import printable


def key_of(request: Request) -> str:
    """Refused: `idempotency_key_missing`, also for an empty, over-long or unprintable one."""
    key = str(request.META.get("HTTP_IDEMPOTENCY_KEY", ""))
    if not printable(key):
        raise Refused("idempotency_key_missing")
    return key


def hash_of(request: Request) -> str:
    """The request's method, path and body as JSON means it, not as it was spaced."""
    body = json.dumps(request.data, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{request.method} {request.path}\0{body}".encode()).hexdigest()


def claim_of(auth: ApiKey, request: Request) -> str | None:
    """The name that the first request with this key claims; none for a repeat with its answer at hand."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if not printable(key) or getattr(auth, "earlier_id", None) is not None:
        return None
    return f"idempotency:{auth.partner_id}:{hashlib.sha256(key.encode()).hexdigest()}"


def once_only(
    auth: ApiKey, key: str, request_hash: str, work: Callable[[], dict[str, Any]], *, first: bool
) -> tuple[dict[str, Any], bool]:
    """The 201's body, and whether it is a repeat. `first`: this request holds the claim.

    Refused: `idempotency_mismatch`, `idempotency_in_flight`.
    """
    earlier_id = getattr(auth, "earlier_id", None)
    if earlier_id is not None:
        return _repeat(earlier_id, auth.earlier_hash, auth.earlier_answer, request_hash), True  # type: ignore[attr-defined]
    if not first:
        return _committed_since(auth, key, request_hash), True
    try:
        return work(), False
    except Repeated:
        return _committed_since(auth, key, request_hash), True


def _committed_since(auth: ApiKey, key: str, request_hash: str) -> dict[str, Any]:
    found = Verification.objects.filter(partner=auth.partner_id, idempotency_key=key).first()
    if found is None:
        raise Refused("idempotency_in_flight", retry_after=1)
    if found.request_hash != request_hash:
        raise Refused("idempotency_mismatch")
    return dict(found.first_answer)


def _repeat(pk: Any, kept_hash: str, answer: Any, request_hash: str) -> dict[str, Any]:
    if kept_hash != request_hash:
        raise Refused("idempotency_mismatch")
    return dict(unseal(answer, place=f"{Verification._meta.db_table}.first_answer.{pk}"))
