"""The owner's releases and the cases at the desk; and in the database: what is `released` has its release.

Invariant 1 has one exception, and the row of the verification alone cannot claim it: a release of that line for that
partner must have been used up by exactly this verification, and no release is used twice. The trigger of migration
0002 looks again when `released` changes.
"""

import datetime
import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models
from django.db.models import F, Q

import ansim.lib.sealed

UP = """
CREATE FUNCTION verification_refuse_released_without_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM verification_release
                    WHERE used_by_id = NEW.id AND line_id = NEW.line_id AND partner_id = NEW.partner_id) THEN
        RAISE EXCEPTION 'no release of the owner was used for this verification'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'verification_released_by_its_owner';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER verification_released_by_its_owner
    BEFORE INSERT OR UPDATE OF state, channel, line_id, partner_id, released ON verification_verification
    FOR EACH ROW WHEN (NEW.released)
    EXECUTE FUNCTION verification_refuse_released_without_release();

DROP TRIGGER verification_never_sms_when_protected ON verification_verification;
CREATE TRIGGER verification_never_sms_when_protected
    BEFORE INSERT OR UPDATE OF state, channel, line_id, released ON verification_verification
    FOR EACH ROW WHEN (NEW.channel = 'sms' AND NEW.state = 'awaiting_code' AND NOT NEW.released)
    EXECUTE FUNCTION verification_refuse_sms_when_protected();

CREATE FUNCTION release_refuse_second_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a release is used once'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'release_used_once';
END $$;

CREATE TRIGGER release_used_once
    BEFORE UPDATE OF used_by_id, line_id, partner_id ON verification_release
    FOR EACH ROW WHEN (OLD.used_by_id IS NOT NULL AND (NEW.used_by_id, NEW.line_id, NEW.partner_id)
                       IS DISTINCT FROM (OLD.used_by_id, OLD.line_id, OLD.partner_id))
    EXECUTE FUNCTION release_refuse_second_use();
"""
DOWN = """
DROP TRIGGER release_used_once ON verification_release;
DROP FUNCTION release_refuse_second_use();
DROP TRIGGER verification_never_sms_when_protected ON verification_verification;
CREATE TRIGGER verification_never_sms_when_protected
    BEFORE INSERT OR UPDATE OF state, channel, line_id ON verification_verification
    FOR EACH ROW WHEN (NEW.channel = 'sms' AND NEW.state = 'awaiting_code' AND NOT NEW.released)
    EXECUTE FUNCTION verification_refuse_sms_when_protected();
DROP TRIGGER verification_released_by_its_owner ON verification_verification;
DROP FUNCTION verification_refuse_released_without_release();
"""
ENDS = [("time", "Time"), ("owner", "Owner"), ("renewed", "Renewed"), ("changed", "Changed"), ("locked", "Locked")]


class Migration(migrations.Migration):
    dependencies = [("verification", "0010_owners_and_numbers")]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("not_me", "내가 요청하지 않은 인증")], max_length=8, verbose_name="종류"
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="신고한 때")),
                ("slowed_until", models.DateTimeField()),
                ("facts", ansim.lib.sealed.SealedField()),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="끝낸 때")),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="verification.line"
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="verification.partner",
                        verbose_name="이용 사이트",
                    ),
                ),
                (
                    "verification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="verification.verification",
                    ),
                ),
            ],
            options={
                "verbose_name": "상담할 일",
                "verbose_name_plural": "상담할 일",
                "indexes": [
                    models.Index(fields=["line", "-opened_at"], name="case_of_line"),
                    models.Index(condition=Q(closed_at=None), fields=["opened_at"], name="case_open"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "verification"), name="case_once_of_verification"),
                    models.CheckConstraint(
                        condition=Q(("closed_at", None), ("closed_at__gte", F("opened_at")), _connector="OR"),
                        name="case_closed_after_opened",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, choices=ENDS, default="", max_length=8)),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="releases", to="verification.line"
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="releases", to="verification.partner"
                    ),
                ),
                (
                    "used_by",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release",
                        to="verification.verification",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(("ended_at", None), ("used_by", None)), fields=["expires_at"], name="release_open"
                    ),
                    models.Index(fields=["line", "-created_at"], name="release_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(("ended_at", None), ("used_by", None)),
                        fields=("line", "partner"),
                        name="release_one_of_line_and_partner",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            ("expires_at__gt", F("created_at")),
                            (
                                "expires_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    F("created_at"), "+", models.Value(datetime.timedelta(seconds=600))
                                ),
                            ),
                        ),
                        name="release_at_most_ten_minutes",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("used_at", None), ("used_by", None)),
                            Q(
                                ("ended_at", None),
                                ("used_at__gte", F("created_at")),
                                ("used_at__lt", F("expires_at")),
                                ("used_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="release_used_in_its_time",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("ended_at", None), ("ended_by", "")),
                            Q(("ended_at__isnull", False), Q(("ended_by", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="release_ended_by_something",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.CheckConstraint(
                condition=Q(("released", False), Q(("channel", "sms"), ("channel__isnull", False)), _connector="OR"),
                name="verification_released_goes_by_sms",
            ),
        ),
        migrations.RunSQL(UP, DOWN),
    ]
