import uuid

from django.db import models
from django.db.models import Q

from ansim.lib.fingerprint import FingerprintField


class Letters(models.Model):
    """Eight letters sent by SMS to whoever wants to register the app of a protected line again.

    No number of any verification: they open nothing but the question for the old app password (invariant 1). A row is
    written for strangers too, without a line and with letters that nobody was told, so that both look alike.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.ForeignKey("verification.Line", models.CASCADE, null=True, related_name="letters")
    fingerprint = FingerprintField()
    tries_left = models.PositiveSmallIntegerField()
    typed_fingerprint = FingerprintField()
    address_fingerprint = FingerprintField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    """When they were used for an activation code, or newer ones took their place."""

    class Meta:
        constraints = [
            models.UniqueConstraint(name="letters_one_per_line", fields=["line"], condition=Q(ended_at=None)),
            models.CheckConstraint(
                name="letters_confirmed_have_line", condition=Q(confirmed_at=None) | Q(line__isnull=False)
            ),
        ]
        indexes = [
            models.Index(name="letters_of_typed", fields=["typed_fingerprint", "-asked_at"]),
            models.Index(name="letters_of_line", fields=["line", "-asked_at"], condition=Q(line__isnull=False)),
        ]
