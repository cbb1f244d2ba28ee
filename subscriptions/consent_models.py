import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConsentDocument(models.Model):
    """One version of a text that people agree to, or are told (the privacy policy). Never changed once it began.

    `version` is the day it begins, "2026-11-23". Bodies are Markdown without HTML.
    """

    class Kind(models.TextChoices):
        TERMS = "terms", _("이용약관")
        COLLECT = "collect", _("개인정보 수집·이용")
        SHARE = "share", _("개인정보 제공")
        MARKETING = "marketing", _("소식 받기")
        PRIVACY = "privacy", _("개인정보처리방침")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=9, choices=Kind, verbose_name=_("종류"))
    version = models.CharField(max_length=10, verbose_name=_("판"))
    starts_at = models.DateTimeField(verbose_name=_("시작하는 때"))
    required = models.BooleanField(verbose_name=_("필수"))
    title_ko = models.CharField(max_length=100, verbose_name=_("제목"))
    title_en = models.CharField(max_length=100, verbose_name=_("영어 제목"))
    summary_ko = models.JSONField(default=list, blank=True, verbose_name=_("요약 세 줄"))
    """Three lines: what is handled, what for, how long."""
    summary_en = models.JSONField(default=list, blank=True, verbose_name=_("영어 요약 세 줄"))
    body_ko = models.TextField(verbose_name=_("내용"))
    body_en = models.TextField(verbose_name=_("영어 내용"))

    class Meta:
        verbose_name = verbose_name_plural = _("동의 문서")
        constraints = [models.UniqueConstraint(name="consentdocument_version_once", fields=["kind", "version"])]

    def __str__(self) -> str:
        return f"{self.title_ko} {self.version}"


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
