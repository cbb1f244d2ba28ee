"""What the carrier reports of a line stays with it: its number, since when it is the present owner's, recent changes."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("verification", "0009_the_owners_controls")]

    operations = [
        migrations.AddField(
            model_name="line",
            name="phone_known_at",
            field=models.DateTimeField(db_default=Now()),
        ),
        migrations.AddField(
            model_name="line",
            name="owner_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="line",
            name="sim_changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="line",
            name="device_changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="line",
            name="number_changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="line",
            name="disturbed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
