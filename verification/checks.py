"""What must not wait for the first request to be noticed. `manage.py migrate` and `check --database default` ask it."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from verification.models import ApiKey


@register(Tags.database)
def no_live_key_beside_the_world(app_configs: Any, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """A live key here would verify real people with made-up carriers: the system refuses to start (issue 3)."""
    if not settings.DEMO or not databases:
        return []
    try:
        live = ApiKey.objects.filter(live=True, revoked_at=None).exists()
    except DatabaseError:  # before the first migration there are no keys
        return []
    words = "There are live API keys in a database that is used with the simulated world (DEMO=1)."
    return [Error(words, hint="Use another DATABASE_URL, or revoke them.", id="verification.E001")] if live else []
