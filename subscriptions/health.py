"""What stands at this moment in the carrier's reports and in bills, in the waiting room, and over all apps."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime

import redis
from django.db import connection

from ansim import audit, bell, heartbeat, once
from ansim import checkup as ground
from ansim.lib import birth
from ansim.lib.health import Owed
from ansim.lib.metrics import Gauge
from pushes import health as pushes
from subscriptions import billing, waiting_room
from verification import carrier
from verification import health as verification

# All of it by partial indexes or from tables of a row a month, a row a thousand charges, a row a night.
_BOOKS = """
SELECT (SELECT count(*) FROM subscriptions_carrierevent WHERE standing = 'stuck'),
       (SELECT extract(epoch FROM now() - min(received_at)) FROM subscriptions_carrierevent WHERE standing = 'stuck'),
       (SELECT count(*) FROM subscriptions_posting WHERE accepted_at IS NULL),
       (SELECT extract(epoch FROM now() - min(due_at)) FROM subscriptions_posting WHERE accepted_at IS NULL),
       (SELECT max(month) FROM subscriptions_closedmonth),
       EXISTS (SELECT FROM subscriptions_subscription WHERE joined_at < %(month)s),
       sweep.began_at, sweep.ended_at, sweep.checked, sweep.repaired, sweep.reported
  FROM (SELECT) AS always
  LEFT JOIN (SELECT began_at, ended_at, checked, repaired, reported FROM subscriptions_reconciliation
              ORDER BY began_at DESC LIMIT 1) AS sweep ON true
"""


@dataclass(frozen=True)
class Sweep:
    """The last comparison of all lines with the carrier, or the one under way (`ended_at` None)."""

    began_at: datetime
    ended_at: datetime | None
    checked: int
    repaired: int
    reported: int


@dataclass(frozen=True)
class Books:
    """`stuck`: carrier's events that nobody could apply. `postings`: of charges, not accepted yet. `closed`: the
    newest month whose close came to its end; `members_before`: somebody joined before this month."""

    stuck: Owed
    postings: Owed
    closed: date | None
    members_before: bool
    sweep: Sweep | None

    @property
    def month_due(self) -> bool:
        """The last month should be closed, and is not."""
        last = billing.month_before(_this_month())
        return self.members_before and (self.closed is None or self.closed < last)


@dataclass(frozen=True)
class Bells:
    """What Redis holds: bells that wait by queue, people in the waiting room, when the clock last got through."""

    queues: dict[str, int]
    inside: int
    waiting: int
    tick: float | None
    """Seconds since a worker did what the clock asked for; None when Redis does not know."""


@dataclass(frozen=True)
class Standing:
    """All of it. `bells` None: Redis does not answer."""

    messages: dict[str, Owed]
    webhooks: Owed
    open: verification.Open
    books: Books
    record: audit.Noted
    bells: Bells | None
    skew: float
    """Seconds that the database's clock is ahead of this host's."""
    carrier_ahead: float | None
    """The same of the carrier's clock; None where this process has not heard it lately."""


def standing() -> Standing:
    """Six statements and two calls to Redis."""
    return Standing(
        pushes.owed(), verification.owed(), verification.open_verifications(), books(), audit.noted(), bells(),
        ground.skew(), carrier.clock_ahead(),
    )  # fmt: skip


def books() -> Books:
    with connection.cursor() as cursor:
        cursor.execute(_BOOKS, {"month": datetime.combine(_this_month(), datetime.min.time(), birth.KOREA)})
        stuck, stuck_for, postings, posting_late, closed, members, *sweep = cursor.fetchone()
    late = max(0.0, float(posting_late or 0))
    swept = Sweep(*sweep) if sweep[0] else None
    return Books(Owed(stuck, float(stuck_for or 0)), Owed(postings, late, late), closed, members, swept)


def _this_month() -> date:
    return billing.month_of(datetime.now(UTC))


def bells() -> Bells | None:
    """None while Redis does not answer."""
    try:
        with bell.broker().pipeline(transaction=False) as pipeline:
            for queue in heartbeat.QUEUES:
                pipeline.llen(queue)
            lengths = pipeline.execute()
        with once.store().pipeline(transaction=False) as pipeline:
            waiting_room.count(pipeline)
            pipeline.get(heartbeat.TICK)
            inside, waiting, ticked = pipeline.execute()
    except redis.RedisError:
        return None
    queues = dict(zip(heartbeat.QUEUES, lengths, strict=True))
    return Bells(queues, inside, waiting, time.time() - float(ticked) if ticked else None)


def gauges(found: Standing) -> list[Gauge]:
    """The same for Prometheus."""
    channels = {**found.messages, "webhook": found.webhooks}
    owed = Gauge("owed", "What is owed and not sent or delivered yet.", ("channel",))
    oldest = Gauge("owed_oldest_seconds", "How long the oldest of it has been owed.", ("channel",))
    late = Gauge(
        "owed_late_seconds", "How late the most overdue of it is: ours to send, and not taken up.", ("channel",)
    )
    for channel, one in channels.items():
        owed.add(one.count, channel)
        oldest.add(one.oldest, channel)
        late.add(one.late, channel)
    still_open = Gauge("verifications_open", "Verifications that have not ended.", ("state",))
    for state, count in found.open.by_state.items():
        still_open.add(count, state)
    overdue = Gauge("verifications_overdue_seconds", "How long past its time the most overdue open one is.")
    skew = Gauge("clock_skew_seconds", "How far the database's clock is ahead of this host's.").add(found.skew)
    beyond = Gauge("clock_carrier_skew_seconds", "How far the carrier's clock is ahead of this host's, to the second.")
    if found.carrier_ahead is not None:
        beyond.add(found.carrier_ahead)
    plain = [owed, oldest, late, still_open, overdue.add(found.open.overdue), skew, beyond]
    return [*plain, *_books(found), *_bells(found.bells)]


def _books(found: Standing) -> list[Gauge]:
    books, record = found.books, found.record
    plain: list[tuple[str, str, float]] = [
        ("carrier_events_stuck", "Carrier's events that wait at the desk.", books.stuck.count),
        ("carrier_events_stuck_oldest_seconds", "How long the oldest of them waits.", books.stuck.oldest),
        ("postings_owed", "Posts of charges that the carrier has not accepted.", books.postings.count),
        ("postings_late_seconds", "How late the most overdue of them is.", books.postings.late),
        ("month_close_due", "1 while the last month is not closed.", books.month_due),
        ("record_behind", "Records of access that are not noted outside the database yet.", record.behind),
        ("record_note_age_seconds", "Age of the note of the record's end.", record.age),
    ]
    if books.sweep:
        sweep = books.sweep
        plain += [
            ("sweep_began_timestamp_seconds", "When the last comparison with the carrier began.",
             sweep.began_at.timestamp()),
            ("sweep_running", "1 while one is under way.", sweep.ended_at is None),
            ("sweep_checked", "Lines that it compared.", sweep.checked),
            ("sweep_repaired", "Differences that it put right.", sweep.repaired),
            ("sweep_reported", "Differences that it left to the desk.", sweep.reported),
        ]  # fmt: skip
    return [Gauge(name, what).add(float(value)) for name, what, value in plain]


def _bells(bells: Bells | None) -> list[Gauge]:
    up = Gauge("redis_up", "1 while Redis answers.").add(bells is not None)
    if bells is None:
        return [up]
    queue = Gauge("queue_bells", "Bells that no worker has taken yet.", ("queue",))
    for name, length in bells.queues.items():
        queue.add(length, name)
    room = Gauge("waiting_room_people", "Who joins now: inside, or waiting for a place.", ("place",))
    room.add(bells.inside, "inside").add(bells.waiting, "waiting")
    told = [up, queue, room]
    if bells.tick is not None:
        told.append(Gauge("tick_age_seconds", "Since a worker last did what the clock asked for.").add(bells.tick))
    return told
