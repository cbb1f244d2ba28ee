"""The secrets people read and type: the number, the match number, the app's activation code, the app password."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from ansim.lib import fingerprint, keyed, signing
from ansim.lib.phone import national
from pushes import hpke
from pushes.models import Device

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ACTIVATION_LENGTH = 10  # 50 random bits
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
LETTERS_LENGTH = 8  # 34 random bits, for five tries in ten minutes
BLOCK = 256  # bytes; every sealed number has the same length class
# OWASP's parameters for Argon2id, in one lane (docs/adr/0037).
HASH_TIMES, HASH_MEMORY = 2, 19_456 * 1024  # rounds; bytes


def browser_nonce() -> str:
    """What the cookie of a window says, and nobody else knows."""
    return secrets.token_urlsafe(24)


def browser_fingerprint(nonce: str) -> str:
    """What a verification keeps of the browser it is bound to."""
    return fingerprint.of("browser", nonce)


def number() -> str:
    """Six digits from the system's generator (NIST SP 800-63B-4)."""
    return f"{secrets.randbelow(10**6):06}"


def match_number() -> str:
    """Two digits that window and app both show."""
    return f"{secrets.randbelow(100):02}"


def number_fingerprint(code: str, *, verification: UUID, partner: UUID) -> str:
    """The only thing we keep of a number: bound to one verification of one partner (invariant 2)."""
    _id, key = keyed.newest(settings.CODE_KEY)
    return _number_fingerprint(key, code, verification, partner)


def is_number(code: str, kept: str, *, verification: UUID, partner: UUID) -> bool:
    """Whether that fingerprint is this number's, by any key of CODE_KEY. Takes as long for every answer."""
    made = [_number_fingerprint(key, code, verification, partner) for key in keyed.ring(settings.CODE_KEY).values()]
    return any([same(one, kept) for one in made])  # noqa: C419 - all of them, so that none is told from its time


def _number_fingerprint(key: bytes, code: str, verification: UUID, partner: UUID) -> str:
    return hmac.new(key, f"{verification}|{partner}|{code}".encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)


def envelope(claims: dict[str, Any], *, device: Device, verification: UUID) -> str:
    """The number's JWS, padded and sealed so that only this phone opens it (RFC 9180; api.md section 2)."""
    token = signing.sign(claims, use="number", typ="ansim-number+jwt").encode()
    padded = token + b" " * (-len(token) % BLOCK)
    sealed = hpke.seal(device.sealing_key, padded, f"ansim/number/v1|{device.pk}|{verification}".encode())
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def number_claims(
    code: str, *, device: Device, verification: UUID, match: str, site: dict[str, str], now: datetime, until: datetime
) -> dict[str, Any]:
    return {
        "iss": settings.BASE_URL, "aud": str(device.pk), "sub": str(verification), "code": code, "match_number": match,
        "partner": site["name"], "iat": int(now.timestamp()), "exp": int(until.timestamp()),
    }  # fmt: skip


def activation() -> str:
    """Ten characters of Crockford's base32."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(ACTIVATION_LENGTH))


def activation_as_typed(typed: str) -> str:
    """Blanks, hyphens and small letters are fine; O is 0, I and L are 1."""
    return typed.upper().translate(str.maketrans("OIL", "011", " -\t"))


def letters() -> str:
    """Consonants alone: no word, no digit, and nothing that a window would take for a number."""
    return "".join(secrets.choice(CONSONANTS) for _ in range(LETTERS_LENGTH))


def letters_as_typed(typed: str) -> str:
    """Blanks, hyphens and small letters are fine."""
    return typed.upper().translate(str.maketrans("", "", " -\t\u00a0"))


def letters_fingerprint(typed: str, *, of: UUID) -> str:
    return fingerprint.of("letters", f"{of}|{letters_as_typed(typed)}")


def weak_password(password: str, *, phone: str, birthdate: date | None) -> bool:
    """True for six digits that a thief tries first: the plainest, the birth date, the phone's (mission.md 5)."""
    easy = {"000000", "123456"}
    if birthdate:
        easy |= {birthdate.strftime(form) for form in ("%y%m%d", "%d%m%y", "%m%d%y")}
    return password in easy or password in national(phone)


def password_hash(password: str, *, line: UUID) -> str:
    """The newest pepper's id and Argon2id over the peppered password; the pepper lives outside the database."""
    pepper_id, pepper = keyed.newest(settings.PASSWORD_PEPPER)
    hashed = argon2id.str(_peppered(password, line, pepper), opslimit=HASH_TIMES, memlimit=HASH_MEMORY)
    return pepper_id + hashed.decode()


def right_password(password: str, kept: str, *, line: UUID) -> bool:
    """Raises `keyed.Missing` when its pepper was taken away: that is no wrong try."""
    pepper_id, _dollar, hashed = kept.partition("$")
    pepper = keyed.by_id(settings.PASSWORD_PEPPER, pepper_id)
    try:
        return argon2id.verify(f"${hashed}".encode(), _peppered(password, line, pepper))
    except CryptoError:
        return False


def former_pepper(kept: str) -> bool:
    """Whether a password that was right just now should be hashed anew, with the newest pepper."""
    return kept.partition("$")[0] != keyed.newest(settings.PASSWORD_PEPPER)[0]


def _peppered(password: str, line: UUID, pepper: bytes) -> bytes:
    return hmac.new(pepper, json.dumps([str(line), password]).encode(), hashlib.sha256).digest()
