"""How long things are kept, and what removes them then; the record's own beginning; a month's second signature."""

from django.db import migrations, models
from django.db.models import F, Q

PERIODS = """
INSERT INTO ansim_retentionrule (kind, days, changed_at, changed_by) VALUES
    ('message', 30, now(), 'ansim'), ('attempt', 30, now(), 'ansim'), ('webhook', 90, now(), 'ansim'),
    ('verification', 365, now(), 'ansim'), ('device', 30, now(), 'ansim'), ('event', 90, now(), 'ansim'),
    ('case', 1096, now(), 'ansim'), ('subscription', 1827, now(), 'ansim'), ('staff', 1096, now(), 'ansim'),
    ('record', 1096, now(), 'ansim');
"""
# The record's rows still go to nobody's DELETE, its owner's included, but for those that a cut has passed and that
# are three years old: grants are kept that long (PIPC 2026-9), and looks stand in the same chain.
UP = """
CREATE FUNCTION accessrecord_refuse_early_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.at < now() - interval '3 years' AND EXISTS (SELECT FROM ansim_recordcut WHERE number >= OLD.number) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the record of access is append-only'
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'accessrecord_append_only';
END $$;

DROP TRIGGER accessrecord_no_change ON ansim_accessrecord;
CREATE TRIGGER accessrecord_no_change
    BEFORE UPDATE ON ansim_accessrecord
    FOR EACH STATEMENT EXECUTE FUNCTION accessrecord_refuse_change();
CREATE TRIGGER accessrecord_no_early_end
    BEFORE DELETE ON ansim_accessrecord
    FOR EACH ROW EXECUTE FUNCTION accessrecord_refuse_early_end();
"""
DOWN = """
DROP TRIGGER accessrecord_no_early_end ON ansim_accessrecord;
DROP FUNCTION accessrecord_refuse_early_end();
DROP TRIGGER accessrecord_no_change ON ansim_accessrecord;
CREATE TRIGGER accessrecord_no_change
    BEFORE UPDATE OR DELETE ON ansim_accessrecord
    FOR EACH STATEMENT EXECUTE FUNCTION accessrecord_refuse_change();
"""
KINDS = [
    ("message", "휴대폰으로 보낸 알림과 문자의 발송 기록"),
    ("attempt", "웹훅을 보내 본 기록"),
    ("webhook", "이용 사이트에 알린 웹훅"),
    ("verification", "인증이력과 영수증, 쓴 일시 해제"),
    ("device", "등록이 끝난 앱"),
    ("event", "가입하지 않은 회선의 통신사 이벤트"),
    ("case", "끝낸 신고와 상담"),
    ("subscription", "끝난 가입의 계약, 동의, 요금과 청구"),
    ("staff", "직원과 이용 사이트 담당자가 바꾼 것의 목록"),
    ("record", "접속기록과 권한 변경 기록"),
]
FLOORS = {
    "message": 7, "attempt": 7, "webhook": 7, "verification": 90, "device": 7, "event": 30, "case": 1096,
    "subscription": 1827, "staff": 1096, "record": 1096,
}  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("ansim", "0005_months_reviewed")]
    brief_because = "a month that was reviewed is one row"

    operations = [
        migrations.CreateModel(
            name="RetentionRule",
            fields=[
                ("kind", models.CharField(choices=KINDS, max_length=12, primary_key=True, serialize=False)),
                ("days", models.PositiveIntegerField()),
                ("changed_at", models.DateTimeField()),
                ("changed_by", models.CharField(max_length=150)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(days__lte=3660), name="retentionrule_at_most_ten_years"),
                    *(
                        models.CheckConstraint(
                            condition=Q(Q(("kind", kind), _negated=True), ("days__gte", days), _connector="OR"),
                            name=f"retentionrule_{kind}_long_enough",
                        )
                        for kind, days in FLOORS.items()
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Purge",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("taken_until", models.DateTimeField(null=True)),
                ("done", models.JSONField(default=list)),
                ("removed", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [models.Index(fields=["-began_at"], name="purge_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(("ended_at", None)),
                        fields=("ended_at",),
                        name="purge_one_at_work",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordCut",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("before", models.BinaryField(max_length=32)),
                ("at", models.DateTimeField()),
                ("mac", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.AddField("monthreview", "needs_second", models.BooleanField(db_default=False, default=False)),
        migrations.AddField(
            "monthreview", "second_by", models.CharField(blank=True, db_default="", default="", max_length=150)
        ),
        migrations.AddField("monthreview", "second_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "monthreview", "second_note", models.CharField(blank=True, db_default="", default="", max_length=500)
        ),
        migrations.AddConstraint(
            "monthreview",
            models.CheckConstraint(
                condition=Q(
                    Q(("second_at", None), ("second_by", "")),
                    Q(
                        ("second_at__isnull", False),
                        Q(("second_by", ""), _negated=True),
                        Q(("second_by", F("signed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="monthreview_second_is_another",
            ),
        ),
        # The search by name and birth date is the customers' business: `subscriptions` 0011 takes the table over.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="FoundBy")]),
        migrations.RunSQL(PERIODS, migrations.RunSQL.noop),
        migrations.RunSQL(UP, DOWN),
    ]
