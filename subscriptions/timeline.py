"""The course of one subscription, from its facts alone: when it joined, when it was cancelled, what the carrier says.

Pure: the same facts make the same course, in whatever order they arrived (mission.md S6, S8, section 6). What counts
is when a thing happened; between two at the same instant, their ids. Protection, state, bills and the owner's page are
all read from this course.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from subscriptions import eligibility

NO_LONGER = ("terminated", "ported_out", "owner_changed", "not_individual", "not_own_name")
WITHIN_THE_SECOND = timedelta(microseconds=999_999)


@dataclass(frozen=True, order=True)
class Event:
    """What the carrier reported. `type` without its prefix; `id` as the carrier gave it."""

    time: datetime
    id: str
    type: str = field(compare=False)
    data: dict[str, Any] = field(compare=False, default_factory=dict)
    source: str = ""
    received_at: datetime | None = field(compare=False, default=None)

    @property
    def ends(self) -> bool:
        """Whether the service ends with it (S8)."""
        if self.type == "plan_changed":
            return self.data["plan_type"] in eligibility.PLANS
        if self.type == "device_changed":
            return not eligibility.supported(self.data["handset"])
        return self.type in NO_LONGER

    def follows(self, moment: datetime) -> bool:
        """Whether it happened after something that we did at that moment, or with it.

        A whole second may be any instant within it. What we had been told before the moment is older than it, however
        far ahead the carrier's clock is: who joins again was looked up after that.
        """
        told = self.received_at is None or self.received_at >= moment
        latest = self.time if self.time.microsecond else self.time + WITHIN_THE_SECOND
        return told and latest >= moment


@dataclass(frozen=True)
class Membership:
    """The facts of our own: from when, and until when the customer (or the desk) said so."""

    joined_at: datetime
    cancelled_at: datetime | None = None
    cancel_reason: str = ""


@dataclass(frozen=True)
class Span:
    """A time of service (`active`) or of suspension. `ended_at` is None while it lasts.

    `because` and `ended_because` are "joined", "cancelled", or the id of a carrier event.
    """

    active: bool
    began_at: datetime
    because: str
    ended_at: datetime | None = None
    ended_because: str | None = None


@dataclass(frozen=True)
class Course:
    spans: tuple[Span, ...]
    end_reason: str = ""
    """Empty while it goes on; else "customer", "desk" … or the type of the event that ended it."""
    events: tuple[Event, ...] = ()
    """Those that fell into it, the one that ended it included."""

    @property
    def ended_at(self) -> datetime | None:
        return self.spans[-1].ended_at

    @property
    def suspended_at(self) -> datetime | None:
        """Since when it is suspended, None when it is not."""
        last = self.spans[-1]
        return None if last.active or last.ended_at else last.began_at


def course(membership: Membership, events: Iterable[Event]) -> Course:
    """Events from before the joining are without effect, and so are those after the end."""
    spans: list[Span] = []
    counted: list[Event] = []
    now = Span(active=True, began_at=membership.joined_at, because="joined")
    for event in sorted(events):
        if not event.follows(membership.joined_at):
            continue
        if membership.cancelled_at is not None and event.time > membership.cancelled_at:
            break
        counted.append(event)
        at = max(event.time, membership.joined_at)
        if event.ends:
            return Course((*spans, _ended(now, at, event.id)), event.type, tuple(counted))
        if event.type == ("suspended" if now.active else "resumed"):
            spans.append(_ended(now, at, event.id))
            now = Span(active=not now.active, began_at=at, because=event.id)
    if membership.cancelled_at is not None:
        over = _ended(now, membership.cancelled_at, "cancelled")
        return Course((*spans, over), membership.cancel_reason, tuple(counted))
    return Course((*spans, now), events=tuple(counted))


def _ended(span: Span, at: datetime, because: str) -> Span:
    return Span(span.active, span.began_at, span.because, at, because)
