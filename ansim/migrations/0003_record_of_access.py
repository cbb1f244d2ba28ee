"""The record of access, and a trigger behind it: rows are put in and never touched again, whoever asks (invariant 8)."""

from django.db import migrations, models

UP = """
CREATE FUNCTION accessrecord_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of access is append-only'
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'accessrecord_append_only';
END $$;

CREATE TRIGGER accessrecord_no_change
    BEFORE UPDATE OR DELETE ON ansim_accessrecord
    FOR EACH STATEMENT EXECUTE FUNCTION accessrecord_refuse_change();

CREATE TRIGGER accessrecord_no_truncate
    BEFORE TRUNCATE ON ansim_accessrecord
    FOR EACH STATEMENT EXECUTE FUNCTION accessrecord_refuse_change();
"""
DOWN = """
DROP TRIGGER accessrecord_no_truncate ON ansim_accessrecord;
DROP TRIGGER accessrecord_no_change ON ansim_accessrecord;
DROP FUNCTION accessrecord_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("ansim", "0002_rates")]

    operations = [
        migrations.CreateModel(
            name="AccessRecord",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=150)),
                ("agent", models.BigIntegerField(null=True)),
                ("role", models.CharField(max_length=64)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("subject", models.CharField(blank=True, max_length=64)),
                ("action", models.CharField(max_length=16)),
                ("what", models.CharField(blank=True, max_length=64)),
                ("sealed_reason", models.BinaryField(default=b"")),
                ("mac", models.BinaryField(max_length=32)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subject", "-number"], name="accessrecord_of_subject"),
                    models.Index(fields=["actor", "-number"], name="accessrecord_of_actor"),
                ],
            },
        ),
        migrations.RunSQL(UP, DOWN),
    ]
