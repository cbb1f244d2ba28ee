from django.db import models

from ansim.lib.fingerprint import FingerprintField


class RecoveryCode(models.Model):
    """Stands in once for the authenticator app of an agent. Shown once, kept as a keyed fingerprint."""

    agent = models.ForeignKey("ansim.Agent", models.CASCADE, related_name="recovery_codes")
    fingerprint = FingerprintField(unique=True)
    used_at = models.DateTimeField(null=True)


class SignInTries(models.Model):
    """Wrong tries in a row to sign in at the desk, of one account or one address, whether there is such an account.

    `name` is a keyed fingerprint. `ansim.staff_sign_in` counts, under the row's lock.
    """

    name = FingerprintField(primary_key=True)
    wrong = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(db_index=True)
