"""For the nightly purge: attempts by their age, and what partners changed may go after three years, no sooner."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

UP = """
CREATE OR REPLACE FUNCTION partnerchange_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.created_at < now() - interval '3 years' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'what a partner changed stays on record'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'partnerchange_append_only';
END $$;
"""
DOWN = """
CREATE OR REPLACE FUNCTION partnerchange_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a partner changed stays on record'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'partnerchange_append_only';
END $$;
"""


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside the traffic

    dependencies = [("verification", "0013_cases_closed")]

    operations = [
        migrations.RunSQL(UP, DOWN),
        RemoveIndexConcurrently(model_name="webhookattempt", name="webhookattempt_age"),
        AddIndexConcurrently(
            model_name="webhookattempt", index=models.Index(fields=["at"], name="webhookattempt_age")
        ),
    ]
