"""Sealing for one phone: HPKE (RFC 9180), single shot, base mode, as api.md section 2 fixes it for numbers."""

import base64
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal(public_jwk: Mapping[str, str], plaintext: bytes, info: bytes) -> bytes:
    """`enc || ciphertext` for the owner of that P-256 key (RFC 7517). aad is empty: what binds the text is `info`.

    Refuses a key that is not on the curve: ValueError.
    """
    x, y = (int.from_bytes(_decoded(public_jwk[name])) for name in ("x", "y"))
    return SUITE.encrypt(plaintext, ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key(), info)


def _decoded(coordinate: str) -> bytes:
    return base64.urlsafe_b64decode(coordinate + "=" * (-len(coordinate) % 4))
