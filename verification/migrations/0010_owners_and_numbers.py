from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("verification", "0009_the_owners_controls")]

    operations = []
