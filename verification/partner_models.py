"""Who may ask: partners and their keys."""

import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ansim.lib.fingerprint import FingerprintField
from ansim.lib.sealed import SealedField

GRANTS = ("name", "birthdate", "adult", "gender", "foreigner", "phone", "carrier", "ci", "di")


class Partner(models.Model):
    """A site, or an agency acting for many sites, that may ask whether somebody is who they say."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64, verbose_name=_("이름"))
    domain = models.CharField(max_length=253, verbose_name=_("도메인"))
    is_agency = models.BooleanField(default=False, verbose_name=_("인증 대행사"))
    sites = models.JSONField(default=list, blank=True, verbose_name=_("맡은 사이트"))
    """An agency's registered sites: [{"domain", "name"}]."""
    grants = ArrayField(models.CharField(max_length=16), default=list, verbose_name=_("계약으로 받는 정보"))
    """The fields its contract gives it, of GRANTS."""
    return_origins = ArrayField(
        models.CharField(max_length=255), default=list, blank=True, verbose_name=_("돌아갈 출처")
    )
    webhook_url = models.CharField(max_length=500, blank=True, default="", verbose_name=_("웹훅 주소"))
    webhook_secret = SealedField(null=True)
    previous_webhook_secret = SealedField(null=True)
    """After a rotation: signs beside the new one until `previous_webhook_secret_until`."""
    previous_webhook_secret_until = models.DateTimeField(
        null=True, blank=True, verbose_name=_("옛 웹훅 비밀을 함께 쓰는 때까지")
    )
    webhook_disabled_at = models.DateTimeField(null=True, blank=True, verbose_name=_("웹훅이 꺼진 때"))
    slowed_until = models.DateTimeField(null=True, blank=True)
    """Set by the conversion breaker: its SMS were rarely completed (SMS pumping)."""
    window_asks = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    """What the hosted window asks for besides birth date and phone: of "name", "carrier"."""
    limits = models.JSONField(default=dict, blank=True, verbose_name=_("따로 정한 한도"))
    """What differs from `verification.limits.DEFAULTS` for this partner."""
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("등록한 때"))

    class Meta:
        verbose_name = _("이용 사이트")
        verbose_name_plural = _("이용 사이트")
        constraints = [
            models.CheckConstraint(
                name="partner_previous_webhook_secret_has_end",
                condition=Q(previous_webhook_secret=None, previous_webhook_secret_until=None)
                | Q(previous_webhook_secret__isnull=False, previous_webhook_secret_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def hears(self) -> bool:
        """Whether webhooks are wanted: there is an endpoint, and it did not answer 410."""
        return bool(self.webhook_url) and self.webhook_disabled_at is None

    def webhook_secrets(self, *, now: datetime) -> list[str]:
        """Those that sign now, the newest first."""
        until = self.previous_webhook_secret_until
        rotating = until is not None and until > now
        return [self.webhook_secret, *([self.previous_webhook_secret] if rotating else [])]


class ApiKey(models.Model):
    """A partner's key: shown once, kept as a hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="keys")
    fingerprint = FingerprintField(unique=True)
    hint = models.CharField(max_length=16)
    """Its beginning and end, to tell keys apart on a page."""
    live = models.BooleanField(default=False)
    allowed_ips = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
