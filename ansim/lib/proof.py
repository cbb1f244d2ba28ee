"""`Authorization: Proof <JWS>`: each call of the app is signed by the phone's own key (api.md 2, after RFC 9449).

A proof is good for one call: method, address and body are in it, it is a minute old at most, and its `jti` counts once.
"""

import base64
import binascii
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers

WINDOW = 60  # seconds a phone's clock may be off
COUNTS_ONCE_FOR = 2 * WINDOW + 10  # seconds; by then the proof is too old anyway
_COORDINATE = re.compile(r"[A-Za-z0-9_-]{43}")
_LETTERS = "[A-Za-z0-9_-]+"
_TOKEN = re.compile(rf"Proof \s*(({_LETTERS})\.({_LETTERS}))\.({_LETTERS})\s*")  # RFC 7515, section 3.1
_PLAIN_BASE64 = str.maketrans("-_", "+/")
_ES256 = jwt.get_algorithm_by_name("ES256")


class BadProof(Exception):
    """Not signed by that key for this call, too old, or used before."""


def public_key(jwk: Any) -> EllipticCurvePublicKey:
    """A P-256 public key from its JWK. Refuses private ones (`d`) and points off the curve: ValueError."""
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or "d" in jwk:
        raise ValueError("not a public P-256 key")
    coordinates = [jwk.get("x"), jwk.get("y")]
    if not all(isinstance(part, str) and _COORDINATE.fullmatch(part) for part in coordinates):
        raise ValueError("x and y are 43 letters of base64url each")
    x, y = (int.from_bytes(base64.urlsafe_b64decode(f"{part}=")) for part in coordinates)
    return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()


def bare(jwk: dict[str, Any]) -> dict[str, str]:
    """Only what makes the key: what RFC 7638 hashes, and what we keep."""
    return {"crv": "P-256", "kty": "EC", "x": jwk["x"], "y": jwk["y"]}


def thumbprint(jwk: dict[str, Any]) -> str:
    """RFC 7638, SHA-256, base64url."""
    canonical = json.dumps(bare(jwk), separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


@dataclass(frozen=True)
class Proof:
    """A JWS taken apart, nothing of it checked yet. `signer` is its `kid`: to find the key that must have signed it."""

    signer: str
    _signed: str
    _claims: str
    _signature: str


def brought(authorization: str) -> Proof:
    """The proof of an Authorization header, or BadProof."""
    token = _TOKEN.fullmatch(authorization)
    if token is None:
        raise BadProof("not a JWS")
    signed, header, claims, signature = token.groups()
    said = _object(header)
    kid = said.get("kid")
    if not isinstance(kid, str) or said.get("typ") != "ansim-proof+jwt" or said.get("alg") != "ES256":
        raise BadProof("wrong header")
    if "crit" in said or "b64" in said:  # RFC 7515, section 4.1.11: we understand none of what may stand there
        raise BadProof("wrong header")
    return Proof(kid, signed, claims, signature)


def check(proof: Proof, *, key: EllipticCurvePublicKey, method: str, target: str, body: Callable[[], bytes]) -> str:
    """What this proof counts once as (for `ansim.once`), or BadProof. `target` is path and query exactly as sent;
    `body` is read only once the signature was right.

    The library judges the signature. It would take the token apart as well, letter by letter, which was a fifth of all
    that the app's list took (docs/adr/0035).
    """
    if not _ES256.verify(proof._signed.encode(), key, _decoded(proof._signature)):
        raise BadProof("signature")
    claims, now = _object(proof._claims), time.time()
    issued, jti = claims.get("iat"), claims.get("jti")
    if isinstance(issued, bool) or not isinstance(issued, int | float) or not now - WINDOW <= issued <= now + WINDOW:
        raise BadProof("iat")
    if (claims.get("htm"), claims.get("htu")) != (method, target):
        raise BadProof("another call")
    if claims.get("bh") != _base64url(hashlib.sha256(body()).digest()):
        raise BadProof("another body")
    if not isinstance(jti, str) or not 1 <= len(jti) <= 255:
        raise BadProof("jti")
    return hashlib.sha256(f"{proof.signer}|{jti}".encode("utf-8", "surrogatepass")).hexdigest()


def _object(part: str) -> dict[str, Any]:
    """The JSON object in a part of the token, or BadProof."""
    try:
        said = json.loads(_decoded(part))
    except (ValueError, RecursionError) as error:
        raise BadProof("not JSON") from error
    if not isinstance(said, dict):
        raise BadProof("not an object")
    return said


def _decoded(part: str) -> bytes:
    """Base64url in the one spelling that these bytes have, or BadProof."""
    plain = (part + "=" * (-len(part) % 4)).translate(_PLAIN_BASE64).encode()
    try:
        raw = binascii.a2b_base64(plain, strict_mode=True)
    except binascii.Error as error:
        raise BadProof("not base64url") from error
    if binascii.b2a_base64(raw, newline=False) != plain:
        raise BadProof("not base64url")
    return raw


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
