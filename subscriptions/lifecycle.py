"""What stands now, concluded from the facts: the only writer of a subscription's state, and who switches protection.

Whoever adds a fact (a joining, a cancellation, a carrier event) under the line's lock calls `conclude` after it, in the
same transaction. Concluding twice changes nothing.
"""

from subscriptions.models import CarrierEvent, Subscription
from subscriptions.timeline import Course, Event, Membership, course
from verification import protection
from verification.models import Line

State = Subscription.State


def events_of(line: Line) -> list[Event]:
    """Every event of the line's contract that is known to mean something, in the order that counts."""
    kept = CarrierEvent.objects.filter(contract_fingerprint=line.contract_fingerprint).exclude(
        standing__in=(CarrierEvent.Standing.STUCK, CarrierEvent.Standing.ANSWERED)
    )
    return sorted(Event(row.time, row.event_id, row.type, row.data or {}) for row in kept)


def course_of(subscription: Subscription, events: list[Event]) -> Course:
    facts = Membership(subscription.joined_at, subscription.cancelled_at, subscription.cancel_reason)
    return course(facts, events)


def conclude(line: Line) -> None:
    """For a line that the caller holds."""
    events = events_of(line)
    for subscription in line.subscriptions.select_for_update().order_by("joined_at"):
        _write(subscription, course_of(subscription, events))
        if subscription.state == State.ACTIVE:
            protection.pause(line) if subscription.suspended_at else protection.resume(line)
    newest = line.subscriptions.order_by("joined_at").last()
    if newest and newest.state == State.ENDED and newest.ended_at and line.protection != Line.Protection.OFF:
        protection.turn_off(line, at=newest.ended_at)


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
