"""A mail server on loopback (RFC 5321, as much as a submitting client needs), and what it took."""

import asyncio
import contextlib
import email
import email.policy
from email.message import EmailMessage

from aiohttp import web

from ansim.demo.world.answer import Answer
from ansim.demo.world.arrivals import Arrivals
from ansim.demo.world.faults import Mode
from ansim.demo.world.times import rfc3339
from ansim.demo.world.world import WORLD, json_answer

MEMBERS = ("to", "from", "subject", "text")
LONGEST = 1024 * 1024  # bytes of one line or mail
PATIENCE = 30.0  # seconds for the client's next line
GREETING, BYE, OK, GO_ON = "220 world.example", "221 bye", "250 ok", "354 go on"


async def listen(arrivals: Arrivals, *, port: int) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError, TimeoutError):
            await Conversation(reader, writer, arrivals).hold()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, limit=LONGEST)


class Conversation:
    """One client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, arrivals: Arrivals) -> None:
        self._reader, self._writer, self._arrivals = reader, writer, arrivals
        self._to: list[str] = []

    async def hold(self) -> None:
        await self._say(GREETING)
        while line := await self._line():
            verb = line.split(b" ", 1)[0].strip().upper()
            if verb == b"QUIT":
                await self._say(BYE)
                return
            await self._say(await self._answer(verb, line))

    async def _answer(self, verb: bytes, line: bytes) -> str:
        if verb in (b"MAIL", b"RSET", b"EHLO", b"HELO"):
            self._to = []
        elif verb == b"RCPT":
            self._to.append(line.decode().partition("<")[2].partition(">")[0])
        elif verb == b"DATA" and self._to:
            return await self._data()
        elif verb != b"NOOP":
            return "503 not now" if verb == b"DATA" else "502 not here"
        return OK

    async def _data(self) -> str:
        await self._say(GO_ON)
        lines = []
        while (line := await self._line()) != b".\r\n":
            if not line:
                raise EOFError
            lines.append(line[1:] if line.startswith(b".") else line)  # RFC 5321, section 4.5.2
        mail = email.message_from_bytes(b"".join(lines), _class=EmailMessage, policy=email.policy.default)
        for to in self._to:
            text = mail.get_content().replace("\r\n", "\n")
            row = {"to": to, "from": mail["from"], "subject": (mail["subject"] or "").strip(), "text": text}
            await self._arrivals.play("mails", row, mode=Mode.OK, answer=Answer(250), there=lambda: True)
        return OK

    async def _line(self) -> bytes:
        return await asyncio.wait_for(self._reader.readline(), PATIENCE)

    async def _say(self, words: str) -> None:
        self._writer.write(f"{words}\r\n".encode())
        await self._writer.drain()


async def listed(request: web.Request) -> web.Response:
    """Newest first, of one recipient or of all."""
    rows = await request.app[WORLD].arrivals.newest_first("mails", "to", request.query.get("to"))
    return json_answer([{**{name: row[name] for name in MEMBERS}, "at": rfc3339(row["at"])} for row in rows])


def routes() -> list[web.RouteDef]:
    return [web.get("/world/mails", listed)]
