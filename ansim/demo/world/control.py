"""For whoever drives the world: lines, faults, reset, health. A refusal is 400 `{"error": "<field>: <why>"}`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from ansim.demo.world import carrier_events
from ansim.demo.world.body import BadInput, parse_object
from ansim.demo.world.faults import Fault
from ansim.demo.world.world import WORLD, json_answer


@web.middleware
async def words(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Nonsense is answered with words, never with a 500."""
    try:
        return await handler(request)
    except BadInput as bad:
        return json_answer({"error": str(bad)}, 400)


async def put_line(request: web.Request) -> web.Response:
    """Makes or changes the line of `contract`. With `"event": true` the carrier also tells us what changed."""
    world = request.app[WORLD]
    given = parse_object(await request.read())
    event = given.pop("event", False)
    if not isinstance(event, bool):
        raise BadInput("event: true or false")
    before, after = await world.lines.put(given)
    if not event:
        return json_answer(after)
    events = carrier_events.changes(before, after, datetime.now(UTC)) if before else []
    told = await carrier_events.send(world.session, world.surroundings, after["contract"], events)
    return json_answer({**after, "events": told})


async def list_lines(request: web.Request) -> web.Response:
    return json_answer(await request.app[WORLD].lines.all())


async def order_fault(request: web.Request) -> web.Response:
    fault = Fault.of(parse_object(await request.read()))
    request.app[WORLD].faults.order(fault)
    return json_answer({"target": fault.target, "mode": fault.mode, "count": fault.count})


async def list_faults(request: web.Request) -> web.Response:
    return json_answer(request.app[WORLD].faults.current())


async def reset(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    world.faults.clear()
    await world.arrivals.clear()
    return json_answer({"reset": True})


async def alive(request: web.Request) -> web.Response:
    return json_answer({"status": "ok"})


def routes() -> list[web.RouteDef]:
    return [
        web.post("/world/lines", put_line),
        web.get("/world/lines", list_lines),
        web.post("/world/faults", order_fault),
        web.get("/world/faults", list_faults),
        web.post("/world/reset", reset),
        web.get("/livez", alive),
    ]
