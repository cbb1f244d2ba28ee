from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("verification", "0010_owners_and_numbers")]

    operations = []
