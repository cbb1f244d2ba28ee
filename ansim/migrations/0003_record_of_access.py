from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ansim", "0002_rates")]

    operations = []
