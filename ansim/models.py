from django.contrib.auth.models import AbstractUser
from django.db import models


class Agent(AbstractUser):
    """A member of staff: agent, supervisor or auditor (their groups). Customers are never users."""


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
