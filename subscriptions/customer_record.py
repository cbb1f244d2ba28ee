"""All that is known of one customer, for the desk: the facts, and everything that happened, merged by time.

A page of the timeline is one statement, of which each source is a part that reads at most a page of its own index:
it costs the same with ten rows and with ten million. What was before this customer had the line, or after they lost it,
is somebody else's and stays out.
"""

import base64
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from ansim.lib import sealed
from subscriptions.models import PendingChange, Subscription
from verification.models import Line

PAGE = 30
KINDS: dict[str, tuple[str, ...]] = {
    "verifications": ("verification", "release", "case"),
    "line": ("joined", "ended", "event"),
    "app": ("notice",),
    "bills": ("charge",),
    "desk": ("pending", "consent", "look"),
}
# Each part: what it is called, its time, its id, its columns as JSON, and where from. %(…)s are the customer's.
_PARTS = {
    "verification": """
        SELECT 'verification' AS source, v.matched_at AS at, v.id::text AS id, jsonb_build_object(
                   'site', v.site, 'purpose', v.purpose, 'state', v.state, 'reason', v.reason, 'channel', v.channel,
                   'released', v.released, 'opened_at', v.opened_at, 'ended_at', v.ended_at, 'messages',
                   (SELECT jsonb_agg(jsonb_build_array(m.kind, m.channel, m.state, m.attempts) ORDER BY m.created_at)
                      FROM pushes_message m WHERE m.about = v.id)) AS data
          FROM verification_verification v
         WHERE v.line_id = %(line)s AND v.matched_at BETWEEN %(since)s AND %(until)s
           AND (v.matched_at, 'verification', v.id::text) < (%(at)s, %(source)s, %(id)s)
         ORDER BY v.line_serial DESC LIMIT %(most)s""",
    "release": """
        SELECT 'release', r.created_at, r.id::text, jsonb_build_object(
                   'partner', p.name, 'used_at', r.used_at, 'ended_at', r.ended_at, 'ended_by', r.ended_by)
          FROM verification_release r JOIN verification_partner p ON p.id = r.partner_id
         WHERE r.line_id = %(line)s AND r.created_at BETWEEN %(since)s AND %(until)s
           AND (r.created_at, 'release', r.id::text) < (%(at)s, %(source)s, %(id)s)
         ORDER BY r.created_at DESC LIMIT %(most)s""",
    "case": """
        SELECT 'case', c.opened_at, c.id::text, jsonb_build_object(
                   'kind', c.kind, 'partner', p.name, 'slowed_until', c.slowed_until, 'closed_at', c.closed_at)
          FROM verification_case c JOIN verification_partner p ON p.id = c.partner_id
         WHERE c.line_id = %(line)s AND c.opened_at BETWEEN %(since)s AND %(until)s
           AND (c.opened_at, 'case', c.id::text) < (%(at)s, %(source)s, %(id)s)
         ORDER BY c.opened_at DESC LIMIT %(most)s""",
    "event": """
        SELECT 'event', e.time, e.id::text, jsonb_build_object(
                   'type', e.type, 'standing', e.standing, 'event', e.event_id, 'received_at', e.received_at)
          FROM subscriptions_carrierevent e
         WHERE e.contract_fingerprint = %(contract)s AND e.time BETWEEN %(since)s AND %(until)s
           AND (e.time, 'event', e.id::text) < (%(at)s, %(source)s, %(id)s)
         ORDER BY e.time DESC LIMIT %(most)s""",
    "notice": """
        SELECT 'notice', m.created_at, m.id::text, jsonb_build_object(
                   'channel', m.channel, 'state', m.state, 'attempts', m.attempts, 'sent_at', m.sent_at,
                   'body', encode(m.body, 'base64'))
          FROM pushes_message m
         WHERE m.device_id = %(device)s AND m.kind = 'notice' AND m.created_at BETWEEN %(since)s AND %(until)s
           AND (m.created_at, 'notice', m.id::text) < (%(at)s, %(source)s, %(id)s)
         ORDER BY m.created_at DESC LIMIT %(most)s""",
    "charge": """
        SELECT 'charge', c.made_at, c.id::text, jsonb_build_object(
                   'month', c.month, 'adjusts', c.adjusts, 'amount', c.amount, 'days', c.days)
          FROM subscriptions_charge c
         WHERE c.line_id = %(line)s AND c.made_at BETWEEN %(since)s AND %(until)s
           AND (c.made_at, 'charge', c.id::text) < (%(at)s, %(source)s, %(id)s)
         ORDER BY c.made_at DESC LIMIT %(most)s""",
    "consent": """
        SELECT 'consent', c.at, c.id::text, jsonb_build_object(
                   'ko', d.title_ko, 'en', d.title_en, 'version', d.version, 'agreed', c.agreed, 'channel', c.channel)
          FROM subscriptions_consent c JOIN subscriptions_consentdocument d ON d.id = c.document_id
         WHERE c.subscription_id = ANY(%(subscriptions)s)
           AND (c.at, 'consent', c.id::text) < (%(at)s, %(source)s, %(id)s)
         ORDER BY c.at DESC LIMIT %(most)s""",
    "look": """
        SELECT 'look', a.at, a.number::text, jsonb_build_object('actor', a.actor, 'action', a.action, 'what', a.what)
          FROM ansim_accessrecord a
         WHERE a.subject = %(contract)s AND a.at BETWEEN %(since)s AND %(until)s
           AND (%(viewer)s = '' OR a.actor = %(viewer)s)
           AND (a.at, 'look', a.number::text) < (%(at)s, %(source)s, %(id)s)
         ORDER BY a.number DESC LIMIT %(most)s""",
}
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Entry:
    """One thing that happened: in which table, when, and what is known of it (`subscriptions.desk_words` says it)."""

    at: datetime
    source: str
    id: str
    data: dict[str, Any] = field(compare=False, default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a page of the timeline goes on: after this entry. Its text stands in an address: nothing personal."""

    at: datetime = FOREVER
    source: str = "~"
    id: str = ""

    @classmethod
    def read(cls, text: str) -> "Place":
        """The beginning for whatever is no place of ours."""
        micros, _, rest = text.partition(".")
        source, _, row = rest.partition(".")
        if not (micros.isascii() and micros.isdecimal() and len(micros) < 17 and source in SOURCES) or "\0" in row:
            return cls()
        return cls(datetime.fromtimestamp(int(micros) / 1_000_000, UTC), source, row[:64])

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1_000_000)}.{self.source}.{self.id}"


SOURCES = frozenset(source for kind in KINDS.values() for source in kind)


@dataclass(frozen=True)
class Customer:
    """Somebody who joined, on one line. `subscriptions`: theirs there, the newest last; `until` None: still theirs."""

    subscription: Subscription
    line: Line
    subscriptions: list[Subscription]
    until: datetime | None
    changes: list[PendingChange]

    @property
    def since(self) -> datetime:
        return self.subscriptions[0].joined_at

    @property
    def waiting(self) -> list[PendingChange]:
        """What was taken down and waits."""
        return [change for change in self.changes if change.stopped_at is None and change.done_at is None]

    @property
    def is_active(self) -> bool:
        return self.subscription.state == Subscription.State.ACTIVE


def of(subscription_id: uuid.UUID) -> Customer | None:
    """By any of their subscriptions; None for an id that is none."""
    every = Subscription.objects.filter(line__subscriptions=subscription_id).select_related("line__device")
    rows = list(every.order_by("joined_at"))
    mine = next((row for row in rows if row.pk == subscription_id), None)
    if mine is None:
        return None
    run, later = _run(rows, mine)
    newest = run[-1]
    until = later.joined_at if later else newest.ended_at if newest.end_reason == "owner_changed" else None
    changes = PendingChange.objects.filter(subscription__in=run).select_related("asked_by", "approved_by")
    return Customer(newest, newest.line, run, until, list(changes.order_by("-asked_at")[: PAGE * 3]))


def _run(rows: list[Subscription], mine: Subscription) -> tuple[list[Subscription], Subscription | None]:
    """This person's subscriptions of the line without anybody else's between, and the next person's."""
    at = rows.index(mine)
    first = last = at
    while first > 0 and rows[first - 1].holder_fingerprint == mine.holder_fingerprint:
        first -= 1
    while last + 1 < len(rows) and rows[last + 1].holder_fingerprint == mine.holder_fingerprint:
        last += 1
    return rows[first : last + 1], rows[last + 1] if last + 1 < len(rows) else None


def timeline(
    customer: Customer, *, kind: str = "", after: Place | None = None, viewer: str = ""
) -> tuple[list[Entry], Place | None]:
    """A page, the newest first, and where the next begins. `viewer`: only that agent's own looks; empty: all."""
    after = after or Place()
    wanted = KINDS.get(kind, tuple(SOURCES))
    entries = [entry for entry in _own_facts(customer) if entry.source in wanted and _follows(entry, after)]
    entries += _asked(customer, [source for source in _PARTS if source in wanted], after, viewer)
    entries.sort(reverse=True)
    shown = entries[:PAGE]
    more = len(entries) > PAGE
    return shown, Place(shown[-1].at, shown[-1].source, shown[-1].id) if more else None


def _follows(entry: Entry, place: Place) -> bool:
    return (entry.at, entry.source, entry.id) < (place.at, place.source, place.id)


def _own_facts(customer: Customer) -> Iterator[Entry]:
    """What the page has read anyway."""
    for one in customer.subscriptions:
        yield Entry(one.joined_at, "joined", str(one.pk))
        if one.ended_at:
            yield Entry(one.ended_at, "ended", str(one.pk), {"reason": one.end_reason})
    for change in customer.changes:
        yield from _course(change)


def _course(change: PendingChange) -> Iterator[Entry]:
    by = change.asked_by.get_username() if change.asked_by else ""
    told = {"kind": change.kind, "by": by, "due_at": change.due_at}
    step = "asked_for_approval" if change.awaits_approval else "asked"
    yield Entry(change.asked_at, "pending", f"{change.pk}-1", {**told, "step": step})
    if change.approved_at and change.approved_by:
        by = change.approved_by.get_username()
        yield Entry(change.approved_at, "pending", f"{change.pk}-3", {**told, "by": by, "step": "approved"})
    if change.stopped_at:
        yield Entry(change.stopped_at, "pending", f"{change.pk}-2", {**told, "step": "stopped"})
    if change.done_at:
        yield Entry(change.done_at, "pending", f"{change.pk}-2", {**told, "step": "done"})


def _asked(customer: Customer, parts: Iterable[str], after: Place, viewer: str) -> list[Entry]:
    chosen = [f"({_PARTS[part]})" for part in parts]
    if not chosen:
        return []
    line = customer.line
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(chosen),
            {
                "line": line.pk, "contract": line.contract_fingerprint, "device": line.device_id,
                "subscriptions": [one.pk for one in customer.subscriptions],
                "since": customer.since, "until": customer.until or timezone.now(), "viewer": viewer,
                "at": after.at, "source": after.source, "id": after.id, "most": PAGE + 1,
            },
        )  # fmt: skip
        return [Entry(at, source, row, _opened(source, row, data)) for source, at, row, data in cursor.fetchall()]


def _opened(source: str, row: str, data: Any) -> dict[str, Any]:
    """A notice's body is sealed; what it says is one of our own words."""
    told: dict[str, Any] = json.loads(data) if isinstance(data, str) else data
    if source == "notice" and told["body"]:
        body = sealed.unseal(base64.b64decode(told["body"]), place=f"pushes_message.body.{row}")
        return {**told, "notice": body["notice"]}
    return told
