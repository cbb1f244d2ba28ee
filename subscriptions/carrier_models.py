import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ansim.lib.fingerprint import FingerprintField
from ansim.lib.sealed import SealedField


class CarrierEvent(models.Model):
    """What the carrier reported of a contract, kept as it came: the facts from which courses are drawn (`timeline`).

    The contract need not be known to us. Of a row nothing ever changes but its standing.
    """

    class Type(models.TextChoices):
        """What means something. The last two are no reports: `reconciliation` found them by asking."""

        SUSPENDED = "suspended", _("일시 정지")
        RESUMED = "resumed", _("일시 정지 해제")
        TERMINATED = "terminated", _("회선 해지")
        PORTED_OUT = "ported_out", _("번호이동")
        OWNER_CHANGED = "owner_changed", _("명의 변경")
        NUMBER_CHANGED = "number_changed", _("번호 변경")
        DEVICE_CHANGED = "device_changed", _("휴대폰 변경")
        PLAN_CHANGED = "plan_changed", _("요금제 변경")
        SIM_CHANGED = "sim_changed", _("유심 변경")
        NOT_INDIVIDUAL = "not_individual", _("법인 명의")
        NOT_OWN_NAME = "not_own_name", _("타인 명의")

    class Standing(models.TextChoices):
        APPLIED = "applied", _("반영")  # it took its place in the course of a subscription
        WITHOUT_EFFECT = "without_effect", _("영향 없음")  # nobody had joined then, or the service had ended
        STUCK = "stuck", _("확인 필요")  # unknown contract or type: somebody must look
        ANSWERED = "answered", _("확인함")  # was stuck; somebody looked

    UNKNOWN = "unknown:"
    OUR_OWN = "ansim/reconciliation"
    """The source of what nobody reported and we found out ourselves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(_("보낸 곳"), max_length=255)
    event_id = models.CharField(_("이벤트 ID"), max_length=255)
    type = models.CharField(_("종류"), max_length=263)
    """One of `Type`; any other type as it came, behind `unknown:`, so that it is never taken for one of ours."""
    contract = SealedField()
    contract_fingerprint = FingerprintField()
    time = models.DateTimeField(_("일어난 때"))
    """When it happened, as the carrier says."""
    data = SealedField(null=True)
    received_at = models.DateTimeField(_("받은 때"), auto_now_add=True)
    standing = models.CharField(_("상태"), max_length=14, choices=Standing)

    class Meta:
        verbose_name = verbose_name_plural = _("통신사 이벤트")
        constraints = [models.UniqueConstraint(name="carrierevent_once", fields=["source", "event_id"])]
        indexes = [
            models.Index(name="carrierevent_of_contract", fields=["contract_fingerprint", "time", "event_id"]),
            models.Index(name="carrierevent_stuck", fields=["received_at"], condition=Q(standing="stuck")),
            models.Index(name="carrierevent_age", fields=["received_at"]),
        ]

    @property
    def is_known(self) -> bool:
        return self.type in self.Type.values


class Reconciliation(models.Model):
    """One sweep over every active subscription, asking the carrier about each: how far it is, and what came of it.

    At most one is at work. Whoever works on it holds it until `taken_until`, so that a process that dies gives it back.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    done_up_to = models.UUIDField(null=True)
    """The last subscription that was asked about; they go by their ids."""
    taken_until = models.DateTimeField(null=True)
    checked = models.PositiveIntegerField(default=0)
    repaired = models.PositiveIntegerField(default=0)
    reported = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="reconciliation_one_at_work", fields=["ended_at"], condition=Q(ended_at=None), nulls_distinct=False
            )
        ]
