"""What the doors of the world share, and how each of them answers over HTTP/1.1."""

from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, web

from ansim.demo.world.answer import Answer, play
from ansim.demo.world.arrivals import Arrivals, Log
from ansim.demo.world.database import Database, Row
from ansim.demo.world.faults import Faults, Mode
from ansim.demo.world.lines import Lines
from ansim.demo.world.surroundings import Surroundings


@dataclass(frozen=True)
class World:
    surroundings: Surroundings
    database: Database
    arrivals: Arrivals
    faults: Faults
    lines: Lines
    session: ClientSession


WORLD = web.AppKey("world", World)


async def respond(request: web.Request, mode: Mode, answer: Answer, log: Log, row: Row) -> web.StreamResponse:
    """Writes the request down, then answers as the mode says."""
    arrivals = request.app[WORLD].arrivals
    played = await arrivals.play(log, row, mode=mode, answer=answer, there=lambda: request.transport is not None)
    return _response(request, played)


async def respond_unlogged(request: web.Request, mode: Mode, answer: Answer) -> web.StreamResponse:
    return _response(request, await play(mode, answer))


def bearer(request: web.Request, token: str) -> bool:
    return request.headers.get("Authorization", "") == f"Bearer {token}"


def json_answer(value: Any, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, headers={"Cache-Control": "no-store"})


def _response(request: web.Request, answer: Answer | None) -> web.StreamResponse:
    if answer is None:
        if request.transport:
            request.transport.abort()
        return web.Response()  # nobody hears it
    body, headers = answer.encoded(), dict(answer.headers)
    if body:
        headers["Content-Type"] = "application/json; charset=UTF-8"
    return web.Response(status=answer.status, body=body, headers=headers)
