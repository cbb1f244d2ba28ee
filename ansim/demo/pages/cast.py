"""Who lives in the demo: what the launcher wrote into `$RUN_DIR/demo.json` (api.md section 6)."""

import json
from typing import NotRequired, TypedDict, cast

from aiohttp import web
from django.conf import settings


class Person(TypedDict):
    """A member or the owner of a line."""

    phone: str
    name: str
    birthdate: str
    gender_digit: str
    activation_code: NotRequired[str]
    eligible: NotRequired[bool]


class Partner(TypedDict):
    """A partner with the key it calls us with."""

    id: str
    name: str
    domain: str
    key: str


class Demo(TypedDict):
    """The part of demo.json that the pages use."""

    base_url: str
    world_url: str
    partners: list[Partner]
    members: list[Person]
    lines: list[Person]


def demo() -> Demo:
    """Read afresh each time: the launcher rewrites the file. Before it is there the pages answer 503."""
    try:
        return cast(Demo, json.loads((settings.RUN_DIR / "demo.json").read_text(encoding="utf-8")))
    except FileNotFoundError as missing:
        raise web.HTTPServiceUnavailable(text="The demo is starting.", headers={"Retry-After": "2"}) from missing
