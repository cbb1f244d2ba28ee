from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("pushes", "0001_devices_and_messages")]

    operations = []
