"""What was made with a former key and is still there, so that the key must stay (docs/key-rotation.md)."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Count

from ansim.lib import keyed
from ansim.lib.keyed import PepperedField
from ansim.models import AccessRecord


def peppers() -> dict[str, int]:
    """Passwords under each former pepper; they go over as their owners type them. "" is the first pepper."""
    return _counted(_passwords(), settings.PASSWORD_PEPPER)


def _passwords() -> dict[str, int]:
    found: dict[str, int] = {}
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, PepperedField):
                table, column = map(connection.ops.quote_name, (model._meta.db_table, str(field.column)))
                with connection.cursor() as cursor:
                    cursor.execute(
                        f"SELECT split_part({column}, '$', 1), count(*) FROM {table} WHERE {column} <> '' GROUP BY 1"  # noqa: S608
                    )
                    for key_id, count in cursor.fetchall():
                        found[key_id] = found.get(key_id, 0) + count
    return found


def record() -> dict[str, int]:
    """Rows of the record of access by each former key: it is needed to prove them until they are cut off."""
    rows: Any = AccessRecord.objects.values_list("key").annotate(Count("pk"))
    return _counted(dict(rows), settings.AUDIT_KEY)


def _counted(by_key: dict[str, int], setting: str) -> dict[str, int]:
    newest, _key = keyed.newest(setting)
    return {key_id: count for key_id, count in by_key.items() if key_id != newest}
