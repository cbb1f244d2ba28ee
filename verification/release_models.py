import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

from ansim.lib.times import APART

LONGEST = timedelta(minutes=10)


class ReleaseQuerySet(models.QuerySet["Release"]):
    def live(self, *, now: datetime) -> "ReleaseQuerySet":
        """Neither used nor ended, and in its time: not before it began either, by whatever clock that was."""
        return self.filter(used_by=None, ended_at=None, created_at__lte=now, expires_at__gt=now)

    def over(self, *, now: datetime) -> "ReleaseQuerySet":
        """Not used, and over by time; or of a time to come, and nobody knows what clock dated it."""
        out_of_time = Q(expires_at__lte=now) | Q(created_at__gt=now + APART)
        return self.filter(out_of_time, used_by=None, ended_at=None)


class Release(models.Model):
    """The owner's own temporary release: one request of one partner may go by SMS, once, within its minutes (S11).

    The one exception to invariant 1. Opened in the app with the password and in no other way; used up by exactly one
    verification. Whether it lives is decided by time at the ask: no job has to run for the protection to be back.
    The database holds a released verification to its row here (migration 0011).
    """

    class End(models.TextChoices):
        TIME = "time"
        OWNER = "owner"
        RENEWED = "renewed"  # another release for the same partner took its place
        CHANGED = "changed"  # of the protection, the phone or the line
        LOCKED = "locked"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.ForeignKey("verification.Line", models.PROTECT, related_name="releases")
    partner = models.ForeignKey("verification.Partner", models.PROTECT, related_name="releases")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.OneToOneField("verification.Verification", models.PROTECT, null=True, related_name="release")
    ended_at = models.DateTimeField(null=True)
    """When it ended without having been used, and the owner was told."""
    ended_by = models.CharField(max_length=8, choices=End, default="", blank=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="release_one_of_line_and_partner",
                fields=["line", "partner"],
                condition=Q(used_by=None, ended_at=None),
            ),
            models.CheckConstraint(
                name="release_at_most_ten_minutes",
                condition=Q(expires_at__gt=F("created_at"), expires_at__lte=F("created_at") + LONGEST),
            ),
            models.CheckConstraint(
                name="release_used_in_its_time",
                condition=Q(used_at=None, used_by=None)
                | Q(used_by__isnull=False, ended_at=None, used_at__gte=F("created_at"), used_at__lt=F("expires_at")),
            ),
            models.CheckConstraint(
                name="release_ended_by_something",
                condition=Q(ended_at=None, ended_by="") | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
            ),
        ]
        indexes = [
            models.Index(name="release_open", fields=["expires_at"], condition=Q(used_by=None, ended_at=None)),
            models.Index(name="release_newest", fields=["line", "-created_at"]),
        ]
