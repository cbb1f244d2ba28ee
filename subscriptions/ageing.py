"""What of this layer is kept long enough: contracts that ended, with all that belongs to them, and what is nobody's.

The law keeps contracts and payments five years (e-commerce consumer protection act); an active member's bills stay,
because the account that runs is adjusted from them. Devices and lines are rows of the layers below, but only here it is
known whether somebody still needs them.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ansim import retention
from ansim.retention import BATCH, BEGINNING, Sort
from ansim.retention_models import Kind

NOBODY = uuid.UUID(int=0)

# --- Contracts that ended -----------------------------------------------------------------------------

_OLD_SUBSCRIPTIONS = "FROM subscriptions_subscription WHERE ended_at < %(cutoff)s"
_TAKE = f"""
    SELECT s.id, s.ended_at, s.line_id FROM (SELECT id, ended_at, line_id {_OLD_SUBSCRIPTIONS}
            AND ended_at >= %(after)s ORDER BY ended_at LIMIT %(most)s) s
      JOIN verification_line l ON l.id = s.line_id ORDER BY s.ended_at FOR UPDATE OF l SKIP LOCKED"""  # noqa: S608
_REMOVE = (
    "DELETE FROM subscriptions_customersession WHERE subscription_id = ANY(%(ids)s)",
    "DELETE FROM subscriptions_pendingchange WHERE subscription_id = ANY(%(ids)s)",
    "DELETE FROM subscriptions_consent WHERE subscription_id = ANY(%(ids)s)",
    "DELETE FROM ansim_foundby WHERE customer = ANY(%(ids)s)",
    "DELETE FROM subscriptions_subscription WHERE id = ANY(%(ids)s)",
    # What was charged and reported before the line's next contract, if there is one.
    """DELETE FROM subscriptions_charge c WHERE c.line_id = ANY(%(lines)s) AND c.made_at < %(cutoff)s
          AND NOT EXISTS (SELECT FROM subscriptions_subscription s WHERE s.line_id = c.line_id
              AND date_trunc('month', s.joined_at AT TIME ZONE 'Asia/Seoul')::date <= coalesce(c.adjusts, c.month))""",
    """DELETE FROM subscriptions_carrierevent e USING verification_line l
        WHERE l.id = ANY(%(lines)s) AND e.contract_fingerprint = l.contract_fingerprint AND e.received_at < %(cutoff)s
          AND NOT EXISTS (SELECT FROM subscriptions_subscription s WHERE s.line_id = l.id AND s.joined_at <= e.time)""",
    """DELETE FROM subscriptions_unsettled u WHERE u.line_id = ANY(%(lines)s)
          AND NOT EXISTS (SELECT FROM subscriptions_subscription s WHERE s.line_id = u.line_id)""",
)


def _subscriptions(cutoff: datetime) -> Iterator[int]:
    """Under the lines' locks: no late event is concluded meanwhile."""
    after: datetime | str = BEGINNING
    taken: list[Any] = [()]
    while taken:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TAKE, {"cutoff": cutoff, "after": after, "most": BATCH})
            taken = cursor.fetchall()
            ids, lines = [row[0] for row in taken], [row[2] for row in taken]
            for statement in _REMOVE if taken else ():
                cursor.execute(statement, {"cutoff": cutoff, "ids": ids, "lines": lines})
        if taken:
            after = taken[-1][1]
            yield len(taken)


_OLD_EVENTS = """
      FROM subscriptions_carrierevent e
     WHERE e.received_at < %(cutoff)s AND e.standing <> 'stuck'
       AND NOT EXISTS (SELECT FROM verification_line l JOIN subscriptions_subscription s ON s.line_id = l.id
                        WHERE l.contract_fingerprint = e.contract_fingerprint)"""
_EVENTS = f"""
    WITH old AS (
        SELECT e.id, e.received_at {_OLD_EVENTS} AND e.received_at >= %(after)s
         ORDER BY e.received_at LIMIT %(most)s),
    gone AS (DELETE FROM subscriptions_carrierevent WHERE id = ANY(ARRAY(SELECT id FROM old)))
    SELECT count(*), max(received_at) FROM old"""  # noqa: S608 - constants only

# --- What is nobody's ---------------------------------------------------------------------------------
# Found along the primary key, a part at a time: most of them are somebody's, and stay.

_PART = "SELECT id FROM {table} WHERE id > %(after)s ORDER BY id LIMIT %(most)s"
_OLD_DEVICES = """
      FROM pushes_device d
     WHERE d.seen_at < %(cutoff)s
       AND NOT EXISTS (SELECT FROM verification_line l WHERE l.device_id = d.id)
       AND NOT EXISTS (SELECT FROM subscriptions_customersession s WHERE s.device_id = d.id)
       AND NOT EXISTS (SELECT FROM pushes_message m WHERE m.device_id = d.id)"""
_EMPTY_LINES = """
      FROM verification_line l
     WHERE l.protection = 'off' AND l.device_id IS NULL
       AND NOT EXISTS (SELECT FROM verification_verification v WHERE v.line_id = l.id)
       AND NOT EXISTS (SELECT FROM subscriptions_subscription s WHERE s.line_id = l.id)
       AND NOT EXISTS (SELECT FROM verification_case c WHERE c.line_id = l.id)
       AND NOT EXISTS (SELECT FROM verification_release r WHERE r.line_id = l.id)
       AND NOT EXISTS (SELECT FROM subscriptions_charge c WHERE c.line_id = l.id)
       AND NOT EXISTS (SELECT FROM verification_letters t WHERE t.line_id = l.id)"""
_LOCK_LINES = f"SELECT l.id {_EMPTY_LINES} AND l.id = ANY(%(part)s) FOR UPDATE OF l SKIP LOCKED"
_DROP_LINES = f"""
    WITH empty AS (SELECT l.id {_EMPTY_LINES} AND l.id = ANY(%(part)s)),
         unsettled AS (DELETE FROM subscriptions_unsettled WHERE line_id IN (SELECT id FROM empty)),
         mail AS (DELETE FROM pushes_mailaddress WHERE line IN (SELECT id FROM empty))
    DELETE FROM verification_line WHERE id IN (SELECT id FROM empty)"""  # noqa: S608 - constants only


def _devices(cutoff: datetime) -> Iterator[int]:
    drop = f"DELETE FROM pushes_device WHERE id IN (SELECT d.id {_OLD_DEVICES} AND d.id = ANY(%(part)s))"  # noqa: S608
    for part in _parts("pushes_device"):
        with connection.cursor() as cursor:
            cursor.execute(drop, {"cutoff": cutoff, "part": part})
            yield cursor.rowcount


def _lines(cutoff: datetime) -> Iterator[int]:
    """Locked first and looked at again then: who began a verification on one meanwhile held the lock."""
    for part in _parts("verification_line"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOCK_LINES, {"cutoff": cutoff, "part": part})
            locked = [row[0] for row in cursor.fetchall()]
            if locked:
                cursor.execute(_DROP_LINES, {"cutoff": cutoff, "part": locked})
            yield cursor.rowcount if locked else 0


def _parts(table: str) -> Iterator[list[uuid.UUID]]:
    after = NOBODY
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PART.format(table=table), {"after": after, "most": BATCH})
            part = [row[0] for row in cursor.fetchall()]
        if not part:
            return
        after = part[-1]
        yield part


SORTS = (
    Sort(
        "subscriptions",
        Kind.SUBSCRIPTION,
        _subscriptions,
        lambda cutoff: retention.counted(f"SELECT count(*) {_OLD_SUBSCRIPTIONS}", {"cutoff": cutoff}),
    ),
    retention.at_once(
        "postings", Kind.SUBSCRIPTION, "subscriptions_posting",
        "row.accepted_at < %(cutoff)s AND NOT EXISTS (SELECT FROM subscriptions_charge c WHERE c.posting_id = row.id)",
    ),
    Sort(
        "carrier_events",
        Kind.EVENT,
        lambda cutoff: retention.swept(_EVENTS, {"cutoff": cutoff}),
        lambda cutoff: retention.counted(f"SELECT count(*) {_OLD_EVENTS}", {"cutoff": cutoff}),
    ),
    Sort(
        "devices",
        Kind.DEVICE,
        _devices,
        lambda cutoff: retention.counted(f"SELECT count(*) {_OLD_DEVICES}", {"cutoff": cutoff}),
    ),
    Sort(
        "lines",
        None,
        _lines,
        lambda cutoff: retention.counted(f"SELECT count(*) {_EMPTY_LINES}", {"cutoff": cutoff}),
    ),
)  # fmt: skip
