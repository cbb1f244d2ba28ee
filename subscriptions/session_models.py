import uuid

from django.db import models

from ansim.lib.fingerprint import FingerprintField
from pushes.models import Device


class CustomerSession(models.Model):
    """A browser in which a customer is signed in to "my page", proved by the app (mission.md section 2: no account).

    Good only while its subscription is active and `device` is still the line's device: whatever ends the registration
    ends the session with it. The browser holds a token of which only the keyed fingerprint is kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subscription = models.ForeignKey("subscriptions.Subscription", models.CASCADE, related_name="sessions")
    device = models.ForeignKey(Device, models.CASCADE)
    verification = models.UUIDField(unique=True)
    """The verification that proved it: it opens one session, once."""
    token_fingerprint = FingerprintField(unique=True)
    browser = models.CharField(max_length=64)
    """The browser in words, "Chrome · Android", to be told apart in the list."""
    browser_fingerprint = FingerprintField()
    region = models.CharField(max_length=64, default="")
    began_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(name="customersession_over", fields=["ends_at"])]
        constraints = [
            models.CheckConstraint(
                name="customersession_ends_after_beginning", condition=models.Q(ends_at__gt=models.F("began_at"))
            )
        ]
