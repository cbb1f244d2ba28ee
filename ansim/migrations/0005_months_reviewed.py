"""The record of access is reviewed month by month; who may approve, revoke an app, stop a line, send the link."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ansim', '0004_staff'),
    ]

    operations = [
        migrations.CreateModel(
            name='MonthReview',
            fields=[
                ('month', models.DateField(primary_key=True, serialize=False)),
                ('signed_by', models.CharField(max_length=150)),
                ('signed_at', models.DateTimeField()),
                ('note', models.CharField(max_length=500)),
            ],
        ),
        migrations.AlterModelOptions(
            name='agent',
            options={'permissions': [('find_customer', 'Can find a customer'), ('reveal_customer', 'Can reveal one field of a customer'), ('ask_cancellation', 'Can take down a cancellation'), ('ask_reset', 'Can take down a reset of the app'), ('stop_pending', 'Can stop what was taken down'), ('approve_pending', 'Can approve what somebody else took down'), ('revoke_app', 'Can revoke the app of a lost phone'), ('stop_line', 'Can stop all verifications of a line'), ('send_install_link', 'Can send the link to install the app'), ('review_record', 'Can review the record of access each month'), ('view_all_looks', 'Can see what other staff looked at')], 'verbose_name': '직원', 'verbose_name_plural': '직원'},
        ),
        migrations.AddIndex(
            model_name='accessrecord',
            index=models.Index(fields=['at'], name='accessrecord_at'),
        ),
    ]
