import uuid

import django.db.models.deletion
from django.db import migrations, models

FIRST_PRICE = "INSERT INTO subscriptions_price (starts_on, won) VALUES ('2000-01-01', 1100)"

# The first price of all may begin in the past; there is no bill that it would change.
KEEP = """
CREATE FUNCTION subscriptions_price_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE today date := (now() AT TIME ZONE 'Asia/Seoul')::date;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.starts_on <= today
    OR TG_OP <> 'DELETE' AND NEW.starts_on <= today AND EXISTS (SELECT FROM subscriptions_price) THEN
        RAISE EXCEPTION 'a price that began is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER price_keeps BEFORE INSERT OR UPDATE OR DELETE ON subscriptions_price
    FOR EACH ROW EXECUTE FUNCTION subscriptions_price_keep();

CREATE FUNCTION subscriptions_charge_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a charge is never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER charge_keeps BEFORE UPDATE OR DELETE ON subscriptions_charge
    FOR EACH ROW EXECUTE FUNCTION subscriptions_charge_keep();
"""
LET_GO = """
DROP TRIGGER charge_keeps ON subscriptions_charge;
DROP FUNCTION subscriptions_charge_keep();
DROP TRIGGER price_keeps ON subscriptions_price;
DROP FUNCTION subscriptions_price_keep();
"""


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0005_carrier_events")]

    operations = [
        migrations.CreateModel(
            name="ClosedMonth",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("closed_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("due_at", models.DateTimeField(auto_now_add=True)),
                ("held_until", models.DateTimeField(null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, default="", max_length=64)),
                ("accepted_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("accepted_at", None)), fields=["due_at"], name="posting_owed")
                ],
            },
        ),
        migrations.CreateModel(
            name="Unsettled",
            fields=[
                (
                    "line",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="verification.line",
                    ),
                ),
                ("since", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.AddField("charge", "day_bits", models.PositiveIntegerField(default=0)),
        migrations.AddField("charge", "because", models.JSONField(default=list)),
        migrations.AddField(
            "charge",
            "posting",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="subscriptions.posting",
            ),
        ),
        migrations.RemoveConstraint("charge", "charge_adjusts_the_past"),
        migrations.AddConstraint(
            "charge",
            models.CheckConstraint(
                condition=models.Q(("adjusts", None), models.Q(("adjusts", models.F("month")), _negated=True), _connector="OR"),
                name="charge_adjusts_another",
            ),
        ),
        migrations.AddConstraint(
            "charge",
            models.CheckConstraint(
                condition=models.Q(("amount", 0), ("posting__isnull", False), _connector="OR"),
                name="charge_of_won_is_posted",
            ),
        ),
        migrations.RunSQL(FIRST_PRICE, "DELETE FROM subscriptions_price WHERE starts_on = '2000-01-01'"),
        migrations.RunSQL(KEEP, LET_GO),
    ]
