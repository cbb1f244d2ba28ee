"""What is owed to phones at this moment."""

from django.db import connection

from ansim.lib.health import Owed
from pushes.models import Message

# Reads nothing but what is owed, by `message_owed`.
_OWED = """
SELECT channel, count(*), extract(epoch FROM now() - min(created_at)), extract(epoch FROM now() - min(due_at))
  FROM pushes_message WHERE state = 'owed' GROUP BY channel
"""


def owed() -> dict[str, Owed]:
    """By channel, all of them; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_OWED)
        found = {row[0]: Owed(row[1], float(row[2]), max(0.0, float(row[3]))) for row in cursor.fetchall()}
    return {channel: found.get(channel, Owed()) for channel in Message.Channel.values}
