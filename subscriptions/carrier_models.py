import uuid

from django.db import models

from ansim.lib.sealed import SealedField


class CarrierEvent(models.Model):
    """What the carrier reported of a contract, kept as it came: the facts from which courses are drawn (`timeline`).

    The contract need not be known to us. Rows are never changed but for what the desk did about a stuck one.
    """

    class Standing(models.TextChoices):
        APPLIED = "applied"  # it took its place in the course of a subscription
        WITHOUT_EFFECT = "without_effect"  # nobody had joined then, or the service had ended
        STUCK = "stuck"  # unknown contract or type: somebody must look
        ANSWERED = "answered"  # was stuck; somebody looked

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=255)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=128)
    """Without `kr.ansim.line.`, where it begins so."""
    contract = SealedField()
    contract_fingerprint = models.CharField(max_length=64)
    time = models.DateTimeField()
    """When it happened, as the carrier says."""
    data = SealedField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)
    standing = models.CharField(max_length=14, choices=Standing)

    class Meta:
        constraints = [models.UniqueConstraint(name="carrierevent_once", fields=["source", "event_id"])]
        indexes = [
            models.Index(name="carrierevent_of_contract", fields=["contract_fingerprint", "time", "event_id"]),
            models.Index(name="carrierevent_stuck", fields=["received_at"], condition=models.Q(standing="stuck")),
        ]
