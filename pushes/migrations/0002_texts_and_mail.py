import uuid

from django.db import migrations, models

import ansim.lib.sealed


class Migration(migrations.Migration):
    dependencies = [("pushes", "0001_devices_and_messages")]

    operations = [
        migrations.CreateModel(
            name='MailAddress',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('line', models.UUIDField(unique=True)),
                ('address', ansim.lib.sealed.SealedField(null=True)),
                ('language', models.CharField(max_length=2)),
                ('wanted', ansim.lib.sealed.SealedField(null=True)),
                ('letters_fingerprint', models.CharField(max_length=64, null=True)),
                ('letters_expire_at', models.DateTimeField(null=True)),
                ('wrong_letters', models.PositiveSmallIntegerField(default=0)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='message',
            name='message_sms_or_device',
        ),
        migrations.AlterField(
            model_name='message',
            name='channel',
            field=models.CharField(choices=[('fcm', 'Fcm'), ('apns', 'Apns'), ('sms', 'Sms'), ('mail', 'Mail')], max_length=4),
        ),
        migrations.AlterField(
            model_name='message',
            name='kind',
            field=models.CharField(choices=[('wake', 'Wake'), ('number', 'Number'), ('notice', 'Notice'), ('sms', 'Sms'), ('mail', 'Mail')], max_length=6),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('channel', 'sms'), ('device', None), ('kind', 'sms')), models.Q(('channel', 'mail'), ('device', None), ('kind', 'mail')), models.Q(models.Q(('kind__in', ('sms', 'mail')), _negated=True), models.Q(('channel__in', ('sms', 'mail')), _negated=True), ('device__isnull', False)), _connector='OR'), name='message_sms_or_device'),
        ),
        migrations.AddConstraint(
            model_name='mailaddress',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('letters_expire_at', None), ('letters_fingerprint', None), ('wanted', None)), models.Q(('letters_expire_at__isnull', False), ('letters_fingerprint__isnull', False), ('wanted__isnull', False)), _connector='OR'), name='mailaddress_wanted_has_letters'),
        ),
        migrations.AddConstraint(
            model_name='mailaddress',
            constraint=models.CheckConstraint(condition=models.Q(('address__isnull', False), ('wanted__isnull', False), _connector='OR'), name='mailaddress_is_for_something'),
        ),
    ]
