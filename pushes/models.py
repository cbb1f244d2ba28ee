import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q

from ansim.lib.sealed import SealedField
from pushes.mail_models import MailAddress as MailAddress


class Device(models.Model):
    """A phone with our app: where it is reached and which keys are its own. Both key pairs never leave the phone."""

    class Platform(models.TextChoices):
        ANDROID = "android"
        IOS = "ios"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    platform = models.CharField(max_length=8, choices=Platform)
    os_version = models.CharField(max_length=32)
    model = models.CharField(max_length=64)
    app_version = models.CharField(max_length=32)
    push_token = SealedField(null=True)
    """The provider's address of this phone; None once it was refused: the app polls until it brings a new one."""
    signing_key = models.JSONField()
    sealing_key = models.JSONField()
    registered_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)


class Message(models.Model):
    """What we owe to a phone. It is owed from the commit that wrote it until it was sent, refused for good or too late.

    `due_at` is when somebody may try (again); whoever takes a message moves it ahead, so that a process that dies at
    work holds it up for `outbox.LEASE` seconds and no longer. Nothing else about delivery is a state.
    """

    class Channel(models.TextChoices):
        FCM = "fcm"
        APNS = "apns"
        SMS = "sms"
        MAIL = "mail"

    class Kind(models.TextChoices):
        WAKE = "wake"  # open the app: an id, no secret
        NUMBER = "number"  # the number, sealed for one phone
        NOTICE = "notice"  # something happened (replaced, cancelled …)
        SMS = "sms"  # a text to a line
        MAIL = "mail"  # words to the address that an owner gave

    class State(models.TextChoices):
        OWED = "owed"
        SENT = "sent"
        FAILED = "failed"  # refused for good, or no address
        EXPIRED = "expired"  # too late to be of use
        VOID = "void"  # no longer wanted by who owed it

    LONGEST_LIFE = timedelta(days=3)  # a notice's
    MOVES = {State.OWED: frozenset({State.SENT, State.FAILED, State.EXPIRED, State.VOID})}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=4, choices=Channel)
    kind = models.CharField(max_length=6, choices=Kind)
    device = models.ForeignKey(Device, models.CASCADE, null=True)
    about = models.UUIDField(null=True, db_index=True)
    """The verification it belongs to, if any."""
    body = SealedField(null=True)
    """sms: {"to", "text"} · mail: {"to", "subject", "text"} · number: {"envelope"} · notice: {"notice"} · wake: None.
    Erased when it has expired.
    """
    state = models.CharField(max_length=8, choices=State, default=State.OWED)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=200, default="")
    last_error = models.CharField(max_length=64, default="")
    """The provider's own code of the last failure."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="message_sms_or_device",
                condition=Q(kind="sms", channel="sms", device=None)
                | Q(kind="mail", channel="mail", device=None)
                | (~Q(kind__in=("sms", "mail")) & ~Q(channel__in=("sms", "mail")) & Q(device__isnull=False)),
            ),
            models.CheckConstraint(
                name="message_sent_has_time",
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
            ),
        ]
        indexes = [
            models.Index(name="message_owed", fields=["channel", "due_at"], condition=Q(state="owed")),
            models.Index(name="message_with_body", fields=["expires_at"], condition=Q(body__isnull=False)),
            models.Index(name="message_age", fields=["created_at"]),
            models.Index(name="message_failed", fields=["created_at"], condition=Q(state="failed")),
        ]
