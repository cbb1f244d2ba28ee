"""One HTTP exchange, byte for byte as given: what a well-behaved client library would not let anybody send."""

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 20.0  # seconds


@dataclass(frozen=True)
class Answer:
    """What came back. `headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def exchange(
    base_url: str,
    method: str,
    target: str | bytes,
    *,
    body: bytes = b"",
    headers: dict[str, str | bytes] | None = None,
    origin: str = "127.0.0.1",
) -> Answer:
    """Sends exactly that request line, those headers and that body. `origin`: the loopback address it comes from."""
    to = urlsplit(base_url)
    lines = [f"{method} ".encode() + _bytes(target) + b" HTTP/1.1", f"Host: {to.netloc}".encode(), b"Connection: close"]
    given = dict(headers or {})
    if "Transfer-Encoding" not in given and (body or method in ("POST", "PUT", "PATCH")):
        given.setdefault("Content-Length", str(len(body)))
    lines += [name.encode() + b": " + _bytes(value) for name, value in given.items()]
    with socket.create_connection((to.hostname, to.port), timeout=PATIENCE, source_address=(origin, 0)) as connection:
        # Refused before it was all read: the answer stands in the buffer.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        content = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
