from django.db import models


class FoundBy(models.Model):
    """By what else the desk finds a customer than number or contract: one keyed fingerprint of name and birth date.

    No name is kept here. `customer` is the id of a subscription, with which it goes.
    """

    fingerprint = models.CharField(max_length=64, db_index=True)
    customer = models.UUIDField(unique=True)

    class Meta:
        db_table = "ansim_foundby"  # where it began: moving a live table buys nothing
