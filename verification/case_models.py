import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ansim.lib.sealed import SealedField
from ansim.models import Agent


class Case(models.Model):
    """Something that the desk has to look into, opened by the owner of a line.

    `not_me`: somebody asked for a verification that the owner did not (mission.md section 4). The reports of a line
    about a partner also tell for how long that partner is slowed there (`verification.not_me`).
    """

    class Kind(models.TextChoices):
        NOT_ME = "not_me", _("내가 요청하지 않은 인증")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind, verbose_name=_("종류"))
    line = models.ForeignKey("verification.Line", models.PROTECT, related_name="cases")
    partner = models.ForeignKey(
        "verification.Partner", models.PROTECT, related_name="cases", verbose_name=_("이용 사이트")
    )
    verification = models.ForeignKey("verification.Verification", models.PROTECT, related_name="cases")
    opened_at = models.DateTimeField(verbose_name=_("신고한 때"))
    slowed_until = models.DateTimeField()
    """Until then this partner's requests for this line are `line_blocked`."""
    facts = SealedField()
    """What was known when it was opened (`not_me.facts_of`): no name, no number, no birth date."""
    closed_at = models.DateTimeField(null=True, blank=True, verbose_name=_("끝낸 때"))
    closed_by = models.ForeignKey(Agent, models.PROTECT, null=True, blank=True, related_name="+")
    note = SealedField(null=True)
    """What the desk found, in the agent's own words."""

    class Meta:
        verbose_name = _("상담할 일")
        verbose_name_plural = _("상담할 일")
        constraints = [
            models.UniqueConstraint(name="case_once_of_verification", fields=["kind", "verification"]),
            models.CheckConstraint(
                name="case_closed_by_somebody", condition=Q(closed_by=None) | Q(closed_at__isnull=False)
            ),
            models.CheckConstraint(
                name="case_closed_after_opened", condition=Q(closed_at=None) | Q(closed_at__gte=F("opened_at"))
            ),
        ]
        indexes = [
            models.Index(name="case_of_line", fields=["line", "-opened_at"]),
            models.Index(name="case_open", fields=["opened_at"], condition=Q(closed_at=None)),
        ]
