"""Eight indexes that others cover, or that nobody asks: three of verifications, two of webhooks, three of lines.

Django makes one for each foreign key, and a second one for LIKE for each unique text; fingerprints are only compared.
"""

from django.db import migrations, models
from django.db.models import deletion

COVERED = (
    ("verification_verification_partner_id_49b7a199", "verification_verification (partner_id)"),
    ("verification_verification_line_id_b0a6b363", "verification_verification (line_id)"),
    ("verification_webhookdelivery_partner_id_c36ea0bb", "verification_webhookdelivery (partner_id)"),
    ("verification_webhookdelivery_verification_id_9cafa130", "verification_webhookdelivery (verification_id)"),
)
FOR_LIKE = (
    ("verification_verification_window_fingerprint_faf14fa3_like", "verification_verification (window_fingerprint"),
    ("verification_line_phone_fingerprint_7ae884fb_like", "verification_line (phone_fingerprint"),
    ("verification_line_contract_fingerprint_63c39788_like", "verification_line (contract_fingerprint"),
    ("verification_line_activation_fingerprint_eaa76f07_like", "verification_line (activation_fingerprint"),
)


def dropped(name: str, on: str) -> migrations.RunSQL:
    """One statement each: CONCURRENTLY runs in no transaction."""
    return migrations.RunSQL(
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}", f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {on}"
    )


class Migration(migrations.Migration):
    atomic = False  # beside the traffic

    dependencies = [("verification", "0015_length_of_fingerprints")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                *(dropped(name, on) for name, on in COVERED),
                *(dropped(name, f"{on} varchar_pattern_ops)") for name, on in FOR_LIKE),
            ],
            state_operations=[
                migrations.AlterField(
                    "verification", "partner",
                    models.ForeignKey(
                        "verification.partner", on_delete=deletion.PROTECT, related_name="verifications", db_index=False
                    ),
                ),
                migrations.AlterField(
                    "verification", "line",
                    models.ForeignKey(
                        "verification.line", on_delete=deletion.PROTECT, null=True, related_name="verifications",
                        db_index=False,
                    ),
                ),
                migrations.AlterField(
                    "webhookdelivery", "partner",
                    models.ForeignKey("verification.partner", on_delete=deletion.CASCADE, db_index=False),
                ),
                migrations.AlterField(
                    "webhookdelivery", "verification",
                    models.ForeignKey(
                        "verification.verification", on_delete=deletion.CASCADE, related_name="webhooks",
                        db_index=False,
                    ),
                ),
            ],
        )
    ]  # fmt: skip
