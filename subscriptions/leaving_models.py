from django.db import models


class LeavingReason(models.Model):
    """What somebody answered who left, kept without who: the month and the answer, to be counted."""

    class Answer(models.TextChoices):
        FEE = "fee"
        EFFORT = "effort"
        SITES = "sites"
        PHONE = "phone"
        OTHER = "other"

    month = models.DateField()
    """Its first day (Asia/Seoul)."""
    answer = models.CharField(max_length=6, choices=Answer)
