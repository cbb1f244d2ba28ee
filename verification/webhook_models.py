"""What partners are owed and what came of it. `verification.models` has them like any other model."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class WebhookDelivery(models.Model):
    """What we owe to a partner's endpoint: one row for each event, written with the move it tells of.

    `due_at` is when somebody may try (again). Whoever takes a row moves it ahead by a lease and sets `in_the_air`;
    a row in the air whose `due_at` has passed was held by a process that died.
    """

    class State(models.TextChoices):
        OWED = "owed", _("전달 전")
        DELIVERED = "delivered", _("전달함")
        GIVEN_UP = "given_up", _("그만둠")  # the ladder is used up, or the endpoint is gone

    MOVES = {
        State.OWED: frozenset({State.DELIVERED, State.GIVEN_UP}),
        State.DELIVERED: frozenset({State.OWED}),  # replayed
        State.GIVEN_UP: frozenset({State.OWED}),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of their own for the two: `webhookdelivery_newest` and `webhookdelivery_event_once` begin with them.
    partner = models.ForeignKey("verification.Partner", models.CASCADE, db_index=False)
    verification = models.ForeignKey(
        "verification.Verification", models.CASCADE, related_name="webhooks", db_index=False
    )
    type = models.CharField(max_length=32)
    body = models.TextField()
    state = models.CharField(max_length=9, choices=State, default=State.OWED)
    due_at = models.DateTimeField()
    in_the_air = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    ladder_from = models.PositiveIntegerField(default=0)
    """How many attempts there were when it was last replayed: the ladder counts from there."""
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=64, default="")

    class Meta:
        verbose_name = _("웹훅")
        verbose_name_plural = _("웹훅")
        constraints = [
            models.UniqueConstraint(name="webhookdelivery_event_once", fields=["verification", "type"]),
            models.CheckConstraint(
                name="webhookdelivery_delivered_has_time",
                condition=Q(state="delivered", delivered_at__isnull=False)
                | (~Q(state="delivered") & Q(delivered_at=None)),
            ),
            models.CheckConstraint(
                name="webhookdelivery_only_owed_flies", condition=Q(state="owed") | Q(in_the_air=False)
            ),
        ]
        indexes = [
            models.Index(name="webhookdelivery_owed", fields=["due_at"], condition=Q(state="owed")),
            # Who claims skips through it from partner to partner, however much one of them is owed.
            models.Index(name="webhookdelivery_owed_to", fields=["partner", "due_at"], condition=Q(state="owed")),
            models.Index(name="webhookdelivery_in_the_air", fields=["partner"], condition=Q(in_the_air=True)),
            models.Index(name="webhookdelivery_newest", fields=["partner", "-created_at", "-id"]),
        ]

    @property
    def webhook_id(self) -> str:
        """What the partner sees: the same at each attempt and after a replay, so that it can tell repeats."""
        return f"msg_{self.id.hex}"

    def replay(self, *, now: datetime) -> None:
        """Owe it anew, on this object; the caller writes it. What is in the air just now stays as it is."""
        if self.in_the_air and self.due_at > now:
            return
        self.state, self.due_at, self.in_the_air = self.State.OWED, now, False
        self.ladder_from, self.delivered_at = self.attempts, None


class WebhookAttempt(models.Model):
    """One try to deliver, kept for a while so that a partner can see what its endpoint did. Never a body."""

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="log")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    """The HTTP status; None where none came."""
    error = models.CharField(max_length=64, default="")
    """Why none came: `ansim.lib.outbound.Failure`'s code, or `interrupted` when our own process died."""
    ms = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = _("전달 시도")
        verbose_name_plural = _("전달 시도")
        indexes = [models.Index(name="webhookattempt_age", fields=["at"])]
