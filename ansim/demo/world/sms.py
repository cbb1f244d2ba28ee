"""The SMS gateway (api.md section 4), and what it was asked to send."""

import uuid
from typing import Any

from aiohttp import web

from ansim.demo.world.answer import Answer
from ansim.demo.world.body import BadInput, parse_object
from ansim.demo.world.faults import Mode, Target
from ansim.demo.world.times import rfc3339
from ansim.demo.world.world import WORLD, bearer, json_answer, respond
from ansim.lib import phone

MEMBERS = ("to", "from", "text")


async def send(request: web.Request) -> web.StreamResponse:
    """202 `{"id"}`; 400, 401 and 500 as `{"code", "message"}`. `to` is a Korean mobile number."""
    world, raw = request.app[WORLD], await request.read()
    mode = world.faults.take(Target.SMS)
    try:
        message, refusal = parse_object(raw), None
        _check(message)
    except BadInput as bad:
        message, refusal = _readable(raw), Answer(400, {"code": "invalid", "message": str(bad)})
    if not bearer(request, world.surroundings.sms_token):
        refusal = Answer(401, {"code": "unauthenticated", "message": "The bearer token is not valid."})
    if mode is Mode.ERROR:
        refusal = Answer(500, {"code": "internal", "message": "The message could not be taken."})
    row = {name: message.get(name) if isinstance(message.get(name), str) else None for name in MEMBERS}
    return await respond(request, mode, refusal or _taken(), "sms", {**row, "to": _e164(row["to"])})


async def listed(request: web.Request) -> web.Response:
    to = request.query.get("to")
    if to is not None:
        try:
            to = phone.parse(_with_plus(to))
        except ValueError as error:
            raise BadInput(f"to: {error}") from error
    rows = await request.app[WORLD].arrivals.newest_first("sms", "to", to)
    return json_answer(
        [
            {**{name: row[name] for name in MEMBERS}, "at": rfc3339(row["at"]), "answered": row["answered"]}
            for row in rows
        ]
    )


def routes() -> list[web.RouteDef]:
    return [web.post("/sms-gateway/messages", send), web.get("/world/sms", listed)]


def _check(message: dict[str, Any]) -> None:
    if unknown := message.keys() - set(MEMBERS):
        raise BadInput(f"{min(unknown)}: unknown")
    for name in MEMBERS:
        if not isinstance(message.get(name), str) or not message[name]:
            raise BadInput(f"{name}: a text that is not empty")
    try:
        phone.parse(message["to"])
    except ValueError as error:
        raise BadInput(f"to: {error}") from error


def _readable(raw: bytes) -> dict[str, Any]:
    try:
        return parse_object(raw)
    except BadInput:
        return {}


def _taken() -> Answer:
    return Answer(202, {"id": f"sms_{uuid.uuid4().hex}"})


def _e164(to: str | None) -> str | None:
    """What is no number stays in the list as it came."""
    try:
        return to and phone.parse(to)
    except ValueError:
        return to


def _with_plus(to: str) -> str:
    """A bare "+" in a query string arrives as a blank."""
    return f"+{to.strip()}" if to.startswith(" 82") else to
