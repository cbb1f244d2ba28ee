"""What no phone could stop waits for a second person, who is never the first: the database refuses it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0009_customer_sessions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='consentdocument',
            options={'verbose_name': '동의 문서', 'verbose_name_plural': '동의 문서'},
        ),
        migrations.AlterModelOptions(
            name='price',
            options={'verbose_name': '가격', 'verbose_name_plural': '가격'},
        ),
        migrations.AddField(
            model_name='pendingchange',
            name='approved_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='pendingchange',
            name='approved_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='pendingchange',
            name='needs_approval',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='body_en',
            field=models.TextField(verbose_name='영어 내용'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='body_ko',
            field=models.TextField(verbose_name='내용'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='kind',
            field=models.CharField(choices=[('terms', '이용약관'), ('collect', '개인정보 수집·이용'), ('share', '개인정보 제공'), ('marketing', '소식 받기'), ('privacy', '개인정보처리방침')], max_length=9, verbose_name='종류'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='required',
            field=models.BooleanField(verbose_name='필수'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='starts_at',
            field=models.DateTimeField(verbose_name='시작하는 때'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='summary_en',
            field=models.JSONField(blank=True, default=list, verbose_name='영어 요약 세 줄'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='summary_ko',
            field=models.JSONField(blank=True, default=list, verbose_name='요약 세 줄'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='title_en',
            field=models.CharField(max_length=100, verbose_name='영어 제목'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='title_ko',
            field=models.CharField(max_length=100, verbose_name='제목'),
        ),
        migrations.AlterField(
            model_name='consentdocument',
            name='version',
            field=models.CharField(max_length=10, verbose_name='판'),
        ),
        migrations.AlterField(
            model_name='price',
            name='starts_on',
            field=models.DateField(unique=True, verbose_name='적용하는 날'),
        ),
        migrations.AlterField(
            model_name='price',
            name='won',
            field=models.PositiveIntegerField(verbose_name='한 달 요금 (원, 부가세 포함)'),
        ),
        migrations.AddConstraint(
            model_name='pendingchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False), ('asked_by__isnull', False), models.Q(('approved_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='pendingchange_approved_by_another'),
        ),
        migrations.AddConstraint(
            model_name='pendingchange',
            constraint=models.CheckConstraint(condition=models.Q(('done_at', None), ('needs_approval', False), ('approved_at__isnull', False), _connector='OR'), name='pendingchange_done_when_approved'),
        ),
    ]
