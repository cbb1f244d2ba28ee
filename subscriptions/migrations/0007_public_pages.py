from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0006_prices_and_charges")]

    operations = []
