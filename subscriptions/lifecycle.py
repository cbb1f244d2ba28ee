"""What stands now, concluded from the facts: the only writer of a subscription's state, and who switches protection.

Whoever adds a fact (a joining, a cancellation, a carrier event) under the line's lock calls `conclude` after it, in the
same transaction. Concluding twice changes nothing.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable

from subscriptions.models import CarrierEvent, Subscription, Unsettled
from subscriptions.timeline import Course, Event, Membership, course
from verification import protection
from verification.models import Line
from verification.protection import Learned

State, Type, Standing = Subscription.State, CarrierEvent.Type, CarrierEvent.Standing


def as_event(row: CarrierEvent) -> Event:
    return Event(row.time, row.event_id, row.type, row.data or {}, row.source, row.received_at)


def known(contract_fingerprint: str) -> Iterable[CarrierEvent]:
    """The contract's events that mean something, also those that came before the contract was known to us."""
    return CarrierEvent.objects.filter(contract_fingerprint=contract_fingerprint, type__in=Type.values)


def events_of(line: Line) -> list[Event]:
    """Every event of the line's contract that means something, in the order that counts."""
    return sorted(map(as_event, known(line.contract_fingerprint)))


def events_by_contract(fingerprints: Iterable[str]) -> defaultdict[str, list[Event]]:
    """The same of many lines at once, by the fingerprints of their contracts."""
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for row in CarrierEvent.objects.filter(contract_fingerprint__in=fingerprints, type__in=Type.values):
        found[row.contract_fingerprint].append(as_event(row))
    return found


def course_of(subscription: Subscription, events: list[Event]) -> Course:
    facts = Membership(subscription.joined_at, subscription.cancelled_at, subscription.cancel_reason)
    return course(facts, events)


def conclude(line: Line) -> None:
    """For a line that the caller holds. The next month close looks at it again."""
    Unsettled.mark(line)
    kept = {as_event(row): row for row in known(line.contract_fingerprint)}
    events = sorted(kept)
    subscriptions = list(line.subscriptions.select_for_update().order_by("joined_at"))
    courses = [course_of(subscription, events) for subscription in subscriptions]
    for subscription, concluded in zip(subscriptions, courses, strict=True):
        _write(subscription, concluded)
    if courses:
        _switch(line, courses[-1])
    protection.learn(line, _learned(line, events, subscriptions, courses))
    _settle(kept, {event for concluded in courses for event in concluded.events})


def _switch(line: Line, present: Course) -> None:
    """The protection as the newest course has it."""
    if present.ended_at:
        if line.protection != Line.Protection.OFF:
            protection.turn_off(line, at=present.ended_at)
        return
    protection.pause(line) if present.suspended_at else protection.resume(line)
    if _phone_changed(line, present):
        protection.revoke(line)


def _write(subscription: Subscription, concluded: Course) -> None:
    state = State.ENDED if concluded.ended_at else State.ACTIVE
    said = {
        "state": state,
        "suspended_at": concluded.suspended_at,
        "ended_at": concluded.ended_at,
        "end_reason": concluded.end_reason,
    }
    changed = [name for name, value in said.items() if getattr(subscription, name) != value]
    for name in changed:
        setattr(subscription, name, said[name])
    if changed:
        subscription.save(update_fields=changed)


def _phone_changed(line: Line, present: Course) -> bool:
    """Whether the customer has had another phone since the app was registered on this one."""
    changes = (event for event in present.events if event.type == Type.DEVICE_CHANGED)
    device = line.device
    return device is not None and any(event.follows(device.registered_at) for event in changes)


def _learned(line: Line, events: list[Event], subscriptions: list[Subscription], courses: list[Course]) -> Learned:
    """All from the facts: no report makes the line forget what a later one said, whichever arrived first."""
    known_at = subscriptions[-1].joined_at if subscriptions else line.phone_known_at
    numbers = [event.data["phone"] for event in events if event.type == Type.NUMBER_CHANGED and event.follows(known_at)]
    newest = {event.type: event.time for event in events}
    other_person = [
        later.joined_at
        for former, later in itertools.pairwise(subscriptions)
        if former.holder_fingerprint != later.holder_fingerprint
    ]
    owners = [*other_person, *([newest[Type.OWNER_CHANGED]] if Type.OWNER_CHANGED in newest else [])]
    return Learned(
        phone=numbers[-1] if numbers else None,
        owner_since=max(owners, default=None),
        protection_ended_at=max((over.ended_at for over in courses if over.ended_at), default=None),
        sim_changed_at=newest.get(Type.SIM_CHANGED),
        device_changed_at=newest.get(Type.DEVICE_CHANGED),
        number_changed_at=newest.get(Type.NUMBER_CHANGED),
    )


def _settle(kept: dict[Event, CarrierEvent], counted: set[Event]) -> None:
    """Whether each took its place in a course, for people at the desk. What somebody answered there stays answered."""
    applied = [row for event, row in kept.items() if event in counted and row.standing != Standing.APPLIED]
    without = [
        row
        for event, row in kept.items()
        if event not in counted and row.standing in (Standing.APPLIED, Standing.STUCK)
    ]
    for standing, rows in ((Standing.APPLIED, applied), (Standing.WITHOUT_EFFECT, without)):
        if rows:
            CarrierEvent.objects.filter(pk__in=[row.pk for row in rows]).update(standing=standing)
