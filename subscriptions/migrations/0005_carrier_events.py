from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0004_carry_over_facts")]

    operations = []
