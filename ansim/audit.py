"""The record of access: who looked at whose data, or changed it, from where and why (mission.md, invariant 8).

The only writer of `AccessRecord`. A record is appended in the transaction of the deed, so that neither stands without
the other. Appending holds a lock of the whole chain until the commit: it comes last in a story, after every row lock.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import TextChoices
from django.utils import timezone

from ansim import checkpoint
from ansim.lib import fingerprint
from ansim.models import AccessRecord, Agent, RecordCut
from ansim.record_models import Action, Role, mac

LOCK = 0x616E_7369_6D01  # "ansim", the record's chain
CHUNK = 2_000


@dataclass(frozen=True)
class Actor:
    """Who did it, from where. `role` as it was at that moment; several are parted by commas."""

    name: str
    role: str
    address: str = ""
    agent: int | None = None


COMMAND = Actor("command", Role.OPERATOR)
"""Somebody at a shell of ours, or the demo."""


def staff(agent: Agent, *, address: str) -> Actor:
    """A member of staff at the desk, with the roles they have now."""
    roles = sorted(agent.groups.values_list("name", flat=True)) or (["superuser"] if agent.is_superuser else [])
    return Actor(agent.get_username(), ",".join(roles)[:64], address, agent.pk)


@dataclass(frozen=True)
class Look:
    """A record as the customer may read it; `role` and `action` in words."""

    at: datetime
    role: str
    action: str
    what: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What became of the record: `broken` is the first row that is not as it was written, None when all are."""

    count: int
    """The number of the last row that was proved."""
    checkpoint: int
    broken: int | None = None
    why: str = ""
    """`changed`, `missing`, `missing_at_the_end`, `no_checkpoint`, `cut_changed`."""


def record(actor: Actor, action: Action, *subjects: str, what: str = "", reason: str = "") -> None:
    """Append one record for each person whose data it was, or one that concerns nobody in particular.

    `subjects` are keyed fingerprints (a line's `contract_fingerprint`). Raises TransactionManagementError outside of a
    transaction: the deed and its record stand or fall together.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a record is written in the transaction of its deed")
    now = timezone.now()
    number, before = _end()
    rows = []
    for subject in subjects or ("",):
        number += 1
        row = AccessRecord(
            number=number, at=now, actor=actor.name, agent=actor.agent, role=actor.role, address=actor.address,
            subject=subject, action=action, what=what,
        )  # fmt: skip
        row.chain(before, reason=reason)
        before = bytes(row.mac)
        rows.append(row)
    AccessRecord.objects.bulk_create(rows)
    transaction.on_commit(lambda: checkpoint.advance(number, before))


def _end() -> tuple[int, bytes]:
    """The last row's number and mac, for who will append: nobody else does before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    # A statement of its own: its snapshot must be younger than the lock.
    last = AccessRecord.objects.order_by("-number").values_list("number", "mac").first()
    return (last[0], bytes(last[1])) if last else (0, b"")


@dataclass(frozen=True)
class Noted:
    """How far the note outside the database is `behind` the record, and its `age` in seconds (0: there is no note)."""

    behind: int
    age: float
    readable: bool = True


def noted() -> Noted:
    """One statement. A note that is ahead (rows were removed) is behind by a negative number."""
    last = AccessRecord.objects.order_by("-number").values_list("number", flat=True).first() or 0
    try:
        note = checkpoint.read()
    except checkpoint.Unreadable:
        return Noted(last, 0.0, readable=False)
    return Noted(last - note.number, checkpoint.age())


def fits() -> str:
    """Whether the record still has the row that was noted outside: "fits", "behind" (a note is missing), "broken",
    "unreadable". Two statements; `verify` proves the whole chain.
    """
    try:
        note = checkpoint.read()
    except checkpoint.Unreadable:
        return "unreadable"
    last = noted()
    if note.number:
        row = AccessRecord.objects.filter(number=note.number).values_list("mac", flat=True).first()
        if row is None or not hmac.compare_digest(bytes(row), note.mac):
            return "broken"
    return "behind" if last.behind > 0 else "fits"


def of_contract(contract: str) -> list[AccessRecord]:
    """Every record about that contract, newest first."""
    return list(AccessRecord.objects.filter(subject=fingerprint.of("contract", contract)).order_by("-number"))


def looks_at(contract: str, *, most: int = 100) -> list[Look]:
    """What staff did with that customer's data, newest first, as the customer may read it: no names of staff."""
    rows = AccessRecord.objects.filter(subject=fingerprint.of("contract", contract)).order_by("-number")[:most]
    return [Look(row.at, _role(row.role), _word(Action, row.action), row.what, row.reason) for row in rows]


def _role(roles: str) -> str:
    return ", ".join(_word(Role, role) for role in roles.split(","))


def _word(choices: type[TextChoices], value: str) -> str:
    """In words, or as it stands where we no longer know the word."""
    return str(choices(value).label) if value in choices.values else value


def verify(progress: Callable[[int, int], None] = lambda done, of: None) -> Verdict:
    """Walk the whole chain, in flat memory. Found is what was changed, removed, put in or put in another order.

    It begins behind the newest cut (`ansim.audit_cut`). What was removed at the end shows against the checkpoint, which
    is outside the database and read first: rows that are appended meanwhile only come after it. `progress` is told how
    many rows are done, of how many.
    """
    noted = checkpoint.read()
    whole = AccessRecord.objects.order_by("-number").values_list("number", flat=True).first() or 0
    cut = RecordCut.objects.order_by("-number").first()
    if cut and not cut.is_ours():
        return Verdict(0, noted.number, cut.number, "cut_changed")
    count, before = (cut.number, bytes(cut.before)) if cut else (0, b"")
    rows = AccessRecord.objects.order_by("number").values_list(*AccessRecord.CONTENT, "mac")
    for *content, kept in rows.iterator(chunk_size=CHUNK):
        if content[0] != count + 1:
            return Verdict(count, noted.number, count + 1, "missing")
        if not hmac.compare_digest(bytes(kept), mac(before, content)):
            return Verdict(count, noted.number, content[0], "changed")
        count, before = content[0], bytes(kept)
        if count == noted.number and before != noted.mac:
            return Verdict(count - 1, noted.number, count, "changed")
        if count % CHUNK == 0:
            progress(count, whole)
    if count < noted.number:
        return Verdict(count, noted.number, count + 1, "missing_at_the_end")
    if count and not noted.number:
        return Verdict(count, 0, count, "no_checkpoint")
    return Verdict(count, noted.number)
