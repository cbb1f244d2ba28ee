"""The people of partners who use the console, and what they changed. `verification.models` has them too.

They are no `Agent`s: staff see customers, these see nothing but their own partner.
"""

import base64
import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.oath import TOTP

from ansim.lib import fingerprint
from ansim.lib.fingerprint import FingerprintField
from ansim.lib.keyed import PepperedField
from ansim.lib.sealed import SealedField

TRIES = 5  # wrong ones in a row, whatever was wrong
LOCKED_FOR = timedelta(minutes=15)
TOLERANCE = 1  # steps of 30 s to either side: clocks of phones differ


def email_fingerprint(email: str) -> str:
    """Blanks around it and capital letters make no other address."""
    return fingerprint.of("partner-user-email", email.strip().casefold())


class PartnerUser(models.Model):
    """Somebody who works for a partner and may sign in to its console, with a password and a one-time code."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    partner = models.ForeignKey("verification.Partner", models.PROTECT, related_name="users")
    email = SealedField()
    email_fingerprint = FingerprintField(unique=True, guards=True)
    name = SealedField()
    password = PepperedField(max_length=255)
    totp_key = SealedField()
    """Base32, as authenticator apps take it (RFC 6238: SHA-1, six digits, 30 s)."""
    totp_last_step = models.BigIntegerField(default=0)
    """The step of the code that was taken last: that one and older ones count no more."""
    failed_tries = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_signed_in_at = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)

    def proves(self, token: str, *, now: datetime, password_right: bool = True) -> bool:
        """Whether this is the person, on this object; the caller holds the row and writes it either way.

        A right code counts once. The fifth wrong try in a row locks; while it is locked everything is wrong.
        """
        if self.disabled_at or (self.locked_until and self.locked_until > now):
            return False
        step = self._step(token, now)
        if password_right and step is not None:
            self.totp_last_step, self.failed_tries, self.locked_until = step, 0, None
            return True
        self.failed_tries += 1
        if self.failed_tries >= TRIES:
            self.failed_tries, self.locked_until = 0, now + LOCKED_FOR
        return False

    def _step(self, token: str, now: datetime) -> int | None:
        """Of which step the code is; None for a wrong, an old and a used one."""
        if not (token.isascii() and token.isdecimal() and len(token) == 6):
            return None
        totp = TOTP(base64.b32decode(self.totp_key))
        totp.time = now.timestamp()
        return int(totp.t()) if totp.verify(int(token), TOLERANCE, self.totp_last_step + 1) else None


class PartnerChange(models.Model):
    """Who changed what of a partner, when and from where. Rows are added only; the database refuses anything else."""

    class Kind(models.TextChoices):
        RETURN_ORIGINS = "return_origins", _("돌아갈 출처를 바꿈")
        WEBHOOK_URL = "webhook_url", _("웹훅 주소를 바꿈")
        WEBHOOK_SECRET = "webhook_secret", _("웹훅 비밀을 새로 만듦")
        KEY_MADE = "key_made", _("API 열쇠를 만듦")
        KEY_REVOKED = "key_revoked", _("API 열쇠를 없앰")
        ALLOWED_IPS = "allowed_ips", _("API 열쇠의 허용 주소를 바꿈")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    partner = models.ForeignKey("verification.Partner", models.PROTECT, related_name="changes")
    user = models.ForeignKey(PartnerUser, models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=14, choices=Kind)
    detail = models.JSONField(default=list)
    """What it is now, as a list of texts. Never a secret."""
    address = SealedField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="partnerchange_newest", fields=["partner", "-created_at", "-id"])]
