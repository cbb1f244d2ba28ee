"""The nightly purge goes through the messages by their age: a block range index loses its sense where rows go."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside the traffic

    dependencies = [("pushes", "0002_texts_and_mail")]

    operations = [
        RemoveIndexConcurrently(model_name="message", name="message_age"),
        AddIndexConcurrently(model_name="message", index=models.Index(fields=["created_at"], name="message_age")),
        # What the desk counts on its first page.
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(condition=models.Q(state="failed"), fields=["created_at"], name="message_failed"),
        ),
    ]
