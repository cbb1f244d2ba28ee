"""ES256 signatures of ours: numbers and receipts, each with its own keys, published as one JWKS (RFC 7517)."""

import base64
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from django.conf import settings
from jwt.algorithms import ECAlgorithm

Use = Literal["number", "receipt"]


@dataclass(frozen=True)
class Key:
    kid: str
    private: EllipticCurvePrivateKey

    def public_jwk(self) -> dict[str, Any]:
        jwk = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.kid, "use": "sig", "alg": "ES256"}


@cache
def _keys(use: Use) -> list[Key]:
    entries = {"number": settings.NUMBER_SIGNING_KEYS, "receipt": settings.RECEIPT_SIGNING_KEYS}[use]
    keys = []
    for entry in entries:
        kid, encoded = entry.split(":", 1)
        private = load_der_private_key(base64.b64decode(encoded), password=None)
        if not isinstance(private, EllipticCurvePrivateKey):
            raise TypeError(f"Key {kid} is not an elliptic-curve key.")
        keys.append(Key(kid, private))
    return keys


def sign(claims: dict[str, Any], *, use: Use, typ: str) -> str:
    """A compact JWS with the current key of that use."""
    key = _keys(use)[0]
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"typ": typ, "kid": key.kid})


def key_set() -> dict[str, Any]:
    """Every public key that may still have a live signature, numbers' and receipts' together."""
    uses: tuple[Use, ...] = ("number", "receipt")
    return {"keys": [key.public_jwk() for use in uses for key in _keys(use)]}
