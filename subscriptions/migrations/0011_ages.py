"""For the nightly purge: ended subscriptions and events by age; consents and charges may go when the law lets them.

Five years after (e-commerce consumer protection act, contracts and payments), and consents not before their contract.
The search by name and birth date belongs to this app from now on; its table stays where it is.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

UP = """
CREATE OR REPLACE FUNCTION consent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (
        SELECT FROM subscriptions_subscription
         WHERE id = OLD.subscription_id AND (ended_at IS NULL OR ended_at >= now() - interval '5 years')) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a consent is never changed: a withdrawal is a new row'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_is_immutable';
END $$;

CREATE OR REPLACE FUNCTION subscriptions_charge_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.made_at < now() - interval '5 years' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a charge is never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
DOWN = """
CREATE OR REPLACE FUNCTION consent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a consent is never changed: a withdrawal is a new row'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_is_immutable';
END $$;

CREATE OR REPLACE FUNCTION subscriptions_charge_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a charge is never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside the traffic

    dependencies = [("subscriptions", "0010_approvals"), ("ansim", "0006_retention")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="FoundBy",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
                        ("fingerprint", models.CharField(db_index=True, max_length=64)),
                        ("customer", models.UUIDField(unique=True)),
                    ],
                    options={"db_table": "ansim_foundby"},
                )
            ]
        ),
        migrations.RunSQL(UP, DOWN),
        AddIndexConcurrently(
            model_name="subscription",
            index=models.Index(condition=Q(ended_at__isnull=False), fields=["ended_at"], name="subscription_age"),
        ),
        AddIndexConcurrently(
            model_name="carrierevent", index=models.Index(fields=["received_at"], name="carrierevent_age")
        ),
    ]
