"""What must hold after the storm, looked up in the database, at the vendors and at the partners' endpoints.

Each function yields a sentence for everything that is wrong.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.traffic import Traffic, Walk
from tests.client.town import Member, Town

ENDS = {"verified", "failed", "expired", "denied", "cancelled"}
CLOCK = timedelta(seconds=3)  # the timetable ends what is overdue every second; one tick may be at work
LADDER = 2  # quick attempts of a webhook; the next one is five minutes later

OURS = """
SELECT id::text, reference, state, reason, channel, tries_left, created_at, expires_at, ended_at
FROM verification_verification WHERE partner_id = ANY(%s::uuid[])
"""
OWED_TO_PARTNERS = """
SELECT id, verification_id::text, type, state, attempts, due_at
FROM verification_webhookdelivery WHERE partner_id = ANY(%s::uuid[])
"""
MESSAGES = """
SELECT m.about::text, m.kind, m.state, m.expires_at, m.attempts FROM pushes_message m
JOIN verification_verification v ON v.id = m.about WHERE v.partner_id = ANY(%s::uuid[])
"""


class Findings:
    """Everything that is known after the storm; `all()` is what is wrong with it."""

    def __init__(self, town: Town, traffic: Traffic, members: list[Member]) -> None:
        self.town, self.traffic, self.members = town, traffic, members
        partners = [shop.entry["id"] for shop in traffic.shops]
        self.walks = [walk for walk in traffic.walks if walk.ids]
        self.rows = {row[0]: _Row(*row) for row in town.rows(OURS, partners)}
        self.owed = [_Owed(*row) for row in town.rows(OWED_TO_PARTNERS, partners)]
        self.messages = town.rows(MESSAGES, partners)
        self.heard = [hook for shop in traffic.shops for hook in town.world.webhooks(shop.entry)]

    def all(self) -> list[str]:
        found = [*self.traffic.failures]
        for look in (self.numbers, self.lost, self.guesses, self.too_late, self.webhooks, self.sent, self.by_sms):
            found += look()
        return found

    def unfinished(self) -> bool:
        """Whether something will still happen by itself soon; a webhook that waits on its ladder does not count."""
        now = datetime.now(UTC)
        return (
            any(row.ended_at is None for row in self.rows.values())
            or any(state == "owed" for _, _, state, _, _ in self.messages)
            or any(owed.waits(now) for owed in self.owed)
        )

    def on_the_ladder(self) -> int:
        return sum(owed.state == "owed" for owed in self.owed)

    def numbers(self) -> Iterator[str]:
        """No number accepted twice, none lost: who was told 200 is verified, who is verified sent the right number."""
        for walk in self.walks:
            row = self.rows.get(walk.pk)
            state = row.state if row else None
            if walk.accepted > 1:
                yield f"{_name(walk)}: its number was accepted {walk.accepted} times"
            if walk.accepted and state != "verified":
                yield f"{_name(walk)}: the partner was told verified, it is {state}"
            if state == "verified" and not walk.right_sent:
                yield f"{_name(walk)}: verified though nobody sent the number"

    def lost(self) -> Iterator[str]:
        """What was answered 201 is there, once; what was repeated with the same key is one verification."""
        by_reference = Counter(row.reference for row in self.rows.values())
        for walk in self.walks:
            if len(walk.ids) > 1 or by_reference[walk.reference] != 1:
                yield f"{_name(walk)}: {len(walk.ids)} ids told, {by_reference[walk.reference]} rows"

    def guesses(self) -> Iterator[str]:
        """Every wrong number that was answered 422 counted; none counted more than once."""
        for walk in self.walks:
            row = self.rows.get(walk.pk)
            if row and walk.wrong_sent:
                used = 5 - row.tries_left
                if not walk.wrong_told <= used <= walk.wrong_sent:
                    yield f"{_name(walk)}: {used} tries used; {walk.wrong_sent} wrong sent, {walk.wrong_told} told"

    def too_late(self) -> Iterator[str]:
        now = datetime.now(UTC)
        for row in self.rows.values():
            if row.ended_at is None and row.expires_at + CLOCK < now:
                yield f"{row.id}: {row.state} and open past its time"
            if row.state == "verified" and row.ended_at and row.ended_at > row.expires_at:
                yield f"{row.id}: verified after its time was over"

    def webhooks(self) -> Iterator[str]:
        """Each end has one event, heard at least once, always under one id; and nothing else was told as an end."""
        ids: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for hook in self.heard:
            told = json.loads(hook["body"])
            ids[told["data"]["id"], told["type"].removeprefix("verification.")].add(hook["headers"]["webhook-id"])
        waiting = {owed.verification for owed in self.owed if owed.state == "owed"}
        for row in self.rows.values():
            ends = {kind: hooks for (pk, kind), hooks in ids.items() if pk == row.id and kind in ENDS}
            want = {row.state} if row.ended_at else set()
            if set(ends) - want or (set(ends) != want and row.id not in waiting):
                yield f"{row.id}: is {row.state}, its partner heard {sorted(ends)}"
            if any(len(hooks) != 1 for hooks in ends.values()):
                yield f"{row.id}: one end under several webhook ids"
        kinds = Counter((owed.verification, owed.type) for owed in self.owed)
        yield from (f"{owed}: written {count} times" for owed, count in kinds.items() if count != 1)

    def sent(self) -> Iterator[str]:
        """What was sent reached the vendor, and none of it more than once more than it was owed."""
        owed = Counter((about, kind) for about, kind, _, _, _ in self.messages)
        left = Counter((about, kind) for about, kind, state, _, _ in self.messages if state == "sent")
        came = self._arrived()
        for what, count in came.items():
            if count > owed[what] + 1:
                yield f"{what}: owed {owed[what]}, sent {count} times"
        yield from (f"{what}: marked as sent, never arrived" for what, count in left.items() if came[what] < count)

    def _arrived(self) -> Counter[tuple[str, str]]:
        came: Counter[tuple[str, str]] = Counter()
        for member in self.members:
            for push in self.town.world.pushes(member.push_token):
                if "verification" in push:
                    came[push["verification"], push["kind"]] += 1
        of_number = {(walk.contract, number): walk.pk for walk in self.walks for number in walk.numbers}
        for person in self.traffic.met.values():
            for text in self.town.world.texts(person):
                number = text["text"].partition("본인확인 번호 ")[2][:6]
                pk = of_number.get((person["contract"], number))
                if pk:
                    came[pk, "sms"] += 1
        unread = {walk.pk for walk in self.walks if not walk.protected and not walk.numbers}
        for about, kind, state, _, _ in self.messages:  # whose text nobody read cannot be told apart by its number
            if about in unread and kind == "sms" and state == "sent":
                came[about, kind] += 1
        return came

    def by_sms(self) -> Iterator[str]:
        """Invariant 1."""
        for member in self.members:
            if any("본인확인 번호" in text["text"] for text in self.town.world.texts(member.person)):
                yield f"{member.person['contract']}: a protected line got a number by SMS"

    def lag(self) -> float:
        """The longest that an expired one was open past its time, in seconds."""
        late = [row.ended_at - row.expires_at for row in self.rows.values() if row.state == "expired" and row.ended_at]
        return max((one.total_seconds() for one in late), default=0.0)

    def again(self) -> int:
        """Messages that arrived once more than they were owed."""
        owed = Counter((about, kind) for about, kind, _, _, _ in self.messages)
        return sum(max(0, count - owed[what]) for what, count in self._arrived().items())


class _Row:
    def __init__(self, *values: Any) -> None:
        self.id: str
        (self.id, self.reference, self.state, self.reason, self.channel, self.tries_left, self.created_at,
         self.expires_at, self.ended_at) = values  # fmt: skip


class _Owed:
    def __init__(self, *values: Any) -> None:
        self.id, self.verification, self.type, self.state, self.attempts, self.due_at = values

    def __str__(self) -> str:
        return f"{self.type} of {self.verification}"

    def waits(self, now: datetime) -> bool:
        return bool(self.state == "owed" and (self.attempts < LADDER or self.due_at < now))


def _name(walk: Walk) -> str:
    return f"{walk.pk} ({walk.road})"
