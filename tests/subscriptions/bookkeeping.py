"""Lines that pay, made from rows alone: whoever counts won needs no phone."""

import uuid
from datetime import date, datetime

from django.db import transaction

from ansim.lib import fingerprint
from ansim.lib.birth import KOREA
from subscriptions import lifecycle
from subscriptions.models import CarrierEvent, Price, Subscription
from verification.models import Line

SEPTEMBER, OCTOBER, NOVEMBER = date(2025, 9, 1), date(2025, 10, 1), date(2025, 11, 1)  # over, whatever day it is


def at(year, month, day, hour=12, minute=0):
    """A time in Seoul."""
    return datetime(year, month, day, hour, minute, tzinfo=KOREA)


def first_price():
    """A test that empties all tables takes the price along, which is there from the first migration on."""
    Price.objects.get_or_create(starts_on=date(2000, 1, 1), defaults={"won": 1100})


def member(*joined, holder="mina"):
    """The line of somebody who joined then: member(2025, 9, 16)."""
    contract = f"c-{uuid.uuid4()}"
    phone = f"+8210{uuid.uuid4().int % 100_000_000:08}"
    line = Line.objects.create(
        contract=contract,
        contract_fingerprint=fingerprint.of("contract", contract),
        phone=phone,
        phone_fingerprint=fingerprint.of("phone", phone),
    )
    join(line, *joined, holder=holder)
    return line


def join(line, *joined, holder="mina"):
    with transaction.atomic():
        Subscription.objects.create(
            line=line,
            holder={"name": "홍길동", "birthdate": "1990-01-01", "ci": holder},
            holder_fingerprint=fingerprint.of("ci", holder),
            joined_at=at(*joined),
        )
        lifecycle.conclude(_held(line))


def leave(line, *when):
    with transaction.atomic():
        subscription = line.subscriptions.get(state="active")
        subscription.cancelled_at, subscription.cancel_reason = at(*when), "customer"
        subscription.save()
        lifecycle.conclude(_held(line))


def report(line, kind, *when, **data):
    """The carrier reports something of the line; the event's id."""
    event_id = f"e-{uuid.uuid4()}"
    with transaction.atomic():
        CarrierEvent.objects.create(
            source="carrier",
            event_id=event_id,
            type=kind,
            contract=line.contract,
            contract_fingerprint=line.contract_fingerprint,
            time=at(*when),
            data=data or None,
            standing=CarrierEvent.Standing.APPLIED,
        )
        lifecycle.conclude(_held(line))
    return event_id


def _held(line):
    return Line.objects.select_for_update().get(pk=line.pk)
