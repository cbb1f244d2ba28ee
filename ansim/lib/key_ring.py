"""Rotating a signing key: published first (staged), then signing (rotated), at last gone (dropped).

A ring is what NUMBER_SIGNING_KEYS and RECEIPT_SIGNING_KEYS hold: "kid:base64 of PKCS8", the first signs, all are
published. Each step is one deployment: phones and partners keep the key set for five minutes, so that a key must be
out for that long before it signs, and stay out for as long as anybody checks what it signed.
"""

import base64
import re
from collections.abc import Sequence

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

Ring = list[str]


def kids(ring: Sequence[str]) -> list[str]:
    return [entry.partition(":")[0] for entry in ring]


def staged(ring: Sequence[str], *, name: str) -> Ring:
    """With a new key at the end: published, not signing yet. Refused (ValueError) while another one waits there."""
    if _number(ring[-1]) > _number(ring[0]):
        raise ValueError(f"{kids(ring)[-1]} is staged already; rotate to it first")
    newest = max(_number(entry) for entry in ring)
    return [*ring, _made(f"{name}-{newest + 1}")]


def rotated(ring: Sequence[str]) -> Ring:
    """The staged key signs from now on, the others stay published. Refused (ValueError) when none is staged."""
    if _number(ring[-1]) <= _number(ring[0]):
        raise ValueError("no key is staged; stage one and give it five minutes first")
    return [ring[-1], *ring[:-1]]


def dropped(ring: Sequence[str], kid: str) -> Ring:
    """Without that key: what it signed can no longer be checked. Refused (ValueError): the signing one, an unknown."""
    if kid not in kids(ring):
        raise ValueError(f"there is no key {kid}; there are {', '.join(kids(ring))}")
    if kid == kids(ring)[0]:
        raise ValueError(f"{kid} signs; rotate first")
    return [entry for entry in ring if not entry.startswith(f"{kid}:")]


def _number(entry: str) -> int:
    """Keys are counted: receipt-1, receipt-2, …; one that is not counts as the oldest."""
    counted = re.search(r"-(\d+)$", kids([entry])[0])
    return int(counted[1]) if counted else 0


def _made(kid: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return f"{kid}:{base64.b64encode(der).decode()}"
