import uuid

from django.db import models
from django.db.models import Q

from verification.models import Line


class Price(models.Model):
    """The monthly fee in won, VAT included, from a day (Asia/Seoul) on; never changed in the past (mission.md 6)."""

    starts_on = models.DateField(unique=True)
    won = models.PositiveIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(name="price_is_positive", condition=Q(won__gt=0))]


class Charge(models.Model):
    """What one line is charged for one month, or an adjustment of a month closed before. Immutable.

    `month` is the first day of the month with whose close it goes to the carrier; `adjusts` the first day of the month
    that it puts right, None for the month's own charge. Amounts are whole won; an adjustment may be negative.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.ForeignKey(Line, models.PROTECT, related_name="charges")
    month = models.DateField()
    adjusts = models.DateField(null=True)
    amount = models.IntegerField()
    days = models.SmallIntegerField()
    """Service days charged; for an adjustment the difference."""
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="charge_once_a_month", fields=["line", "month", "adjusts"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="charge_adjusts_the_past", condition=Q(adjusts=None) | Q(adjusts__lt=models.F("month"))
            ),
            models.CheckConstraint(
                name="charge_is_not_negative", condition=Q(adjusts__isnull=False) | Q(amount__gte=0)
            ),
        ]
