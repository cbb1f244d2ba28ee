import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ansim.lib.fingerprint import FingerprintField
from ansim.lib.keyed import PepperedField
from ansim.lib.sealed import SealedField
from pushes.models import Device
from verification import states
from verification.case_models import Case as Case
from verification.letters_models import Letters as Letters
from verification.lines import LineQuerySet
from verification.partner_models import GRANTS as GRANTS
from verification.partner_models import ApiKey as ApiKey
from verification.partner_models import Partner as Partner
from verification.partner_users import PartnerChange as PartnerChange
from verification.partner_users import PartnerUser as PartnerUser
from verification.release_models import Release as Release
from verification.webhook_models import WebhookAttempt as WebhookAttempt
from verification.webhook_models import WebhookDelivery as WebhookDelivery

ENDED = "ended_at IS NOT NULL"


class Line(models.Model):
    """A phone line, known by its contract, and what stands between it and its numbers: the protection.

    One row for each line that was ever asked about, protected or not, because it is also the lock: whoever starts,
    moves or ends a verification of the line, or turns its protection, holds this row first (docs/adr/0003).
    """

    class Protection(models.TextChoices):
        OFF = "off"
        ON = "on"
        PAUSED = "paused"  # the carrier suspended the line: no verification at all

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contract = SealedField()
    contract_fingerprint = FingerprintField(unique=True, guards=True)
    phone = SealedField()
    phone_fingerprint = FingerprintField(db_index=True)
    serial = models.BigIntegerField(default=1)
    """Counts the requests whose identity matched; tells `lines.lock` whether it read the newest ones."""
    protection = models.CharField(max_length=6, choices=Protection, default=Protection.OFF)
    protection_ended_at = models.DateTimeField(null=True)
    device = models.OneToOneField(Device, models.SET_NULL, null=True)
    birthdate = SealedField(null=True)
    """ISO date of the protected owner, only to refuse it as a password."""
    password = PepperedField(max_length=255, default="")
    wrong_passwords = models.PositiveSmallIntegerField(default=0)
    wrong_numbers_at = ArrayField(models.DateTimeField(), default=list)
    """When wrong numbers were typed within the last hour, over all partners."""
    stop_all = models.BooleanField(default=False)
    """The owner's switch: nobody may verify this line (`verification.controls`)."""
    blocked_partners = ArrayField(models.UUIDField(), default=list)
    """Partners whose requests the owner blocked."""
    phone_known_at = models.DateTimeField(db_default=Now())
    """When the line had this number, as far as we asked; a report of a number is newer or older than that."""
    owner_since = models.DateTimeField(null=True)
    """From when on its history is the present owner's: nothing older is ever shown (`subscriptions.lifecycle`)."""
    sim_changed_at = models.DateTimeField(null=True)
    """This and the next two as the carrier reported them; its look-up may know better (`identity.kept`)."""
    device_changed_at = models.DateTimeField(null=True)
    number_changed_at = models.DateTimeField(null=True)
    disturbed_at = models.DateTimeField(null=True)
    """When the carrier last reported a change: what was looked up before is out of date (`routing.go`)."""
    activation_fingerprint = FingerprintField(unique=True, null=True)  # no code is out
    activation_expires_at = models.DateTimeField(null=True)

    objects = LineQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="line_unprotected_has_no_device", condition=~Q(protection="off") | Q(device=None)
            ),
            models.CheckConstraint(name="line_device_has_password", condition=Q(device=None) | ~Q(password="")),
            models.CheckConstraint(
                name="line_activation_has_end",
                condition=Q(activation_fingerprint=None, activation_expires_at=None)
                | Q(activation_fingerprint__isnull=False, activation_expires_at__isnull=False),
            ),
        ]

    def read_again(self) -> None:
        """Something beside this row changed (a release, a report): who asks next and waits for the lock reads afresh.

        For a line that the caller holds.
        """
        self.serial += 1
        self.save(update_fields=["serial"])


class Verification(models.Model):
    """One question of a partner to a person: "is this you, right now?" It ends once, in one state, with a reason.

    Whether the phone rang or the partner heard are facts of Message and WebhookDelivery: they never change what may
    happen next, so they are not states. `states` has the whole table; `move` is the only way to change the state.
    """

    State = states.State
    Channel = states.Channel

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of their own for the two: `verification_newest` and `verification_of_line` begin with them.
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="verifications", db_index=False)
    reference = models.CharField(max_length=64)
    purpose = models.CharField(max_length=16)
    site = models.JSONField()
    """What people are shown: {"name", "domain"}, as registered; an agency's site has "agency" too."""
    return_url = models.CharField(max_length=2000, default="")
    region = models.CharField(max_length=64, default="")
    """Where the request came from, as told by the site."""
    livemode = models.BooleanField(default=False)

    state = models.CharField(max_length=13, choices=states.State, default=states.State.CREATED)
    reason = models.CharField(max_length=24, null=True)  # noqa: DJ001 - the API says null
    channel = models.CharField(max_length=3, choices=states.Channel, null=True)  # noqa: DJ001 - null until the identity matched
    released = models.BooleanField(default=False)
    line = models.ForeignKey(Line, models.PROTECT, null=True, related_name="verifications", db_index=False)
    line_serial = models.BigIntegerField(null=True)
    match_number = models.CharField(max_length=2, null=True)  # noqa: DJ001 - the API says null

    code_fingerprint = models.CharField(max_length=64, null=True)  # noqa: DJ001 - there is no number yet
    tries_left = models.PositiveSmallIntegerField()
    resends_left = models.PositiveSmallIntegerField()
    identity_tries_left = models.PositiveSmallIntegerField(default=3)

    created_at = models.DateTimeField()
    matched_at = models.DateTimeField(null=True)
    """When its identity matched: what counts against the line's limits, however long the window stood open before."""
    expires_at = models.DateTimeField()
    """When the present open state ends by itself; once ended, when it would have."""
    code_expires_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    """When the number or the wake-up was last owed; a resend waits from here."""
    opened_at = models.DateTimeField(null=True)
    """When the owner unlocked or denied it in the app (S9)."""
    ended_at = models.DateTimeField(null=True)

    consented = models.JSONField(null=True)
    """What was ticked in the window: {"at", "version", "documents"}; None where the partner sent the identity."""
    holder = SealedField(null=True)
    """The carrier's facts of the person whose identity matched; erased at any end but success, and later then."""
    receipt = SealedField(null=True)
    """The signed receipt; made again without the DI when the result is erased."""

    window_fingerprint = FingerprintField(unique=True, later=ENDED)
    browser_fingerprint = FingerprintField(null=True, later=ENDED)  # no browser has posted yet
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001 - forgotten after a day
    request_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001 - the same
    first_answer = SealedField(null=True)
    """The 201 with the window's secret, to be repeated within a day."""

    class Meta:
        constraints = [
            models.UniqueConstraint(name="verification_reference_once", fields=["partner", "reference"]),
            models.UniqueConstraint(name="verification_idempotency_once", fields=["partner", "idempotency_key"]),
            models.UniqueConstraint(
                name="verification_one_open_per_partner",
                fields=["line", "partner"],
                condition=Q(state__in=("awaiting_app", "awaiting_code")),
            ),
            models.CheckConstraint(
                name="verification_ended_has_time",
                condition=Q(state__in=states.OPEN, ended_at=None)
                | (~Q(state__in=states.OPEN) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="verification_reason_belongs_to_state",
                # A reason that is NULL makes IN neither true nor false, and a check passes unless it is false.
                condition=Q(state__in=(*states.OPEN, states.State.VERIFIED), reason=None)
                | Q(state="failed", reason__in=states.REASONS[states.State.FAILED], reason__isnull=False)
                | Q(state="expired", reason__in=states.REASONS[states.State.EXPIRED], reason__isnull=False)
                | Q(state="denied", reason__in=states.REASONS[states.State.DENIED], reason__isnull=False)
                | Q(state="cancelled", reason__in=states.REASONS[states.State.CANCELLED], reason__isnull=False),
            ),
            models.CheckConstraint(
                # Invariant 2: in the app's road no number exists before the password was right.
                name="verification_number_only_when_awaited",
                condition=Q(state="awaiting_code", code_fingerprint__isnull=False, code_expires_at__isnull=False)
                | (Q(state__in=("created", "awaiting_app")) & Q(code_fingerprint=None))
                | ~Q(state__in=states.OPEN),
            ),
            models.CheckConstraint(
                name="verification_matched_has_line",
                condition=Q(state="created", line=None, channel=None)
                | Q(state__in=("awaiting_app", "awaiting_code", "verified"), line__isnull=False, channel__isnull=False)
                | Q(state__in=("failed", "expired", "denied", "cancelled")),
            ),
            models.CheckConstraint(
                name="verification_released_goes_by_sms",
                condition=Q(released=False) | Q(channel__isnull=False, channel="sms"),
            ),
            models.CheckConstraint(
                name="verification_app_has_match_number",
                condition=Q(channel__isnull=False, channel="app", match_number__isnull=False)
                | Q(channel="sms", match_number=None)
                | Q(channel=None, match_number=None),
            ),
        ]
        indexes = [
            models.Index(name="verification_overdue", fields=["expires_at"], condition=Q(ended_at=None)),
            models.Index(name="verification_of_line", fields=["line", "-line_serial"], condition=Q(line__isnull=False)),
            models.Index(name="verification_newest", fields=["partner", "-created_at", "-id"]),
            models.Index(
                name="verification_to_erase",
                fields=["ended_at"],
                condition=Q(holder__isnull=False, ended_at__isnull=False),
            ),
        ]

    def move(self, state: states.State, *, now: datetime, reason: str | None = None) -> None:
        """Change the state, on this object; the caller writes it. Refuses what the table does not name: ValueError."""
        if state not in states.MOVES.get(states.State(self.state), frozenset()):
            raise ValueError(f"a verification never goes from {self.state} to {state}")
        self.state, self.reason = state, reason
        if state not in states.OPEN:
            self.ended_at = now
            if state != states.State.VERIFIED:
                self.holder = None

    @property
    def is_open(self) -> bool:
        return self.state in states.OPEN


class Mismatch(models.Model):
    """An identity that did not match, by the number that was typed (known or not), the partner and the address.

    Kept an hour. Over a limit the answer stays `identity_mismatch`, for right data as well: nobody finds a birth date
    by trying, and nobody can use up the owner's own limits that way (api.md section 1).
    """

    typed_fingerprint = FingerprintField()
    partner = models.ForeignKey(Partner, models.CASCADE)
    address_fingerprint = FingerprintField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="mismatch_recent", fields=["typed_fingerprint", "-at"])]


class Rehearsal(models.Model):
    """What happens next in a test verification of a magic number, and when (`verification.sandbox`)."""

    verification = models.OneToOneField(Verification, models.CASCADE)
    deed = models.CharField(max_length=24)
    at = models.DateTimeField(db_index=True)


class WrongActivation(models.Model):
    """A wrong activation code from an address, kept an hour: guessing is slowed by address, not by line."""

    address_fingerprint = FingerprintField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="wrongactivation_recent", fields=["address_fingerprint", "-at"])]
