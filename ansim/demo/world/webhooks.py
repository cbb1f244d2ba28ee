"""The partners' end of our webhooks: `/world/webhooks/<partner>` takes them, whoever the partner is."""

from aiohttp import web

from ansim.demo.world.answer import Answer
from ansim.demo.world.arrivals import headers_text
from ansim.demo.world.body import shown, storable
from ansim.demo.world.faults import Mode, Target
from ansim.demo.world.times import rfc3339
from ansim.demo.world.world import WORLD, json_answer, respond


async def receive(request: web.Request) -> web.StreamResponse:
    mode = request.app[WORLD].faults.take(Target.WEBHOOK)
    row = {
        "partner": request.match_info["partner"].replace("\x00", "\ufffd"),
        "headers": headers_text(request.headers.items()),
        "body": storable(await request.read()),
    }
    return await respond(request, mode, Answer(500 if mode is Mode.ERROR else 204), "webhooks", row)


async def listed(request: web.Request) -> web.Response:
    rows = await request.app[WORLD].arrivals.newest_first("webhooks", "partner", request.query.get("partner"))
    return json_answer(
        [
            {
                "headers": shown(row["headers"]),
                "body": row["body"],
                "received_at": rfc3339(row["at"]),
                "answered": row["answered"],
            }
            for row in rows
        ]
    )


def routes() -> list[web.RouteDef]:
    return [web.post("/world/webhooks/{partner}", receive), web.get("/world/webhooks", listed)]
