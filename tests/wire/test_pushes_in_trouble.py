"""Rows owed to phones, and a provider in trouble on the wire: all arrive in the end, each answer is recorded once.

Apple and Google alike: the whole sender, over TLS and HTTP/2, to a peer that misbehaves.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
import pytest
from django.db import connection

from pushes import tasks
from pushes.gateways import apns, fcm
from pushes.models import Message
from tests.client.world import until
from tests.pushes import phones
from tests.wire.peer import Apple, Google, Peer
from tests.wire.test_transfers import TROUBLES

pytestmark = pytest.mark.django_db
OWED = 80


@dataclass(frozen=True)
class Provider:
    """Whom we push through, how we speak to it, and whose phones it reaches."""

    channel: str
    gateway: Any
    peer: Peer
    phone: Any

    def owe(self, count):
        return [phones.wake(self.phone()) for _ in range(count)]

    def drain(self):
        tasks.drain(self.channel)

    def send_all_now(self):
        """As if all waiting were over."""
        Message.objects.filter(state="owed").update(due_at=phones.in_seconds(0))
        self.drain()


@pytest.fixture(params=["apns", "fcm"])
def provider(request, settings, monkeypatch):
    """In trouble, where our pushes go."""
    keys = Path(settings.APNS_CA_FILE).parent
    with Peer(keys, lambda number: 200, vendor={"apns": Apple, "fcm": Google}[request.param]) as peer:
        if request.param == "apns":
            settings.APNS_HOST, settings.APNS_PORT = "127.0.0.1", peer.port
            yield Provider("apns", apns, peer, phones.iphone)
        else:
            settings.FCM_URL = f"https://127.0.0.1:{peer.port}"
            # Google is known by the public authorities: for this test they are ours.
            monkeypatch.setattr(certifi, "where", lambda: settings.APNS_CA_FILE)
            yield Provider("fcm", fcm, peer, phones.android)


TOLD = ("cut", "half")  # they say that they have it, and we may not hear of it


@pytest.mark.parametrize("trouble", [*TROUBLES, "half", "429", "500", "503"])
def test_nothing_is_lost_and_goes_at_most_once_more(provider, trouble):
    said, peer = int(trouble) if trouble.isdecimal() else trouble, provider.peer
    provider.owe(1)
    provider.drain()  # a connection that was good before: libcurl would repeat by itself there, if it could
    Message.objects.all().delete()
    peer.number = 0
    peer.behave = TROUBLES.get(trouble) or (lambda number: said if number % 3 == 0 else 200)
    messages = provider.owe(OWED)

    provider.drain()
    first = set(Message.objects.filter(state="sent").values_list("pk", flat=True))
    assert Message.objects.filter(state="owed").count() == OWED - len(first) > 0, "whose fate is unknown stays owed"
    peer.behave = lambda number: 200
    provider.send_all_now()

    for message in messages:
        message.refresh_from_db()
        token = message.device.push_token
        assert (message.state, message.attempts) == ("sent", 1 if message.pk in first else 2)
        assert peer.answered[token] == 1 or (trouble in TOLD and peer.answered[token] == 2), "answered, but cut off"
        assert peer.arrived[token] <= message.attempts
    assert all(message.provider_id for message in messages), "what the provider calls it is written down"


def test_whoever_is_told_to_wait_waits(provider):
    provider.peer.behave = lambda number: 429
    [message] = provider.owe(1)

    provider.drain()

    message.refresh_from_db()
    assert (message.state, message.last_error) == ("owed", provider.peer.vendor.REASONS[429])
    assert 1.5 < (message.due_at - phones.in_seconds(0)).total_seconds() <= 2


def test_a_connection_that_hangs_lets_down_what_is_on_it_and_nothing_after(provider, settings):
    settings.GATEWAY_TIMEOUT = 2.0
    peer = provider.peer
    peer.behave = lambda number: "hang" if number == 0 else 200
    messages = provider.owe(20)

    provider.drain()
    silence = {"apns": "timeout", "fcm": "DEADLINE_EXCEEDED"}[provider.channel]
    assert set(Message.objects.values_list("state", "attempts", "last_error")) == {("owed", 1, silence)}
    provider.send_all_now()

    for message in messages:
        message.refresh_from_db()
    assert {(message.state, message.attempts) for message in messages} == {("sent", 2)}
    assert len(peer.lines) == 2


@pytest.mark.django_db(transaction=True)
def test_no_more_is_taken_than_there_are_places_for(provider):
    peer = provider.peer
    drain = tasks.ByStreams(Message.Channel(provider.channel), provider.gateway, places=12)
    peer.behave = lambda number: "hold"
    provider.owe(50)

    def work():
        try:
            drain.ring()
        finally:
            connection.close()

    at_work = threading.Thread(target=work)
    at_work.start()
    until(lambda: peer.number == 12)
    drain.ring()  # a bell while all places are taken
    assert Message.objects.filter(attempts__gt=0).count() == 12, "the others stay where they are: in the database"
    peer.let_go(1)
    until(lambda: peer.number == 13)
    assert Message.objects.filter(attempts__gt=0).count() == 13, "one place, one message"
    peer.behave = lambda number: 200
    peer.let_go(12)
    at_work.join(20)

    assert Message.objects.filter(state="sent", attempts=1).count() == 50
    assert set(peer.answered.values()) == {1}
