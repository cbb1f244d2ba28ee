"""The carrier's API (api.md section 3): who has this number, and the charges for the carrier's bill."""

import re
from typing import Any

from aiohttp import web

from ansim.demo.world.answer import Answer
from ansim.demo.world.body import BadInput, parse_object
from ansim.demo.world.database import Connection
from ansim.demo.world.faults import Mode, Target
from ansim.demo.world.world import WORLD, World, bearer, json_answer, respond_unlogged
from ansim.lib import phone

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
CHARGE = ("id", "contract", "amount", "days", "adjusts")
ERROR = Answer(500, {"code": "internal", "message": "The carrier's system failed."})
UNAUTHENTICATED = Answer(401, {"code": "unauthenticated", "message": "The bearer token is not valid."})

# The first arrival that is accepted decides; `posts` counts them all.
STORE = """
INSERT INTO world.charges (id, month, contract, amount, days, adjusts, posts, accepted)
VALUES (%(id)s, %(month)s, %(contract)s, %(amount)s, %(days)s, %(adjusts)s, 1, %(accepted)s)
ON CONFLICT (id) DO UPDATE SET posts = charges.posts + 1, accepted = charges.accepted OR excluded.accepted
"""
LIST = "SELECT month, id, contract, amount, days, adjusts, posts FROM world.charges WHERE accepted ORDER BY seq DESC"


async def look_up(request: web.Request) -> web.StreamResponse:
    world, raw = request.app[WORLD], await request.read()
    mode = world.faults.take(Target.CARRIER)
    if mode is Mode.ERROR:
        answer = ERROR
    elif not bearer(request, world.surroundings.carrier_token):
        answer = UNAUTHENTICATED
    else:
        answer = await _looked_up(world, raw)
    return await respond_unlogged(request, mode, answer)


async def charge(request: web.Request) -> web.StreamResponse:
    """An answer lost on the way (slow, drop) still leaves the charges accepted, as it does at a real carrier."""
    world, raw = request.app[WORLD], await request.read()
    mode = world.faults.take(Target.CARRIER)
    try:
        charges = _charges(parse_object(raw))
        if not request.headers.get("Idempotency-Key"):
            raise BadInput("Idempotency-Key: is missing")
    except BadInput as bad:
        charges, answer = [], Answer(400, {"code": "invalid", "message": str(bad)})
    else:
        answer = Answer(202, {"accepted": len(charges)})
    if not bearer(request, world.surroundings.carrier_token):
        charges, answer = [], UNAUTHENTICATED
    await _store(world, charges, accepted=mode is not Mode.ERROR)
    return await respond_unlogged(request, mode, ERROR if mode is Mode.ERROR else answer)


async def listed(request: web.Request) -> web.Response:
    return json_answer(await request.app[WORLD].database.rows(LIST))


def routes() -> list[web.RouteDef]:
    return [
        web.post("/carrier/lines/look-up", look_up),
        web.post("/carrier/charges", charge),
        web.get("/world/charges", listed),
    ]


async def _looked_up(world: World, raw: bytes) -> Answer:
    try:
        given = parse_object(raw)
        if given.keys() != {"phone"} or not isinstance(given["phone"], str):
            raise BadInput("phone: the only member, a text")
        number = phone.parse(given["phone"])
    except BadInput as bad:
        return Answer(400, {"code": "invalid", "message": str(bad)})
    except ValueError:
        return Answer(404, {"code": "not_found"})
    line = await world.lines.by_phone(number)
    if line is None:
        return Answer(404, {"code": "not_found"})
    return Answer(200, {name: value for name, value in line.items() if name != "phone"})


async def _store(world: World, charges: list[dict[str, Any]], *, accepted: bool) -> None:
    async def work(connection: Connection) -> None:
        # In the order of their ids: two posts of the same charges must not wait for each other crosswise.
        rows = [{**charge, "accepted": accepted} for charge in sorted(charges, key=lambda charge: str(charge["id"]))]
        async with connection.transaction():
            await connection.cursor().executemany(STORE, rows)

    if charges:
        await world.database.run(work)


def _charges(given: dict[str, Any]) -> list[dict[str, Any]]:
    month, charges = given.get("month"), given.get("charges")
    if unknown := given.keys() - {"month", "charges"}:
        raise BadInput(f"{min(unknown)}: unknown")
    if not _is_month(month):
        raise BadInput("month: as 2026-11")
    if not isinstance(charges, list) or not charges:
        raise BadInput("charges: a list that is not empty")
    return [{**_charge(f"charges.{index}", charge), "month": month} for index, charge in enumerate(charges)]


def _charge(field: str, charge: Any) -> dict[str, Any]:
    if not isinstance(charge, dict) or charge.keys() != set(CHARGE):
        raise BadInput(f"{field}: an object of {', '.join(CHARGE)}")
    for name in ("id", "contract"):
        if not isinstance(charge[name], str) or not charge[name]:
            raise BadInput(f"{field}.{name}: a text that is not empty")
    for name in ("amount", "days"):
        if type(charge[name]) is not int or abs(charge[name]) > 10**9:
            raise BadInput(f"{field}.{name}: a whole number")
    if charge["adjusts"] is not None and not _is_month(charge["adjusts"]):
        raise BadInput(f"{field}.adjusts: null or a month as 2026-09")
    return charge


def _is_month(value: Any) -> bool:
    return isinstance(value, str) and MONTH.fullmatch(value) is not None
