"""Rows owed to phones, and a provider in trouble on the wire: all arrive in the end, each answer is recorded once."""

import threading
from pathlib import Path

import pytest
from django.db import connection

from pushes import tasks
from pushes.gateways import apns
from pushes.models import Message
from tests.client.world import until
from tests.pushes import phones
from tests.wire.peer import Peer
from tests.wire.test_transfers import TROUBLES

pytestmark = pytest.mark.django_db
OWED = 80


@pytest.fixture
def apple(settings):
    """Apple in trouble, where our pushes go."""
    with Peer(Path(settings.APNS_CA_FILE).parent, lambda number: 200) as peer:
        settings.APNS_HOST, settings.APNS_PORT = "127.0.0.1", peer.port
        yield peer


def owe(count):
    return [phones.wake(phones.iphone()) for _ in range(count)]


def send_all_now():
    """As if all waiting were over."""
    Message.objects.filter(state="owed").update(due_at=phones.in_seconds(0))
    tasks.drain("apns")


@pytest.mark.parametrize("trouble", [*TROUBLES, "429", "500", "503"])
def test_nothing_is_lost_and_goes_at_most_once_more(apple, trouble):
    status = int(trouble) if trouble.isdecimal() else 0
    apple.behave = TROUBLES.get(trouble) or (lambda number: status if number % 3 == 0 else 200)
    messages = owe(OWED)

    tasks.drain("apns")
    first = set(Message.objects.filter(state="sent").values_list("pk", flat=True))
    assert Message.objects.filter(state="owed").count() == OWED - len(first) > 0, "whose fate is unknown stays owed"
    apple.behave = lambda number: 200
    send_all_now()

    for message in messages:
        message.refresh_from_db()
        token = message.device.push_token
        assert (message.state, message.attempts) == ("sent", 1 if message.pk in first else 2)
        assert apple.answered[token] == 1 or (trouble == "cut" and apple.answered[token] == 2), "answered, but cut off"
        assert apple.arrived[token] <= message.attempts


def test_whoever_is_told_to_wait_waits(apple):
    apple.behave = lambda number: 429
    [message] = owe(1)

    tasks.drain("apns")

    message.refresh_from_db()
    assert (message.state, message.last_error) == ("owed", "429")
    assert 1.5 < (message.due_at - phones.in_seconds(0)).total_seconds() <= 2


@pytest.mark.django_db(transaction=True)
def test_no_more_is_taken_than_there_are_places_for(apple, monkeypatch):
    monkeypatch.setattr(tasks, "STREAMS", 12)
    drain = tasks.ByStreams(Message.Channel.APNS, apns)
    apple.behave = lambda number: "hold"
    owe(50)

    def work():
        try:
            drain.ring()
        finally:
            connection.close()

    at_work = threading.Thread(target=work)
    at_work.start()
    until(lambda: apple.number == 12)
    drain.ring()  # a bell while all places are taken
    assert Message.objects.filter(attempts__gt=0).count() == 12, "the others stay where they are: in the database"
    apple.let_go(1)
    until(lambda: apple.number == 13)
    assert Message.objects.filter(attempts__gt=0).count() == 13, "one place, one message"
    apple.behave = lambda number: 200
    apple.let_go(12)
    at_work.join(20)

    assert Message.objects.filter(state="sent", attempts=1).count() == 50
    assert set(apple.answered.values()) == {1}
