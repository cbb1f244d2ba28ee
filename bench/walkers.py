"""Who walks the roads while a benchmark counts: partners and phones with as little of their own work as possible."""

import http.client
import json
import multiprocessing
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.client.partner import identity
from tests.client.phone import PhoneClient
from tests.client.town import Member

NUMBER = "본인확인 번호 "
IDLE = 1.0  # seconds; the server hangs up on who says nothing for two
FORK = multiprocessing.get_context("fork")  # phones hold keys that cannot be sent


class Wire:
    """One kept connection, JSON out and in. Raises AssertionError for any other status than the one awaited."""

    def __init__(self, url: str, **headers: str) -> None:
        self.at, self.headers = urlsplit(url).netloc, {"Content-Type": "application/json", **headers}
        self.connection = http.client.HTTPConnection(self.at, timeout=60)
        self.at_last = time.monotonic()

    def __call__(self, method: str, path: str, body: bytes = b"", *, status: int = 200, **headers: str) -> Any:
        if time.monotonic() - self.at_last > IDLE:
            self.connection.close()  # opened again by itself
        self.at_last = time.monotonic()
        self.connection.request(method, path, body or None, {**self.headers, **headers})
        answer = self.connection.getresponse()
        told = answer.read()
        assert answer.status == status, (path, answer.status, told[:300])
        return json.loads(told)


@dataclass
class Walked:
    """How many whole verifications, and the seconds of each step of each."""

    verifications: int = 0
    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, other: "Walked") -> None:
        self.verifications += other.verifications
        for step, taken in other.steps.items():
            self.steps[step] += taken


class Walker:
    """One customer after the other at one partner. A road is one whole verification, with its number and its end."""

    def __init__(self, base_url: str, world_url: str, key: str, people: Sequence[Any]) -> None:
        self.shop, self.world = Wire(base_url, Authorization=f"Bearer {key}"), Wire(world_url)
        self.site, self.people, self.turn, self.walked = Wire(base_url), people, 0, Walked()

    def step(self, name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        done = work()
        self.walked.steps[name].append(time.perf_counter() - began)
        return done

    def next(self) -> Any:
        self.turn += 1
        return self.people[self.turn % len(self.people)]

    def ask(self, person: dict[str, Any], name: str = "create") -> str:
        body = json.dumps({"reference": uuid.uuid4().hex, "purpose": "login", "identity": identity(person)}).encode()
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        asked = self.step(name, lambda: self.shop("POST", "/partner/v1/verifications", body, status=201, **headers))
        return str(asked["id"])

    def confirm(self, pk: str, code: str) -> None:
        body = json.dumps({"code": code}).encode()
        ended = self.step("confirm", lambda: self.shop("POST", f"/partner/v1/verifications/{pk}/confirm", body))
        assert ended["state"] == "verified", ended
        self.walked.verifications += 1

    def sms(self) -> None:
        person = self.next()
        before = len(self.texts(person))
        pk = self.ask(person)
        self.step("sms arrives", lambda: self._more(person, before))
        self.confirm(pk, self.number(person))

    def app(self) -> None:
        phone: Member = self.next()
        pk = self.ask(phone.person)
        waiting = self.step("read", lambda: self.signed(phone, "GET", "/app/v1/verifications"))
        assert pk in [one["id"] for one in waiting["items"]]
        body = json.dumps({"password": "259173"}).encode()
        opened = self.step("unlock", lambda: self.signed(phone, "POST", f"/app/v1/verifications/{pk}/unlock", body))
        self.confirm(pk, phone.open(pk, opened["envelope"])["code"])

    def signed(self, phone: PhoneClient, method: str, path: str, body: bytes = b"") -> Any:
        return self.site(method, path, body, Authorization=phone.proof(method, path, body))

    def texts(self, person: dict[str, Any]) -> Any:
        return self.world("GET", f"/world/sms?to=%2B{person['phone'][1:]}")

    def number(self, person: dict[str, Any]) -> str:
        """In the newest text."""
        return str(self.texts(person)[0]["text"].partition(NUMBER)[2][:6])

    def _more(self, person: dict[str, Any], before: int) -> Any:
        while len(found := self.texts(person)) <= before:
            time.sleep(0.004)
        return found


def walk(road: str, groups: Sequence[tuple[str, str, str, Sequence[Any]]], *, seconds: float) -> Walked:
    """Walks that road so long, one thread for each group of people, in two processes beside the system's own."""
    halves = [groups[::2], groups[1::2]] if len(groups) > 1 else [groups]
    pipes, processes = [], []
    for half in halves:
        told, tell = FORK.Pipe(duplex=False)
        process = FORK.Process(target=lambda tell, half: tell.send(_walk(road, half, seconds)), args=(tell, half))
        process.start()
        tell.close()
        pipes.append(told)
        processes.append(process)
    parts = [told.recv() for told in pipes]
    for process in processes:
        process.join()
    whole = Walked()
    for part in parts:
        whole.add(part)
    return whole


def _walk(road: str, groups: Sequence[tuple[str, str, str, Sequence[Any]]], seconds: float) -> Walked:
    ends, failed = time.monotonic() + seconds, []
    walkers = [Walker(*group) for group in groups]

    def go(walker: Walker) -> None:
        try:
            while time.monotonic() < ends:
                getattr(walker, road)()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=go, args=(walker,)) for walker in walkers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    whole = Walked()
    for walker in walkers:
        walker.walked.steps = dict(walker.walked.steps)
        whole.add(walker.walked)
    whole.steps = dict(whole.steps)
    return whole
