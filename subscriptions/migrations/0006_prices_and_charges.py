from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0005_carrier_events")]

    operations = []
