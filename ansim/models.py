from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ansim.lib.fingerprint import FingerprintField
from ansim.record_models import AccessRecord as AccessRecord
from ansim.record_models import MonthReview as MonthReview
from ansim.retention_models import Purge as Purge
from ansim.retention_models import RecordCut as RecordCut
from ansim.retention_models import RetentionRule as RetentionRule
from ansim.staff_models import RecoveryCode as RecoveryCode
from ansim.staff_models import SignInTries as SignInTries


class Agent(AbstractUser):
    """A member of staff: agent, supervisor, auditor … (their groups, `ansim.roles`). Customers are never users."""

    own_phone = FingerprintField(default="", blank=True)
    """Keyed fingerprint of their own number: nobody acts on, or looks at, their own line. Empty: not told yet."""
    sitting = FingerprintField(default="", blank=True)
    """Keyed fingerprint of the one session at the desk; a newer one takes its place. Empty: signed out."""
    enrolment = FingerprintField(default="", blank=True)
    """Keyed fingerprint of the code with which the agent sets a password and an authenticator app, once."""
    enrolment_until = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractUser.Meta):
        verbose_name = verbose_name_plural = _("직원")  # type: ignore[assignment] # Django takes lazy ones
        permissions = [
            ("find_customer", "Can find a customer"),
            ("reveal_customer", "Can reveal one field of a customer"),
            ("ask_cancellation", "Can take down a cancellation"),
            ("ask_reset", "Can take down a reset of the app"),
            ("stop_pending", "Can stop what was taken down"),
            ("approve_pending", "Can approve what somebody else took down"),
            ("revoke_app", "Can revoke the app of a lost phone"),
            ("stop_line", "Can stop all verifications of a line"),
            ("send_install_link", "Can send the link to install the app"),
            ("review_record", "Can review the record of access each month"),
            ("view_all_looks", "Can see what other staff looked at"),
        ]
        constraints = [
            models.CheckConstraint(
                name="agent_enrolment_has_end",
                condition=Q(enrolment="", enrolment_until=None) | (~Q(enrolment="") & Q(enrolment_until__isnull=False)),
            )
        ]

    @cached_property
    def roles(self) -> list[str]:
        """As they were when first asked for on this object."""
        return sorted(self.groups.values_list("name", flat=True))


class Spent(models.Model):
    """What counts once (`ansim.once`), kept here only while Redis is away."""

    name = models.CharField(max_length=200, primary_key=True)
    until = models.DateTimeField()


class Rate(models.Model):
    """How often somebody came within the present window (`ansim.rates`), counted here only while Redis is away."""

    name = models.CharField(max_length=200, primary_key=True)
    starts_at = models.BigIntegerField()
    """Seconds since 1970."""
    count = models.PositiveIntegerField()
