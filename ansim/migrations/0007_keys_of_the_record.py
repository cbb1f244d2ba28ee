"""Which key a record of access was made with: the key may be rotated (docs/adr/0031)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ansim", "0006_retention")]

    operations = [
        migrations.AddField("accessrecord", "key", models.CharField(db_default="", default="", max_length=16)),
    ]
