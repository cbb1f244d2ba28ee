"""The record of access: who looked at whose data, or changed it, from where and why (mission.md, invariant 8).

The only writer of `AccessRecord`. A record is appended in the transaction of the deed, so that neither stands without
the other. Appending holds a lock of the whole chain until the commit: it comes last in a story, after every row lock.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import TextChoices
from django.utils import timezone

from ansim import checkpoint
from ansim.lib import fingerprint, keyed
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
    """`changed`, `missing`, `missing_at_the_end`, `no_checkpoint`, `cut_changed`, `key_missing`, `former_key`."""


def record(actor: Actor, action: Action, *subjects: str, what: str = "", reason: str = "") -> None:
    """Append one record for each person whose data it was, or one that concerns nobody in particular.

    `subjects` are keyed fingerprints (a line's `contract_fingerprint`). Raises TransactionManagementError outside of a
    transaction: the deed and its record stand or fall together.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a record is written in the transaction of its deed")
    end = _end()
    _append(end, actor, action, subjects or ("",), what=what, reason=reason, key=end.key)


def rekey(*, by: Actor) -> str:
    """From this record on the chain is made with the first key of AUDIT_KEY, whose id is returned (docs/adr/0031).

    Every process must know that key already. ValueError: it is in use already; `keyed.Missing`: the present one went.
    """
    key_id, _key = keyed.newest(settings.AUDIT_KEY)
    with transaction.atomic():
        end = _end()
        keyed.by_id(settings.AUDIT_KEY, end.key)
        if end.key == key_id:
            raise ValueError(f"the record is made with {key_id or 'the first key'} already")
        _append(end, by, Action.REKEY, ("",), what=f"record.{key_id}", reason="", key=key_id)
    return key_id


@dataclass(frozen=True)
class _End:
    """The last row's number, mac and the id of its key."""

    number: int
    mac: bytes
    key: str


def _append(
    end: _End, actor: Actor, action: Action, subjects: Sequence[str], *, what: str, reason: str, key: str
) -> None:
    now, number, before, rows = timezone.now(), end.number, end.mac, []
    for subject in subjects:
        number += 1
        row = AccessRecord(
            number=number, at=now, actor=actor.name, agent=actor.agent, role=actor.role, address=actor.address,
            subject=subject, action=action, what=what, key=key,
        )  # fmt: skip
        row.chain(before, reason=reason)
        before = bytes(row.mac)
        rows.append(row)
    AccessRecord.objects.bulk_create(rows)
    transaction.on_commit(lambda: checkpoint.advance(number, before))


def _end() -> _End:
    """For who will append: nobody else does before this transaction ends. A new record begins with the newest key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    # A statement of its own: its snapshot must be younger than the lock.
    last = AccessRecord.objects.order_by("-number").values_list("number", "mac", "key").first()
    return _End(last[0], bytes(last[1]), last[2]) if last else _End(0, b"", keyed.newest(settings.AUDIT_KEY)[0])


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
    return list(AccessRecord.objects.filter(subject__in=fingerprint.ever("contract", contract)).order_by("-number"))


def looks_at(contract: str, *, most: int = 100) -> list[Look]:
    """What staff did with that customer's data, newest first, as the customer may read it: no names of staff."""
    rows = AccessRecord.objects.filter(subject__in=fingerprint.ever("contract", contract)).order_by("-number")[:most]
    return [Look(row.at, _role(row.role), _word(Action, row.action), row.what, row.reason) for row in rows]


def _role(roles: str) -> str:
    return ", ".join(_word(Role, role) for role in roles.split(","))


def _word(choices: type[TextChoices], value: str) -> str:
    """In words, or as it stands where we no longer know the word."""
    return str(choices(value).label) if value in choices.values else value


def noted_cut(number: int) -> str:
    """How the chain names a cut, the last row of which had this number."""
    return f"accessrecord.{number}"


def verify(progress: Callable[[int, int], None] = lambda done, of: None) -> Verdict:
    """Walk the whole chain, in flat memory. Found is what was changed, removed, put in or put in another order.

    It begins behind the newest cut (`ansim.audit_cut`), which the chain must name. What was removed at the end shows
    against the checkpoint, which is outside the database and read first: rows that are appended meanwhile only come
    after it. Once made with a newer key the chain never goes back to a former one, which a thief may have. `progress`
    is told how many rows are done, of how many.
    """
    noted = checkpoint.read()
    whole = AccessRecord.objects.order_by("-number").values_list("number", flat=True).first() or 0
    cut = RecordCut.objects.order_by("-number").first()
    if cut and not _stands(cut):
        return Verdict(0, noted.number, cut.number, "cut_changed")
    walk = _Walk(cut.number, bytes(cut.before)) if cut else _Walk(0, b"")
    rows = AccessRecord.objects.order_by("number").values_list(*AccessRecord.CONTENT, "key", "mac")
    for *content, key_id, kept in rows.iterator(chunk_size=CHUNK):
        why = walk.step(content, key_id, bytes(kept))
        if why:
            return Verdict(walk.count, noted.number, walk.count + 1, why)
        if walk.count == noted.number and walk.before != noted.mac:
            return Verdict(walk.count - 1, noted.number, walk.count, "changed")
        if walk.count % CHUNK == 0:
            progress(walk.count, whole)
    if walk.count < noted.number:
        return Verdict(walk.count, noted.number, walk.count + 1, "missing_at_the_end")
    if walk.count and not noted.number:
        return Verdict(walk.count, 0, walk.count, "no_checkpoint")
    return Verdict(walk.count, noted.number)


def _stands(cut: RecordCut) -> bool:
    """Made by us, and the chain says so too."""
    return cut.is_ours() and AccessRecord.objects.filter(action=Action.CUT, what=noted_cut(cut.number)).exists()


class _Walk:
    """Along the chain: `count` is the number of the last row that was proved, `before` its mac."""

    def __init__(self, count: int, before: bytes) -> None:
        self.count, self.before = count, before
        self._ages = {key_id: age for age, key_id in enumerate(keyed.ring(settings.AUDIT_KEY))}
        self._age = len(self._ages)

    def step(self, content: Sequence[Any], key_id: str, kept: bytes) -> str:
        """Go on to that row; why not, in a word, where it is not as it was written."""
        if content[0] != self.count + 1:
            return "missing"
        if key_id not in self._ages:
            return "key_missing"
        if not hmac.compare_digest(kept, mac(self.before, content, key_id)):
            return "changed"
        if self._ages[key_id] > self._age:
            return "former_key"
        self.count, self.before, self._age = content[0], kept, self._ages[key_id]
        return ""
