import uuid

from django.db import models
from django.db.models import Q

from ansim.lib.fingerprint import FingerprintField
from ansim.lib.sealed import SealedField
from ansim.models import Agent
from subscriptions.billing_models import Charge as Charge
from subscriptions.billing_models import ClosedMonth as ClosedMonth
from subscriptions.billing_models import Posting as Posting
from subscriptions.billing_models import Price as Price
from subscriptions.billing_models import Unsettled as Unsettled
from subscriptions.carrier_models import CarrierEvent as CarrierEvent
from subscriptions.carrier_models import Reconciliation as Reconciliation
from subscriptions.consent_models import Consent as Consent
from subscriptions.consent_models import ConsentDocument as ConsentDocument
from subscriptions.leaving_models import LeavingReason as LeavingReason
from subscriptions.page_models import Announcement as Announcement
from subscriptions.page_models import Question as Question
from subscriptions.search_models import FoundBy as FoundBy
from subscriptions.session_models import CustomerSession as CustomerSession
from verification.models import Line


class Subscription(models.Model):
    """The add-on service of one line, from joining to leaving. Whether the app is registered is another fact (S5).

    Facts: who joined when, and when the customer or the desk cancelled. Conclusions, drawn from these and from the
    carrier's events by `lifecycle.conclude` and written by nobody else: state, suspended_at, ended_at, end_reason.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        ENDED = "ended"

    MOVES = {State.ACTIVE: frozenset({State.ENDED})}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.ForeignKey(Line, models.PROTECT, related_name="subscriptions")
    holder = SealedField()
    """Who joined: {"name", "birthdate" (ISO), "ci"}."""
    holder_fingerprint = FingerprintField(db_index=True)
    """Keyed fingerprint of the CI: one person's lines."""
    verification = models.UUIDField(null=True, unique=True)
    """The verification that proved on the web who joined: it joins once. None where nobody had to be proved."""
    joined_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=32, default="", blank=True)
    """Who cancelled: "customer", "desk" …"""

    state = models.CharField(max_length=6, choices=State, default=State.ACTIVE)
    suspended_at = models.DateTimeField(null=True)
    """Since when the carrier has suspended the line; None when it has not."""
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=32, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="subscription_one_active", fields=["line"], condition=Q(state="active")),
            models.CheckConstraint(
                name="subscription_ended_has_time",
                condition=Q(state="active", ended_at=None) | Q(state="ended", ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="subscription_ends_after_joining",
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("joined_at")),
            ),
            models.CheckConstraint(
                name="subscription_cancelled_by_somebody",
                condition=Q(cancelled_at=None, cancel_reason="")
                | (Q(cancelled_at__isnull=False) & ~Q(cancel_reason="")),
            ),
        ]
        indexes = [models.Index(name="subscription_age", fields=["ended_at"], condition=Q(ended_at__isnull=False))]


class PendingChange(models.Model):
    """What turns protection down without the app waits a day, is told to the phone, and one tap there stops it.

    (Invariant 6.) Open while neither `stopped_at` nor `done_at` is set.
    """

    class Kind(models.TextChoices):
        CANCELLATION = "cancellation"
        RESET = "reset"  # the app may be registered again without its former password

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="pending_changes")
    kind = models.CharField(max_length=12, choices=Kind)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(Agent, models.PROTECT, null=True)
    """The agent who took it down; None where the demo did."""
    needs_approval = models.BooleanField(default=False)
    """No phone could stop it when it was taken down: it begins to wait when a second person approved it."""
    approved_by = models.ForeignKey(Agent, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    """Counted from the approval where it needs one."""
    stopped_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="pendingchange_one_open",
                fields=["subscription", "kind"],
                condition=Q(stopped_at=None, done_at=None),
            ),
            models.CheckConstraint(name="pendingchange_ends_once", condition=Q(stopped_at=None) | Q(done_at=None)),
            models.CheckConstraint(
                name="pendingchange_approved_by_another",
                condition=Q(approved_by=None, approved_at=None)
                | (
                    Q(approved_by__isnull=False, approved_at__isnull=False, asked_by__isnull=False)
                    & ~Q(approved_by=models.F("asked_by"))
                ),
            ),
            models.CheckConstraint(
                name="pendingchange_done_when_approved",
                condition=Q(done_at=None) | Q(needs_approval=False) | Q(approved_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="pendingchange_due", fields=["due_at"], condition=Q(stopped_at=None, done_at=None))
        ]

    @property
    def awaits_approval(self) -> bool:
        return self.needs_approval and self.approved_at is None
