"""Who closed a case at the desk, and what they found; what the fields of a partner are called there."""

import ansim.lib.sealed
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('verification', '0012_letters'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='case',
            name='closed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='case',
            name='note',
            field=ansim.lib.sealed.SealedField(null=True),
        ),
        migrations.AlterField(
            model_name='partner',
            name='created_at',
            field=models.DateTimeField(auto_now_add=True, verbose_name='등록한 때'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='domain',
            field=models.CharField(max_length=253, verbose_name='도메인'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='grants',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), default=list, size=None, verbose_name='계약으로 받는 정보'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='is_agency',
            field=models.BooleanField(default=False, verbose_name='인증 대행사'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='limits',
            field=models.JSONField(blank=True, default=dict, verbose_name='따로 정한 한도'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='name',
            field=models.CharField(max_length=64, verbose_name='이름'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='previous_webhook_secret_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='옛 웹훅 비밀을 함께 쓰는 때까지'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='return_origins',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), blank=True, default=list, size=None, verbose_name='돌아갈 출처'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='sites',
            field=models.JSONField(blank=True, default=list, verbose_name='맡은 사이트'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='webhook_disabled_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='웹훅이 꺼진 때'),
        ),
        migrations.AlterField(
            model_name='partner',
            name='webhook_url',
            field=models.CharField(blank=True, default='', max_length=500, verbose_name='웹훅 주소'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('closed_by', None), ('closed_at__isnull', False), _connector='OR'), name='case_closed_by_somebody'),
        ),
    ]
