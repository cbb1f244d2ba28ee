"""What the present month will cost, before somebody joins or leaves: the figures beside the button (mission.md 6)."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.conf import settings
from django.utils import timezone

from ansim.lib import birth
from subscriptions import billing, lifecycle
from subscriptions.models import Price, Subscription
from subscriptions.timeline import Course, Span
from verification.models import Line


@dataclass(frozen=True)
class Forecast:
    """The charge of the present month in won, and the days it is for. `monthly` is today's whole fee."""

    month: date
    days: int
    amount: int
    monthly: int


def of_joining(line: Line) -> Forecast:
    """As if the line joined now. Days of service that it had this month already are not charged twice."""
    return _forecast([*_courses(line), Course((Span(active=True, began_at=timezone.now(), because="joined"),))])


def of_leaving(line: Line) -> Forecast:
    """As if the line left now; what has ended stays as it is."""
    return _forecast([_ended(course, timezone.now()) for course in _courses(line)])


def monthly() -> int:
    """Today's fee for a whole month."""
    return billing.price_on(birth.today(), _prices())


def _courses(line: Line) -> list[Course]:
    events = lifecycle.events_of(line)
    return [lifecycle.course_of(subscription, events) for subscription in Subscription.objects.filter(line=line)]


def _ended(course: Course, at: datetime) -> Course:
    if course.ended_at:
        return course
    return Course((*course.spans[:-1], replace(course.spans[-1], ended_at=at, ended_because="cancelled")), "customer")


def _forecast(courses: list[Course]) -> Forecast:
    prices, month = _prices(), birth.today().replace(day=1)
    account = billing.account(courses, month, prices, free_same_day=settings.FREE_SAME_DAY)
    return Forecast(month, len(account.charged), account.amount, billing.price_on(birth.today(), prices))


def _prices() -> list[billing.Price]:
    return [billing.Price(row.starts_on, row.won) for row in Price.objects.all()]
