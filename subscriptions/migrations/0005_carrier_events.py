"""Events have names for the desk and room for types that we do not know; sweeps over the subscriptions keep their place."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0004_carry_over_facts")]

    operations = [
        migrations.AlterModelOptions(
            name="carrierevent",
            options={"verbose_name": "통신사 이벤트", "verbose_name_plural": "통신사 이벤트"},
        ),
        migrations.AlterField(
            model_name="carrierevent",
            name="event_id",
            field=models.CharField(max_length=255, verbose_name="이벤트 ID"),
        ),
        migrations.AlterField(
            model_name="carrierevent",
            name="received_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="받은 때"),
        ),
        migrations.AlterField(
            model_name="carrierevent",
            name="source",
            field=models.CharField(max_length=255, verbose_name="보낸 곳"),
        ),
        migrations.AlterField(
            model_name="carrierevent",
            name="standing",
            field=models.CharField(
                choices=[
                    ("applied", "반영"), ("without_effect", "영향 없음"), ("stuck", "확인 필요"), ("answered", "확인함"),
                ],
                max_length=14,
                verbose_name="상태",
            ),
        ),
        migrations.AlterField(
            model_name="carrierevent",
            name="time",
            field=models.DateTimeField(verbose_name="일어난 때"),
        ),
        migrations.AlterField(
            model_name="carrierevent",
            name="type",
            field=models.CharField(max_length=263, verbose_name="종류"),
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("done_up_to", models.UUIDField(null=True)),
                ("taken_until", models.DateTimeField(null=True)),
                ("checked", models.PositiveIntegerField(default=0)),
                ("repaired", models.PositiveIntegerField(default=0)),
                ("reported", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("ended_at",),
                        name="reconciliation_one_at_work",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
