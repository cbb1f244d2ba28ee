"""The signed receipt of a verified result: a JWS that anybody checks offline with our published keys (api.md 1)."""

from typing import Any

from django.conf import settings

from ansim.lib import fingerprint, signing
from verification.models import Partner, Verification


def pairwise(ci: str, partner: Partner) -> str:
    """DI: the same person at the same partner, 64 characters; says nothing to another partner."""
    return fingerprint.first(f"di:{partner.pk}", ci)


def make(verification: Verification, partner: Partner) -> str:
    """Signed when the number was right; once the personal data are erased it is made again, then without `di`."""
    if verification.ended_at is None:
        raise ValueError("only an ended verification has a receipt")
    claims: dict[str, Any] = {
        "iss": settings.BASE_URL,
        "aud": str(partner.pk),
        "sub": str(verification.pk),
        "iat": int(verification.ended_at.timestamp()),
        "reference": verification.reference,
        "purpose": verification.purpose,
        "site": verification.site["domain"],
        "channel": verification.channel,
        "released": verification.released,
    }
    if verification.holder and "di" in partner.grants:
        claims["di"] = pairwise(verification.holder["ci"], partner)
    return signing.sign(claims, use="receipt", typ="ansim-receipt+jwt")
