"""Google's doors (token endpoint, FCM) and the list of every push that FCM and APNs were asked to deliver."""

from aiohttp import web

from ansim.demo.world import fcm
from ansim.demo.world.arrivals import headers_text
from ansim.demo.world.body import shown, storable
from ansim.demo.world.faults import Target
from ansim.demo.world.times import rfc3339
from ansim.demo.world.world import WORLD, json_answer, respond


async def token(request: web.Request) -> web.Response:
    form = await request.post()
    grant_type, assertion = (str(form.get(name, "")) for name in ("grant_type", "assertion"))
    answer = request.app[WORLD].surroundings.service_account.token(grant_type, assertion)
    return json_answer(answer.body, answer.status)


async def send(request: web.Request) -> web.StreamResponse:
    world, raw = request.app[WORLD], await request.read()
    mode = world.faults.take(Target.FCM)
    project, authorization = request.match_info["project"], request.headers.get("Authorization", "")
    answer = fcm.answer(world.surroundings.service_account, project, authorization, raw, mode)
    row = {
        "provider": "fcm",
        "token": fcm.recipient(raw),
        "headers": headers_text(request.headers.items()),
        "body": storable(raw),
    }
    return await respond(request, mode, answer, "pushes", row)


async def listed(request: web.Request) -> web.Response:
    rows = await request.app[WORLD].arrivals.newest_first("pushes", "token", request.query.get("token"))
    return json_answer(
        [
            {
                "provider": row["provider"],
                "token": row["token"],
                "headers": shown(row["headers"]),
                "body": shown(row["body"]),
                "at": rfc3339(row["at"]),
                "answered": row["answered"],
            }
            for row in rows
        ]
    )


def routes() -> list[web.RouteDef]:
    return [
        web.post("/google/token", token),
        web.post("/fcm/v1/projects/{project}/messages:send", send),
        web.get("/world/pushes", listed),
    ]
