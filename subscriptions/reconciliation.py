"""A sweep over every active subscription: what does the carrier say of its line now? (mission.md S7; issue 5)

Reports get lost, and some facts are never reported at all (a line that became a company's). What differs from what
stands here becomes an event of our own (`CarrierEvent.OUR_OWN`) and goes the way of all events; what we cannot put
right ourselves is kept stuck, for the desk.

The sweep keeps its place in the database: whoever goes on, after a crash or the next minute, goes on from there.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from ansim.lib import correlator
from ansim.lib.times import APART
from subscriptions import carrier_events, eligibility
from subscriptions.carrier_events import Report
from subscriptions.models import CarrierEvent, Reconciliation, Subscription
from verification import carrier
from verification.carrier import LineFacts

Type = CarrierEvent.Type
Answer = tuple[LineFacts | None, datetime]
"""What the carrier said, and the moment before it was asked: what is reported later is newer."""
BATCH = 100
AT_ONCE = 8  # questions on their way to the carrier: one after the other, a slow one would make a night too short
HELD_FOR = timedelta(minutes=2)  # a batch takes one at the slowest
LOST = f"{CarrierEvent.UNKNOWN}contract_not_at_its_number"


class AtWork(Exception):
    """Somebody else is doing it at this moment."""


@dataclass(frozen=True)
class Finding:
    """One difference. `repaired` is False where somebody must look."""

    subscription: uuid.UUID
    report: Report
    repaired: bool


@dataclass
class Tally:
    """What a run has done. `finished`: the sweep came to its end."""

    checked: int = 0
    found: list[Finding] = field(default_factory=list)
    finished: bool = False

    @property
    def repaired(self) -> int:
        return sum(finding.repaired for finding in self.found)

    @property
    def reported(self) -> int:
        return len(self.found) - self.repaired


def run(*, until: Callable[[], bool] = lambda: False, seen: Callable[[int], None] = lambda count: None) -> Tally:
    """Go on with the sweep that is under way, or begin one, until its end or until `until` says so (after a batch).

    `seen` hears how many were checked. Raises AtWork, and Unavailable when the carrier is away: the place is kept.
    """
    sweep, tally = _taken(), Tally()
    try:
        while not tally.finished and not until():
            batch = _following(sweep.done_up_to)
            for subscription, answer in _asked(batch):
                _check(subscription, answer, sweep, tally)
                seen(1)
            tally.finished = len(batch) < BATCH
            sweep.taken_until = timezone.now() + HELD_FOR
            sweep.save()
    finally:
        sweep.taken_until, sweep.ended_at = None, timezone.now() if tally.finished else None
        sweep.save()
    return tally


def rehearse(*, seen: Callable[[int], None] = lambda count: None) -> Tally:
    """The whole sweep without a change: what would be found. Raises Unavailable."""
    tally = Tally()
    place: uuid.UUID | None = None
    while not tally.finished:
        batch = _following(place)
        tally.finished = len(batch) < BATCH
        for subscription, answer in _asked(batch):
            tally.found += differences(subscription, answer)
            tally.checked, place = tally.checked + 1, subscription.pk
            seen(1)
    return tally


def to_check() -> int:
    """How many a whole sweep has before it, for people who watch."""
    return Subscription.objects.filter(state=Subscription.State.ACTIVE).count()


def due(*, since: datetime) -> bool:
    """Whether a sweep is under way, or none was begun since then."""
    return Reconciliation.objects.filter(ended_at=None).exists() or not (
        Reconciliation.objects.filter(began_at__range=(since, timezone.now() + APART)).exists()
    )


def differences(subscription: Subscription, answer: Answer) -> list[Finding]:
    """What the carrier says otherwise, as reports that say so. Pure, but for what is read with the subscription."""
    facts, at = answer
    line = subscription.line
    if facts is None or facts.contract != line.contract:
        name = f"{subscription.pk}:{line.phone_fingerprint[:16]}"  # once for each number
        lost = Report(CarrierEvent.OUR_OWN, name, LOST, line.contract, at)
        return [Finding(subscription.pk, lost, repaired=False)]
    return [
        Finding(subscription.pk, Report(CarrierEvent.OUR_OWN, uuid.uuid4().hex, type_, line.contract, when, data), True)
        for type_, when, data in _said(subscription, facts, at)
    ]


def _said(
    subscription: Subscription, facts: LineFacts, at: datetime
) -> Iterator[tuple[str, datetime, dict[str, Any] | None]]:
    """At most one that ends the service, or else what goes on. Its time is when we asked: we know no better one."""
    ended = _ended(subscription, facts)
    if ended:
        yield (ended[0], at, ended[1])
        return
    if (facts.status == "suspended") != (subscription.suspended_at is not None):
        yield (Type.SUSPENDED if facts.status == "suspended" else Type.RESUMED, at, None)
    line, handset = subscription.line, vars(facts.handset)
    known = {
        Type.SIM_CHANGED: (facts.sim_changed_at, line.sim_changed_at, None),
        Type.DEVICE_CHANGED: (facts.device_changed_at, line.device_changed_at, {"handset": handset}),
    }
    for type_, (looked_up, reported, data) in known.items():
        when = datetime.fromisoformat(looked_up) if looked_up else None
        if when and subscription.joined_at < when <= at and (reported is None or reported < when):
            yield (type_, when, data)


def _ended(subscription: Subscription, facts: LineFacts) -> tuple[str, dict[str, Any] | None] | None:
    """Why this line may not be a member any more (S7), the gravest first."""
    handset = vars(facts.handset)
    reasons: dict[str, tuple[bool, dict[str, Any] | None]] = {
        Type.TERMINATED: (facts.status == "terminated", None),
        Type.PORTED_OUT: (facts.carrier != "SKT", {"to": facts.carrier}),
        Type.OWNER_CHANGED: (facts.holder.ci != subscription.holder["ci"], None),
        Type.NOT_INDIVIDUAL: (facts.owner_type != "individual", None),
        Type.NOT_OWN_NAME: (not facts.user_is_owner, None),
        Type.PLAN_CHANGED: (facts.plan_type in eligibility.PLANS, {"plan_type": facts.plan_type}),
        Type.DEVICE_CHANGED: (not eligibility.supported(handset), {"handset": handset}),
    }
    return next(((type_, data) for type_, (failing, data) in reasons.items() if failing), None)


def _check(subscription: Subscription, answer: Answer, sweep: Reconciliation, tally: Tally) -> None:
    found = differences(subscription, answer)
    taken = [finding for finding in found if carrier_events.take(finding.report)]
    tally.found += taken
    tally.checked += 1
    sweep.done_up_to = subscription.pk
    sweep.checked += 1
    sweep.repaired += sum(finding.repaired for finding in taken)
    sweep.reported += sum(not finding.repaired for finding in taken)


def _asked(batch: Sequence[Subscription]) -> Iterator[tuple[Subscription, Answer]]:
    """Each with its answer, in their order. Raises Unavailable where the first is that got none."""
    brake, rung_by = _Brake(settings.RECONCILE_PER_SECOND), correlator.current()

    def ask(subscription: Subscription) -> Answer:
        brake.wait()
        at = timezone.now()
        with correlator.carrying(rung_by):
            return carrier.look_up(subscription.line.phone), at

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reconciliation") as pool:
        yield from zip(batch, pool.map(ask, batch), strict=True)


class _Brake:
    """Lets so many a second through, evenly."""

    def __init__(self, per_second: float) -> None:
        self._gap, self._next, self._turn = 1 / per_second, 0.0, threading.Lock()

    def wait(self) -> None:
        with self._turn:
            time.sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + self._gap


def _following(place: uuid.UUID | None) -> list[Subscription]:
    active = Subscription.objects.filter(state=Subscription.State.ACTIVE).select_related("line").order_by("pk")
    return list((active.filter(pk__gt=place) if place else active)[:BATCH])


def _taken() -> Reconciliation:
    """The sweep under way, ours for a while; a new one where there is none. Raises AtWork."""
    now = timezone.now()
    try:
        with transaction.atomic():
            sweep, _ = Reconciliation.objects.get_or_create(ended_at=None, defaults={"began_at": now})
    except IntegrityError as error:  # somebody began it at this instant
        raise AtWork from error
    nobodys = Q(taken_until=None) | ~Q(taken_until__range=(now, now + HELD_FOR + APART))  # further: by a wrong clock
    if not Reconciliation.objects.filter(nobodys, pk=sweep.pk, ended_at=None).update(taken_until=now + HELD_FOR):
        raise AtWork
    sweep.refresh_from_db()
    return sweep
