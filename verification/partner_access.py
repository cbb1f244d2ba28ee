"""Who of a partner's people may come in: a password and a one-time code, wrong tries counted under the row's lock."""

import base64
import secrets
import uuid
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from verification import codes
from verification.models import Partner, PartnerUser
from verification.partner_users import email_fingerprint

NOBODY = uuid.UUID(int=0)
TRIED = ["totp_last_step", "failed_tries", "locked_until"]


@dataclass(frozen=True)
class Made:
    """What the new user is told, once."""

    email: str
    password: str
    totp_secret: str
    otpauth_uri: str


@transaction.atomic
def add_user(partner: Partner, *, email: str, name: str = "") -> Made:
    """A user with a password and a key for the authenticator app. Refused (ValueError): no address, one in use."""
    email = email.strip()
    before, _, domain = email.partition("@")
    if not before or not domain or not email.isprintable() or len(email) > 254 or " " in email or "@" in domain:
        raise ValueError("that is no e-mail address")
    if PartnerUser.objects.filter(email_fingerprint=email_fingerprint(email)).exists():
        raise ValueError("somebody signs in with that e-mail address already")
    password, key = secrets.token_urlsafe(15), base64.b32encode(secrets.token_bytes(20)).decode()
    user = PartnerUser(
        partner=partner, email=email, email_fingerprint=email_fingerprint(email), name=name, totp_key=key
    )
    user.password = codes.password_hash(password, line=user.pk)  # bound to the row it stands in, as a line's is
    user.save()
    issuer = settings.OTP_TOTP_ISSUER
    label = quote(f"{issuer}:{email}")
    return Made(email, password, key, f"otpauth://totp/{label}?{urlencode({'secret': key, 'issuer': issuer})}")


def disable_user(partner: Partner, *, email: str) -> bool:
    """From the next request on this person is signed out for good. False: this partner has no such user."""
    users = PartnerUser.objects.filter(partner=partner, email_fingerprint=email_fingerprint(email))
    return bool(users.filter(disabled_at=None).update(disabled_at=timezone.now()))


@transaction.atomic
def sign_in(email: str, password: str, token: str) -> PartnerUser | None:
    """Who it is; None for anything wrong, and nothing tells what. An address that nobody has costs the same hash."""
    known = PartnerUser.objects.filter(email_fingerprint=email_fingerprint(email))
    user = known.select_related("partner").select_for_update(of=("self",)).first()
    if user is None:
        codes.right_password(password, _nobodys_password(), line=NOBODY)
        return None
    now = timezone.now()
    password_right = codes.right_password(password, user.password, line=user.pk)
    proved = user.proves(token, now=now, password_right=password_right)
    if proved:
        user.last_signed_in_at = now
        if codes.former_pepper(user.password):
            user.password = codes.password_hash(password, line=user.pk)
    user.save(update_fields=[*TRIED, "last_signed_in_at", "password"])
    return user if proved else None


@cache
def _nobodys_password() -> str:
    return codes.password_hash(secrets.token_urlsafe(), line=NOBODY)


@transaction.atomic
def confirm(user: PartnerUser, token: str) -> bool:
    """A fresh code before something that matters. A wrong one counts like any other wrong try."""
    held = PartnerUser.objects.select_for_update().get(pk=user.pk)
    proved = held.proves(token, now=timezone.now())
    held.save(update_fields=TRIED)
    return proved
