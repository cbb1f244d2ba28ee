from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0007_public_pages")]

    operations = []
