"""Pages of the simulated world that people look at: the virtual phone and the demo shop (api.md section 5)."""

from aiohttp import web

from ansim.demo.pages import phone, shop


def routes() -> list[web.RouteDef]:
    """What the world's server mounts beside the vendors."""
    return [*phone.ROUTES, *shop.ROUTES]
