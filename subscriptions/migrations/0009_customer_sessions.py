from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0008_consents")]

    operations = []
