from django.db import models

from ansim.lib.fingerprint import FingerprintField


class FoundBy(models.Model):
    """By what else the desk finds a customer than number or contract: one keyed fingerprint of name and birth date.

    No name is kept here. `customer` is the id of a subscription, with which it goes.
    """

    fingerprint = FingerprintField(db_index=True)
    customer = models.UUIDField(unique=True)

    class Meta:
        db_table = "ansim_foundby"  # where it began: moving a live table buys nothing
