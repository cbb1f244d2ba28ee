"""`Authorization: Proof <JWS>`: each call of the app is signed by the phone's own key (api.md 2, after RFC 9449).

A proof is good for one call: method, address and body are in it, it is a minute old at most, and its `jti` counts once.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers

WINDOW = 60  # seconds a phone's clock may be off
COUNTS_ONCE_FOR = 2 * WINDOW + 10  # seconds; by then the proof is too old anyway
_COORDINATE = re.compile(r"[A-Za-z0-9_-]{43}")
_SCHEME = "Proof "


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


def token_in(authorization: str) -> str:
    """The JWS of an Authorization header, or BadProof."""
    if not authorization.startswith(_SCHEME):
        raise BadProof("no proof")
    return authorization.removeprefix(_SCHEME).strip()


def signer(token: str) -> str:
    """The `kid` that the proof names, unverified: only to find the key that must have signed it.

    Whether the whole of it is well made, `check` sees to: the library goes through it letter by letter, and once a call
    is enough.
    """
    try:
        header = json.loads(_decoded(token.partition(".")[0]))
    except (ValueError, RecursionError) as error:
        raise BadProof("not a JWS") from error
    return _kid(header)


def _kid(header: Any) -> str:
    kid = header.get("kid") if isinstance(header, dict) else None
    if not isinstance(kid, str) or header.get("typ") != "ansim-proof+jwt" or header.get("alg") != "ES256":
        raise BadProof("wrong header")
    return kid


def check(token: str, *, key: EllipticCurvePublicKey, method: str, target: str, body: Callable[[], bytes]) -> str:
    """What this proof counts once as (for `ansim.once`), or BadProof. `target` is path and query exactly as sent;
    `body` is read only once the signature was right.
    """
    # The library checks the signature alone; what a proof promises is checked below.
    options: Any = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
    try:
        proof = jwt.decode_complete(token, key, algorithms=["ES256"], options=options)
    except (jwt.PyJWTError, ValueError) as error:
        raise BadProof("signature") from error
    kid, claims = _kid(proof["header"]), proof["payload"]
    now, issued, jti = time.time(), claims.get("iat"), claims.get("jti")
    if isinstance(issued, bool) or not isinstance(issued, int | float) or not now - WINDOW <= issued <= now + WINDOW:
        raise BadProof("iat")
    if (claims.get("htm"), claims.get("htu")) != (method, target):
        raise BadProof("another call")
    if claims.get("bh") != _base64url(hashlib.sha256(body()).digest()):
        raise BadProof("another body")
    if not isinstance(jti, str) or not 1 <= len(jti) <= 255:
        raise BadProof("jti")
    return hashlib.sha256(f"{kid}|{jti}".encode("utf-8", "surrogatepass")).hexdigest()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
