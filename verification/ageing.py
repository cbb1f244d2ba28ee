"""What of this layer is kept long enough: verifications with all that hangs on them, webhooks, cases.

Verifications and webhooks are found partner by partner: there is an index for that, which the partners' lists need
anyway. A verification of which the desk has a case stays as long as the case.
"""

from collections.abc import Iterator
from datetime import datetime

from ansim import retention
from ansim.retention import Sort
from ansim.retention_models import Kind
from verification.models import Partner

_OLD_VERIFICATIONS = """
      FROM verification_verification v
     WHERE v.created_at < %(cutoff)s AND v.ended_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM verification_case c WHERE c.verification_id = v.id)
       AND NOT EXISTS (SELECT FROM verification_webhookdelivery w
                        WHERE w.verification_id = v.id AND (w.state = 'owed' OR w.created_at >= %(cutoff)s))"""
_VERIFICATIONS = f"""
    WITH old AS (
        SELECT v.id, v.created_at {_OLD_VERIFICATIONS} AND v.partner_id = %(partner)s AND v.created_at >= %(after)s
         ORDER BY v.created_at LIMIT %(most)s FOR UPDATE OF v SKIP LOCKED),
    told AS (
        SELECT id FROM verification_webhookdelivery WHERE verification_id = ANY(ARRAY(SELECT id FROM old))),
    attempts AS (
        DELETE FROM verification_webhookattempt WHERE delivery_id = ANY(ARRAY(SELECT id FROM told))),
    deliveries AS (
        DELETE FROM verification_webhookdelivery WHERE id = ANY(ARRAY(SELECT id FROM told))),
    releases AS (
        DELETE FROM verification_release WHERE used_by_id = ANY(ARRAY(SELECT id FROM old))),
    rehearsals AS (
        DELETE FROM verification_rehearsal WHERE verification_id = ANY(ARRAY(SELECT id FROM old))),
    gone AS (
        DELETE FROM verification_verification WHERE id = ANY(ARRAY(SELECT id FROM old)))
    SELECT count(*), max(created_at) FROM old"""  # noqa: S608 - constants only
_OLD_WEBHOOKS = "FROM verification_webhookdelivery w WHERE w.created_at < %(cutoff)s AND w.state <> 'owed'"
_WEBHOOKS = f"""
    WITH old AS (
        SELECT w.id, w.created_at {_OLD_WEBHOOKS} AND w.partner_id = %(partner)s AND w.created_at >= %(after)s
         ORDER BY w.created_at LIMIT %(most)s FOR UPDATE SKIP LOCKED),
    attempts AS (DELETE FROM verification_webhookattempt WHERE delivery_id = ANY(ARRAY(SELECT id FROM old))),
    gone AS (DELETE FROM verification_webhookdelivery WHERE id = ANY(ARRAY(SELECT id FROM old)))
    SELECT count(*), max(created_at) FROM old"""  # noqa: S608 - constants only


def _of_each_partner(statement: str, cutoff: datetime) -> Iterator[int]:
    for partner in Partner.objects.order_by("pk").values_list("pk", flat=True).iterator():
        yield from retention.swept(statement, {"cutoff": cutoff, "partner": partner})


SORTS = (
    retention.by_time("webhook_attempts", Kind.ATTEMPT, "verification_webhookattempt", "at"),
    Sort(
        "webhooks",
        Kind.WEBHOOK,
        lambda cutoff: _of_each_partner(_WEBHOOKS, cutoff),
        lambda cutoff: retention.counted(f"SELECT count(*) {_OLD_WEBHOOKS}", {"cutoff": cutoff}),
    ),
    retention.at_once("cases", Kind.CASE, "verification_case", "row.closed_at < %(cutoff)s"),
    Sort(
        "verifications",
        Kind.VERIFICATION,
        lambda cutoff: _of_each_partner(_VERIFICATIONS, cutoff),
        lambda cutoff: retention.counted(f"SELECT count(*) {_OLD_VERIFICATIONS}", {"cutoff": cutoff}),
    ),
    retention.by_time(
        "releases",
        Kind.VERIFICATION,
        "verification_release",
        "created_at",
        "used_by_id IS NULL AND ended_at IS NOT NULL",
    ),
    retention.at_once("partner_changes", Kind.STAFF, "verification_partnerchange", "row.created_at < %(cutoff)s"),
)
"""In this order: what hangs on a row goes before it."""
