"""Pages of the simulated world that people look at: the virtual phone and the demo shop (api.md section 5)."""

from typing import NoReturn

from aiohttp import web

from ansim.demo.pages import phone, shop
from ansim.demo.world.world import WORLD


async def start(request: web.Request) -> NoReturn:
    """Who opens the world's plain address is led to the demo's start page, which links every phone and the shop."""
    raise web.HTTPFound(f"{request.app[WORLD].surroundings.base_url}/demo")


def routes() -> list[web.RouteDef]:
    """What the world's server mounts beside the vendors."""
    return [web.get("/", start), *phone.ROUTES, *shop.ROUTES]
