"""A small HTTP/2 server over TLS (RFC 9113): as much of it as APNs needs."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from ansim.demo.world.answer import Answer

STREAMS = 1000  # at once on one connection, as Apple allows
KEPT = 65_536  # bytes of a body; more is counted, not kept

log = logging.getLogger(__name__)


@dataclass
class Request:
    method: str
    path: str
    headers: list[tuple[str, str]]
    there: Callable[[], bool]
    body: bytes = b""
    length: int = 0


Responder = Callable[[Request], Awaitable[Answer | None]]


@dataclass
class _Stream:
    request: Request
    chunks: list[bytes] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Connection(asyncio.Protocol):
    """One client. Each request is answered on its own, in whatever order the answers come."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._streams: dict[int, _Stream] = {}
        config = h2.config.H2Configuration(client_side=False, header_encoding=None)
        self._h2 = h2.connection.H2Connection(config)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tls = transport.get_extra_info("ssl_object")
        if not isinstance(transport, asyncio.Transport) or tls.selected_alpn_protocol() != "h2":
            transport.close()
            return
        self._transport = transport
        self._h2.initiate_connection()
        self._h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS})
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._streams.clear()

    def data_received(self, data: bytes) -> None:
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self._flush()  # h2 has put the GOAWAY there
            self._close()
            return
        for event in events:
            self._take(event)
        self._flush()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._streams[event.stream_id] = _Stream(self._request(event))
        elif isinstance(event, h2.events.DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self._keep(event.stream_id, event.data)
        elif isinstance(event, h2.events.StreamEnded):
            self._answer_soon(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self._streams.pop(event.stream_id, None)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self._close()

    def _request(self, event: h2.events.RequestReceived) -> Request:
        stream_id = event.stream_id
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        return Request(
            method=pseudo[":method"],
            path=pseudo[":path"],
            headers=[(name, value) for name, value in headers if not name.startswith(":")],
            there=lambda: stream_id in self._streams,
        )

    def _keep(self, stream_id: int, data: bytes) -> None:
        stream = self._streams.get(stream_id)
        if stream:
            if stream.request.length < KEPT:
                stream.chunks.append(data)
            stream.request.length += len(data)

    def _answer_soon(self, stream_id: int) -> None:
        stream = self._streams.get(stream_id)
        if stream:
            stream.request.body = b"".join(stream.chunks)
            stream.task = asyncio.create_task(self._answer(stream_id, stream.request))

    async def _answer(self, stream_id: int, request: Request) -> None:
        try:
            answer = await self._responder(request)
        except Exception:
            log.exception("No answer could be made.")
            answer = Answer(500, {"reason": "InternalServerError"})
        if stream_id not in self._streams or self._transport is None:
            return
        if answer is None:
            self._transport.abort()
            return
        del self._streams[stream_id]
        body = answer.encoded()
        headers = [(":status", str(answer.status)), *answer.headers.items()]
        if body:
            headers.append(("content-type", "application/json"))
        self._h2.send_headers(stream_id, headers, end_stream=not body)
        if body:
            self._h2.send_data(stream_id, body, end_stream=True)
        self._flush()

    def _flush(self) -> None:
        if self._transport and (data := self._h2.data_to_send()):
            self._transport.write(data)

    def _close(self) -> None:
        if self._transport:
            self._transport.close()


async def listen(responder: Responder, *, port: int, certificate: Path, key: Path) -> asyncio.Server:
    """On loopback only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    return await loop.create_server(partial(Connection, responder), "127.0.0.1", port, ssl=context)
