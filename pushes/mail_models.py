import uuid

from django.db import models
from django.db.models import Q

from ansim.lib.fingerprint import FingerprintField
from ansim.lib.sealed import SealedField


class MailAddress(models.Model):
    """Where the owner of a line wants notices to go as well, by e-mail (`verification.owner_mail`).

    Only a confirmed `address` is ever written to, but for the letters that confirm one that is `wanted`. It goes with
    the service: whoever has the line next never finds it. The line is a row of the layer above: an id and nothing more.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.UUIDField(unique=True)
    address = SealedField(null=True)
    language = models.CharField(max_length=2)
    wanted = SealedField(null=True)
    letters_fingerprint = FingerprintField(null=True)  # no letters are out
    letters_expire_at = models.DateTimeField(null=True)
    wrong_letters = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="mailaddress_wanted_has_letters",
                condition=Q(wanted=None, letters_fingerprint=None, letters_expire_at=None)
                | Q(wanted__isnull=False, letters_fingerprint__isnull=False, letters_expire_at__isnull=False),
            ),
            models.CheckConstraint(
                name="mailaddress_is_for_something", condition=Q(address__isnull=False) | Q(wanted__isnull=False)
            ),
        ]
