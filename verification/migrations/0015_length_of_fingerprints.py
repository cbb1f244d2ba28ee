"""Lines and partners' people are unique by fingerprints: of one length of the chain alone (docs/adr/0030).

`ansim.rewrapping` puts other rules in their places when FINGERPRINT_KEY is rotated; the models do not know them.
"""

from django.db import migrations

UP = """
ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} NOT LIKE '%~%') NOT VALID;
COMMENT ON CONSTRAINT {name} ON {table} IS '"{column}" NOT LIKE ''%~%''';
"""
DOWN = "ALTER TABLE {table} DROP CONSTRAINT {name};"
RULES = (
    {"table": "verification_line", "name": "line_fingerprint_length", "column": "contract_fingerprint"},
    {"table": "verification_partneruser", "name": "partneruser_fingerprint_length", "column": "email_fingerprint"},
)


class Migration(migrations.Migration):
    dependencies = [("verification", "0014_attempts_by_age")]

    operations = [migrations.RunSQL(UP.format(**rule), DOWN.format(**rule)) for rule in RULES]
