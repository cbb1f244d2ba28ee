"""Who gets in at the desk: enrolment, the one session, recovery codes, wrong tries; the roles' groups."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ROLES = ("agent", "supervisor", "auditor", "partner_manager")


def make_groups(apps, schema_editor):
    """Their permissions come from `ansim.roles` once they exist: `manage.py agents set-up`."""
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):

    dependencies = [
        ('ansim', '0003_record_of_access'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(max_length=64, unique=True)),
                ('used_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='FoundBy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(db_index=True, max_length=64)),
                ('customer', models.UUIDField(unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='SignInTries',
            fields=[
                ('name', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('wrong', models.PositiveSmallIntegerField(default=0)),
                ('locked_until', models.DateTimeField(null=True)),
                ('tried_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.AlterModelOptions(
            name='agent',
            options={'permissions': [('find_customer', 'Can find a customer'), ('reveal_customer', 'Can reveal one field of a customer'), ('ask_cancellation', 'Can take down a cancellation'), ('ask_reset', 'Can take down a reset of the app'), ('stop_pending', 'Can stop what was taken down'), ('view_all_looks', 'Can see what other staff looked at')], 'verbose_name': '직원', 'verbose_name_plural': '직원'},
        ),
        migrations.AddField(
            model_name='agent',
            name='enrolment',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='agent',
            name='enrolment_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='agent',
            name='own_phone',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='agent',
            name='sitting',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddConstraint(
            model_name='agent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('enrolment', ''), ('enrolment_until', None)), models.Q(models.Q(('enrolment', ''), _negated=True), ('enrolment_until__isnull', False)), _connector='OR'), name='agent_enrolment_has_end'),
        ),
        migrations.AddField(
            model_name='recoverycode',
            name='agent',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recovery_codes', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
