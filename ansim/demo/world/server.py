"""Puts the world together and keeps it running until it is told to stop."""

import asyncio
import logging
import signal

from aiohttp import ClientSession, DummyCookieJar, web

from ansim.demo import pages
from ansim.demo.world import carrier, control, http2, mail, pushes, radio, sms, webhooks
from ansim.demo.world.apns import Apns
from ansim.demo.world.arrivals import Arrivals
from ansim.demo.world.database import Database
from ansim.demo.world.faults import Faults
from ansim.demo.world.lines import Lines
from ansim.demo.world.surroundings import ROOT, Surroundings
from ansim.demo.world.world import WORLD, World

PARTS = (pushes, sms, mail, carrier, webhooks, radio, control, pages)
BODY_LIMIT = 4 * 1024 * 1024  # bytes: what is too large for us must reach us through the radio
LINE_LIMIT = 64 * 1024  # bytes, for the same reason
PATIENCE_AT_STOP = 1.0  # seconds for requests at work

log = logging.getLogger(__name__)


async def serve(surroundings: Surroundings) -> None:
    """Returns on SIGTERM or SIGINT. Raises Unfit when PostgreSQL stays away, OSError when a port is taken."""
    database = await Database.open(surroundings.database_url)
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
        world = World(surroundings, database, Arrivals(database), Faults(), Lines(database), session)
        runner = web.AppRunner(
            application(world),
            access_log=None,
            shutdown_timeout=PATIENCE_AT_STOP,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", surroundings.port).start()
            apple = await http2.listen(
                Apns(surroundings.apple, world.arrivals, world.faults),
                port=surroundings.apns_port,
                certificate=surroundings.apns_certificate,
                key=surroundings.apns_certificate_key,
            )
            if surroundings.smtp_port:
                await mail.listen(world.arrivals, port=surroundings.smtp_port)
            log.info("The world turns on port %s, APNs on %s.", surroundings.port, surroundings.apns_port)
            await _told_to_stop()
            apple.close()
        finally:
            await runner.cleanup()
            await database.close()


def application(world: World) -> web.Application:
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[control.words])
    app[WORLD] = world
    for part in PARTS:
        app.add_routes(part.routes())
    app.router.add_static("/static", ROOT / "static")
    return app


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
