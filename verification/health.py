"""What stands open at this moment, and what partners are owed."""

from dataclasses import dataclass

from django.db import connection

from ansim.lib.health import Owed
from verification.states import OPEN

# By `verification_overdue` and `webhookdelivery_owed`: what has ended is not read.
_OPEN = """
SELECT state, count(*), extract(epoch FROM now() - min(expires_at))
  FROM verification_verification WHERE ended_at IS NULL GROUP BY state
"""
_OWED = """
SELECT count(*), extract(epoch FROM now() - min(created_at)), extract(epoch FROM now() - min(due_at))
  FROM verification_webhookdelivery WHERE state = 'owed'
"""


@dataclass(frozen=True)
class Open:
    """Verifications by state; `overdue`: seconds that the one longest past its time has been so."""

    by_state: dict[str, int]
    overdue: float = 0.0


def open_verifications() -> Open:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        rows = cursor.fetchall()
    found = {state: count for state, count, _ in rows}
    overdue = max((float(late) for *_, late in rows), default=0.0)
    return Open({str(state): found.get(state, 0) for state in OPEN}, max(0.0, overdue))


def owed() -> Owed:
    """Webhooks; `late` counts those whose next try is due, not those that wait for a later one."""
    with connection.cursor() as cursor:
        cursor.execute(_OWED)
        count, oldest, late = cursor.fetchone()
    return Owed(count, float(oldest or 0), max(0.0, float(late or 0)))
