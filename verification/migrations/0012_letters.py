import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("verification", "0011_releases")]

    operations = [
        migrations.CreateModel(
            name='Letters',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('fingerprint', models.CharField(max_length=64)),
                ('tries_left', models.PositiveSmallIntegerField()),
                ('typed_fingerprint', models.CharField(max_length=64)),
                ('address_fingerprint', models.CharField(max_length=64)),
                ('asked_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='verification.line')),
            ],
            options={
                'indexes': [models.Index(fields=['typed_fingerprint', '-asked_at'], name='letters_of_typed'), models.Index(condition=models.Q(('line__isnull', False)), fields=['line', '-asked_at'], name='letters_of_line')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('line',), name='letters_one_per_line'), models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('line__isnull', False), _connector='OR'), name='letters_confirmed_have_line')],
            },
        ),
    ]
