"""The simulated world as a program sees it (api.md section 5): what reached the vendors, lines, faults."""

import json
import re
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import httpx

T = TypeVar("T")


def until(look: Callable[[], T], *, seconds: float = 15.0) -> T:
    """What `look` gives as soon as it is true-ish. AssertionError with its last answer when it never is."""
    ends = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < ends, f"waited {seconds} s; at last: {seen!r}"
        time.sleep(0.05)
    return seen


class World:
    """Its doors for programs."""

    TARGETS = ("fcm", "apns", "sms", "carrier", "webhook")
    _drawn: ClassVar[set[str]] = set()

    def __init__(self, world_url: str) -> None:
        self.http = httpx.Client(base_url=world_url, timeout=15)

    def person(self, **line: Any) -> dict[str, Any]:
        """Somebody new with an ordinary SKT line; `line` says what differs. As in demo.json's `lines`."""
        phone = self._number()
        person = {
            "phone": phone,
            "contract": f"T-{uuid.uuid4().hex}",
            "name": "홍길동",
            "birthdate": "900101",
            "gender_digit": "1",
        }
        self.line(person, phone=phone, **line)
        return person

    def _number(self) -> str:
        """One that was not drawn before, and of which the phones' usual password is no part (a weak one)."""
        while (number := f"+82106{secrets.randbelow(10**7):07}") in self._drawn or "259173" in number:
            pass
        self._drawn.add(number)
        return number

    def line(self, person: dict[str, Any], **line: Any) -> None:
        self.http.post("/world/lines", json={"contract": person["contract"], **line}).raise_for_status()

    def texts(self, person: dict[str, Any]) -> list[dict[str, Any]]:
        """Every SMS that reached the gateway for that person, newest first."""
        return self._list("/world/sms", to=person["phone"])

    def number(self, person: dict[str, Any], *, after: int = 0) -> str:
        """The number in the newest text, once there are more than `after`."""
        newest = until(lambda: self.texts(person)[: -after or None])[0]
        found = re.search(r"본인확인 번호 (\d{6}) ", newest["text"])
        assert found, newest["text"]
        return found[1]

    def pushes(self, token: str, kind: str | None = None) -> list[dict[str, Any]]:
        """Every push to that token, newest first, as {provider, headers, body, answered, kind, …our own keys}."""
        found = [{**push, **_own(push)} for push in self._list("/world/pushes", token=token)]
        return [push for push in found if kind in (None, push["kind"])]

    def webhooks(self, partner: dict[str, Any]) -> list[dict[str, Any]]:
        return self._list("/world/webhooks", partner=partner["id"])

    def fail(self, target: str, mode: str, count: int | None = None) -> None:
        """The next `count` calls of that target go wrong; without it all, until `heal`."""
        order = {"target": target, "mode": mode} | ({"count": count} if count else {})
        self.http.post("/world/faults", json=order).raise_for_status()

    def heal(self) -> None:
        for target in self.TARGETS:
            self.fail(target, "ok")

    def _list(self, address: str, **query: str) -> list[dict[str, Any]]:
        answer = self.http.get(address, params=query).raise_for_status()
        listed: list[dict[str, Any]] = answer.json()
        return listed


def _own(push: dict[str, Any]) -> dict[str, Any]:
    """Our own keys in a push: FCM has them in `message.data`, APNs beside `aps`."""
    body = json.loads(push["body"]) if isinstance(push["body"], str) else push["body"]
    if "message" in body:
        return {"parsed": body, **body["message"]["data"]}
    return {"parsed": body, **{name: value for name, value in body.items() if name != "aps"}}
