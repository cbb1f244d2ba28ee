import uuid

from django.db import models
from django.db.models import Q

from ansim.lib.sealed import SealedField
from verification.models import Line


class Subscription(models.Model):
    """The add-on service of one line, from joining to leaving. Whether the app is registered is another fact (S5)."""

    class State(models.TextChoices):
        ACTIVE = "active"
        ENDED = "ended"

    MOVES = {State.ACTIVE: frozenset({State.ENDED})}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.ForeignKey(Line, models.PROTECT, related_name="subscriptions")
    holder = SealedField()
    """Who joined: {"name", "birthdate" (ISO), "ci"}."""
    holder_fingerprint = models.CharField(max_length=64, db_index=True)
    """Keyed fingerprint of the CI: one person's lines."""
    state = models.CharField(max_length=6, choices=State, default=State.ACTIVE)
    joined_at = models.DateTimeField()
    leaves_at = models.DateTimeField(null=True)
    """When a cancellation that staff took down takes effect, unless the owner stops it (invariant 6)."""
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=32, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="subscription_one_active", fields=["line"], condition=Q(state="active")),
            models.CheckConstraint(
                name="subscription_ended_has_time",
                condition=Q(state="active", ended_at=None) | Q(state="ended", ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="subscription_ends_after_joining",
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("joined_at")),
            ),
        ]
        indexes = [models.Index(name="subscription_leaving", fields=["leaves_at"], condition=Q(state="active"))]
