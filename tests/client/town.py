"""Everybody the tests over HTTP need, made on the running copy: partners, members with a phone, browsers."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import psycopg

from tests.client.browser import Browser
from tests.client.manage import Manage
from tests.client.partner import PartnerClient
from tests.client.phone import PhoneClient
from tests.client.world import World

# A test asks often about one line, and does not wait half a minute for a resend.
PATIENT = {"line_per_10min": 1000, "line_per_day": 10000, "partner_per_min": 100000, "resend_after": 1}


class Shop(PartnerClient):
    """A partner made for the tests. `entry` is what `manage.py demo partner` told."""

    def __init__(self, base_url: str, entry: dict[str, Any]) -> None:
        super().__init__(base_url, entry["key"])
        self.entry = entry


class Member(PhoneClient):
    """Somebody who joined, and the phone with the app registered on it. `person` as in demo.json's `members`."""

    def __init__(self, base_url: str, person: dict[str, Any], platform: str = "android") -> None:
        super().__init__(base_url, platform)
        self.person = person


class Town:
    """Makes them and remembers what to close. `handles` is demo.json as it is now."""

    def __init__(self, handles: Callable[[], dict[str, Any]]) -> None:
        self.handles = handles
        self.base_url: str = handles()["base_url"]
        self.world = World(handles()["world_url"])
        self.manage = Manage(handles())
        self._clients: list[Any] = [self.world]

    def shop(self, *, grants: str | None = None, agency: bool = False, **limits: int) -> Shop:
        options = ["--limits", json.dumps(PATIENT | limits)]
        options += ["--grants", grants] if grants else []
        options += ["--agency"] if agency else []
        return self.kept(Shop(self.base_url, self.manage("demo", "partner", *options)))

    def member(self, platform: str = "android", *, password: str = "259173") -> Member:
        """A new member whose app is registered."""
        person = self.manage("demo", "member")
        member = self.kept(Member(self.base_url, person, platform))
        answer = member.register(person["activation_code"], password)
        assert answer.status_code == 201, answer.text
        return member

    def phone(self, person: dict[str, Any], platform: str = "android") -> Member:
        """A phone of that member with nothing registered on it yet."""
        return self.kept(Member(self.base_url, person, platform))

    def browser(self) -> Browser:
        return self.kept(Browser())

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database says, by the read-only role."""
        with psycopg.connect(self.handles()["database_url"]) as connection:
            return connection.execute(query, values).fetchall()

    def kept(self, client: Any) -> Any:
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.http.close()
        with contextlib.suppress(BrokenPipeError):
            self.manage.close()
