from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("verification", "0011_releases")]

    operations = []
