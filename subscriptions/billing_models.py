import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from verification.models import Line


class Price(models.Model):
    """The monthly fee in won, VAT included, from a day (Asia/Seoul) on.

    A price that began is never changed, nor is another put before today: the database refuses it (mission.md 6).
    """

    starts_on = models.DateField(unique=True, verbose_name=_("적용하는 날"))
    won = models.PositiveIntegerField(verbose_name=_("한 달 요금 (원, 부가세 포함)"))

    class Meta:
        verbose_name = verbose_name_plural = _("가격")
        constraints = [models.CheckConstraint(name="price_is_positive", condition=Q(won__gt=0))]

    def __str__(self) -> str:
        return f"{self.starts_on:%Y-%m-%d}"


class ClosedMonth(models.Model):
    """That the close of a month went through all lines at least once. `month` is its first day."""

    month = models.DateField(primary_key=True)
    closed_at = models.DateTimeField(auto_now_add=True)


class Posting(models.Model):
    """Charges that go to the carrier in one request; its id is the `Idempotency-Key`, the same on each try.

    Owed while `accepted_at` is empty. Who posts it holds it until `held_until`, so that one who dies gives it back.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    month = models.DateField()
    due_at = models.DateTimeField(auto_now_add=True)
    held_until = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=64, default="", blank=True)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(name="posting_owed", fields=["due_at"], condition=Q(accepted_at=None))]


class Charge(models.Model):
    """What one line is charged for one month, or an adjustment of a month closed before. Immutable, by a trigger.

    `month` is the first day of the month with whose close it goes to the carrier; `adjusts` the first day of the month
    that it puts right, None for the month's own charge. Amounts are whole won; an adjustment may be negative.

    A line whose month cost nothing has a charge of 0 won: it says that the line's month is closed. It is not posted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.ForeignKey(Line, models.PROTECT, related_name="charges")
    month = models.DateField()
    adjusts = models.DateField(null=True)
    amount = models.IntegerField()
    days = models.SmallIntegerField()
    """Service days charged; for an adjustment the difference."""
    day_bits = models.PositiveIntegerField(default=0)
    """Bit 0 is the first of the month. The days charged; for an adjustment those that changed, either way."""
    because = models.JSONField(default=list)
    """Of an adjustment: what the days that changed are because of, as `billing.Day` says it."""
    posting = models.ForeignKey(Posting, models.PROTECT, null=True, related_name="charges")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="charge_once_a_month", fields=["line", "month", "adjusts"], nulls_distinct=False
            ),
            models.CheckConstraint(name="charge_adjusts_another", condition=Q(adjusts=None) | ~Q(adjusts=F("month"))),
            models.CheckConstraint(
                name="charge_is_not_negative", condition=Q(adjusts__isnull=False) | Q(amount__gte=0)
            ),
            models.CheckConstraint(name="charge_of_won_is_posted", condition=Q(amount=0) | Q(posting__isnull=False)),
        ]


class Unsettled(models.Model):
    """A line of which a fact came: the next close looks whether months that it closed before cost something else now.

    Written with the fact, in its transaction (`lifecycle.conclude`), and taken away by the close that looked.
    """

    line = models.OneToOneField(Line, models.CASCADE, primary_key=True, related_name="+")
    since = models.DateTimeField(auto_now=True)

    @staticmethod
    def mark(line: Line) -> None:
        """Waits for a close that looks at the line right now: what it did not see is marked again after it."""
        mark = Unsettled(line=line)
        Unsettled.objects.bulk_create([mark], update_conflicts=True, unique_fields=["line"], update_fields=["since"])
