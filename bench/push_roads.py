"""Whole roads of `bench.push`: from rows in PostgreSQL to the provider and back into the rows."""

import contextlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from bench.push import spread
from bench.push_senders import Send, owed
from bench.whole_system import Copy
from pushes import delivery, tasks
from pushes.models import Device, Message

PAGE = os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def alone(copy: Copy) -> Generator[None]:
    """The copy's own worker and clock stand still: what is owed is for us."""
    pids = [copy.pids[name] for name in ("clock", "worker")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


def drained(channel: str) -> Send:
    """Rows owed, claimed, sent, recorded. The making of the rows is not counted: it comes before the first call."""
    owed(Message.Channel(channel), 20_000)

    def send(times: int) -> int:
        while tasks._drains[channel].ring():
            pass
        done = Message.objects.filter(channel=channel, state=Message.State.SENT, expires_at__gt=timezone.now())
        count = done.filter(attempts=1, device__push_token__isnull=False).count()
        Message.objects.all().delete()
        return min(count, times)

    return send


def idle(copy: Copy, *, times: int) -> dict[str, dict[str, float]]:
    """From the commit until the provider had the push, and until the row said so, one at a time."""
    return {platform: _idle(copy, platform, times) for platform in ("android", "ios")}


def _idle(copy: Copy, platform: str, times: int) -> dict[str, float]:
    taken = [_one(copy, platform, wait=0.05 + 0.01 * (turn % 7)) for turn in range(times + 5)][5:]  # connections open
    arrived, recorded = zip(*taken, strict=True)
    named = {"arrived": spread(arrived), "recorded": spread(recorded)}
    return {f"{what} {name}": ms for what, figures in named.items() for name, ms in figures.items()}


def _one(copy: Copy, platform: str, *, wait: float) -> tuple[float, float]:
    """Seconds from the commit until the provider had it, and until the row said so."""
    time.sleep(wait)
    token, committed = f"bench-{uuid.uuid4()}", list[datetime]()
    phone = Device.objects.create(platform=platform, push_token=token, signing_key={}, sealing_key={})
    with transaction.atomic():
        message = delivery.wake(phone, verification=uuid.uuid4(), until=timezone.now() + timedelta(minutes=3))
        message.save(force_insert=True)
        transaction.on_commit(lambda: committed.append(timezone.now()))  # in front of the bell
        delivery.ring(message)
    while message.sent_at is None:
        time.sleep(0.02)
        message.refresh_from_db()
    [push] = copy.town.world.pushes(token)
    at = datetime.fromisoformat(push["at"])
    return (at - committed[0]).total_seconds(), (message.sent_at - committed[0]).total_seconds()


def slow(copy: Copy, *, owed: int, seconds: float) -> dict[str, Any]:
    """A provider that takes 5 s for each push: how much of what is owed is in memory, and what that costs."""
    _owe(owed)
    copy.town.world.fail("apns", "slow")
    before, middle, most, in_the_air = _rss(), 0, 0, 0
    over = threading.Event()
    drain = threading.Thread(target=_drain_until, args=(over,))
    drain.start()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        most = max(most, _rss())
        middle = middle or (most if time.monotonic() > ends - seconds / 2 else 0)
        leased = Message.objects.filter(state=Message.State.OWED, attempts__gt=0, due_at__gt=timezone.now())
        in_the_air = max(in_the_air, leased.count())
        time.sleep(0.5)
    over.set()
    drain.join()
    copy.town.world.heal()
    while tasks._drains[Message.Channel.APNS]._flying:  # what the last shift left in the air
        time.sleep(0.1)
    sent = Message.objects.filter(state=Message.State.SENT).count()
    return {
        "owed": owed, "sent": sent, "seconds": seconds, "in_the_air": in_the_air,
        **{f"rss_{when}_mib": round(bytes_ / 2**20, 1)
           for when, bytes_ in (("before", before), ("middle", middle), ("most", most))},
    }  # fmt: skip


def _owe(count: int) -> None:
    Message.objects.all().delete()
    owed(Message.Channel.APNS, count)


def _drain_until(over: threading.Event) -> None:
    try:
        while not over.is_set():
            tasks._drains[Message.Channel.APNS].ring()
    finally:
        connection.close()


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
