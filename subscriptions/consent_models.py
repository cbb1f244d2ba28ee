import uuid

from django.db import models


class ConsentDocument(models.Model):
    """One version of a text that people agree to, or are told (the privacy policy). Never changed once it began.

    `version` is the day it begins, "2026-11-23". Bodies are Markdown without HTML.
    """

    class Kind(models.TextChoices):
        TERMS = "terms"
        COLLECT = "collect"
        SHARE = "share"
        MARKETING = "marketing"
        PRIVACY = "privacy"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=9, choices=Kind)
    version = models.CharField(max_length=10)
    starts_at = models.DateTimeField()
    required = models.BooleanField()
    title_ko = models.CharField(max_length=100)
    title_en = models.CharField(max_length=100)
    summary_ko = models.JSONField(default=list, blank=True)
    """Three lines: what is handled, what for, how long."""
    summary_en = models.JSONField(default=list, blank=True)
    body_ko = models.TextField()
    body_en = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(name="consentdocument_version_once", fields=["kind", "version"])]


class Consent(models.Model):
    """That somebody agreed to one version of a document, or withdrew. Immutable: a withdrawal is a new row."""

    class Channel(models.TextChoices):
        WEB = "web"
        APP = "app"
        DESK = "desk"
        DEMO = "demo"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subscription = models.ForeignKey("subscriptions.Subscription", models.PROTECT, related_name="consents")
    document = models.ForeignKey(ConsentDocument, models.PROTECT, related_name="consents")
    agreed = models.BooleanField()
    """False: withdrawn, or an optional one that was left unticked is no row at all."""
    at = models.DateTimeField()
    channel = models.CharField(max_length=4, choices=Channel)

    class Meta:
        indexes = [models.Index(name="consent_newest", fields=["subscription", "document", "-at"])]
