"""What was agreed to is never changed: neither the row nor the text. And what joining and leaving keep beside it."""

from django.db import migrations, models

UP = """
CREATE FUNCTION consent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a consent is never changed: a withdrawal is a new row'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_is_immutable';
END $$;
CREATE TRIGGER consent_is_immutable BEFORE UPDATE OR DELETE ON subscriptions_consent
    FOR EACH ROW EXECUTE FUNCTION consent_refuse_change();

CREATE FUNCTION consentdocument_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a document that has begun is never changed: write a new version'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'consentdocument_begun_is_immutable';
END $$;
CREATE TRIGGER consentdocument_begun_is_immutable BEFORE UPDATE OR DELETE ON subscriptions_consentdocument
    FOR EACH ROW WHEN (OLD.starts_at <= now()) EXECUTE FUNCTION consentdocument_refuse_change();
"""
DOWN = """
DROP TRIGGER consentdocument_begun_is_immutable ON subscriptions_consentdocument;
DROP FUNCTION consentdocument_refuse_change();
DROP TRIGGER consent_is_immutable ON subscriptions_consent;
DROP FUNCTION consent_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0007_public_pages")]

    operations = [
        migrations.RunSQL(UP, DOWN),
        migrations.AddField(
            model_name='subscription',
            name='verification',
            field=models.UUIDField(null=True, unique=True),
        ),
        migrations.CreateModel(
            name='LeavingReason',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('answer', models.CharField(choices=[('fee', 'Fee'), ('effort', 'Effort'), ('sites', 'Sites'), ('phone', 'Phone'), ('other', 'Other')], max_length=6)),
            ],
        ),
    ]
