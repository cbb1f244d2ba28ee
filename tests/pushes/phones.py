"""Makers: phones with our app, and what we owe them. Every phone has an address of its own, so that the world's list
of pushes can be read for it alone."""

import itertools
import uuid
from datetime import timedelta

from django.utils import timezone

from pushes import delivery
from pushes.models import Device

_numbers = itertools.count(10_000_000 + uuid.uuid4().int % 80_000_000)


def android(**given):
    return _phone(platform="android", model="SM-S921N", **given)


def iphone(**given):
    return _phone(platform="ios", model="iPhone17,1", **given)


def _phone(**given):
    made = {"push_token": f"token-{uuid.uuid4()}", "os_version": "18", "app_version": "1.0"}
    return Device.objects.create(**made | {"signing_key": {}, "sealing_key": {}} | given)


def line():
    """A phone number nobody else has."""
    return f"+8210{next(_numbers):08}"


def in_seconds(seconds):
    return timezone.now() + timedelta(seconds=seconds)


def owed(message, **changed):
    """The message as a row."""
    for name, value in changed.items():
        setattr(message, name, value)
    message.save(force_insert=True)
    return message


def wake(device, *, seconds=180, **changed):
    return owed(delivery.wake(device, verification=uuid.uuid4(), until=in_seconds(seconds)), **changed)


def number(device, *, envelope="sealed-for-this-phone", seconds=180, **changed):
    made = delivery.number(device, verification=uuid.uuid4(), envelope=envelope, until=in_seconds(seconds))
    return owed(made, **changed)


def sms(to=None, words="[안심] 책방 본인확인 번호 123456", *, seconds=180, **changed):
    made = delivery.text(to or line(), words, verification=uuid.uuid4(), until=in_seconds(seconds))
    return owed(made, **changed)


def due_now(message):
    """As if the time of waiting were over."""
    type(message).objects.filter(pk=message.pk).update(due_at=timezone.now())
