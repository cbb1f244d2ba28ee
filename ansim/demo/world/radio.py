"""The phone's radio: the app API under the world's own origin, so that the virtual phone's page needs no CORS.

Nothing is read or changed on the way: the phone's proof covers method, path, query and body as sent.
"""

from aiohttp import ClientError, ClientTimeout, web
from multidict import CIMultiDict
from yarl import URL

from ansim.demo.world.world import WORLD, json_answer

# Cookies stay behind: they belong to the pages of the world. What belongs to one connection is not passed on.
UP = (
    *("Authorization", "Content-Type", "If-None-Match", "User-Agent", "X-Correlator"),
    *("Accept", "Accept-Encoding", "Accept-Language"),
)
NOT_DOWN = {"connection", "keep-alive", "transfer-encoding", "content-length", "set-cookie"}
TIMEOUT = ClientTimeout(total=30)


async def relay(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    url = URL(world.surroundings.base_url + request.raw_path, encoded=True)
    up = CIMultiDict((name, request.headers[name]) for name in UP if name in request.headers)
    try:
        async with world.session.request(
            request.method,
            url,
            headers=up,
            data=await request.read() or None,
            timeout=TIMEOUT,
            allow_redirects=False,
            skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),
        ) as answer:
            down = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in NOT_DOWN)
            return web.Response(status=answer.status, body=await answer.read(), headers=down)
    except (ClientError, TimeoutError):
        return json_answer({"error": "The service does not answer."}, 502)


def routes() -> list[web.RouteDef]:
    return [web.route("*", "/app/v1/{tail:.*}", relay), web.get("/.well-known/jwks.json", relay)]
