"""Calls to addresses that other people chose (webhooks): nobody reaches a private network through us (SSRF).

The name is resolved once, every address it has must be public, and the connection goes to just these addresses, while
TLS and `Host` keep the name. No redirects, no cookies, no proxies from the environment. All of a call, from the name
to the last byte of the answer, has one deadline, so that an answer drop by drop does not hold us.
"""

import contextlib
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

Resolver = Callable[[str, int], Sequence[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LARGEST_ANSWER = 65_536  # bytes of its body that are read; nobody looks at them
CONNECT = 5.0  # seconds for one of several addresses, so that a dead one leaves time for the next
IDLE = 4.0  # seconds a connection is kept: shorter than servers keep it, so that none dies under a call
HOST = re.compile(rb"[0-9A-Za-z._:-]+")  # a name after IDNA, or an address without a zone

# IANA's special-purpose registries, written out because the tables in `ipaddress` differ between patch releases.
NOT_PUBLIC_V4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_V6 = [ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20")]
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Failure(Exception):
    """No usable answer. `code`: `forbidden_address`, `unknown_host`, `timeout`, `tls`, `unreachable` or `dropped`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    """By lower-case name; of a repeated one the first."""


def is_public(address: Address) -> bool:
    """False for anything that may lead inside: also an IPv4 address wrapped into IPv6 (mapped, 6to4, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    inner = address.ipv4_mapped or address.sixtofour or _behind_nat64(address)
    if inner is not None:
        return is_public(inner)
    return address in GLOBAL_V6 and not any(address in network for network in NOT_PUBLIC_V6)


def _behind_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF) if address in NAT64 else None


def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver, in its order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class Outbound:
    """A pool of such connections, for many threads. `loopback`: the demo's world lives there, also without TLS.

    `resolve` and `trust` are the seams of the tests; production takes the system's resolver and the usual authorities.
    """

    def __init__(
        self, *, loopback: bool = False, resolve: Resolver = resolve, trust: ssl.SSLContext | None = None
    ) -> None:
        self._loopback = loopback
        self._guard = _Guard(resolve, loopback=loopback)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust or httpx.create_ssl_context(trust_env=False),
            max_connections=None,
            max_keepalive_connections=32,
            keepalive_expiry=IDLE,
            network_backend=self._guard,
        )

    def post(self, url: str, *, content: bytes, headers: dict[str, str], seconds: float) -> Answer:
        """Raises `Failure`; every answer is returned. A body beyond LARGEST_ANSWER is not read to its end."""
        target, host = self._checked(url)
        _deadline.set(time.monotonic() + seconds)
        sent = [(b"Host", host), *((name.encode(), value.encode()) for name, value in headers.items())]
        with _told(), self._pool.stream("POST", target, headers=sent, content=content) as answer:
            _skip(answer.iter_stream())
            told: dict[str, str] = {}
            for name, value in answer.headers:
                told.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
            return Answer(answer.status, told)

    def check(self, url: str, *, seconds: float) -> None:
        """Raises `Failure` for what `post` would refuse to call, without calling: the name is resolved, no more."""
        target, _ = self._checked(url)
        _deadline.set(time.monotonic() + seconds)
        self._guard.addresses(target.host.decode("ascii"), target.port or 443)

    def close(self) -> None:
        self._pool.close()

    def _checked(self, url: str) -> tuple[httpcore.URL, bytes]:
        """Where to, and what `Host` says."""
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Failure("forbidden_address") from error
        schemes = ("https", "http") if self._loopback else ("https",)
        usual_port = parts.port in (None, 443) or 1024 <= parts.port <= 65_535  # not others' mail and shells
        if parts.scheme not in schemes or not HOST.fullmatch(parts.raw_host) or parts.userinfo or not usual_port:
            raise Failure("forbidden_address")
        if parts.scheme == "http" and parts.host != "localhost" and not _is_loopback(parts.host):
            raise Failure("forbidden_address")
        target = httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)
        return target, parts.netloc


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _skip(body: Iterable[bytes]) -> None:
    """Reads it, so that the connection can be used again, but not for ever."""
    read = 0
    for part in body:
        read += len(part)
        if read > LARGEST_ANSWER:
            return


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """httpcore's exceptions as ours."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise Failure("timeout") from error
    except httpcore.ConnectError as error:
        raise Failure("tls" if isinstance(error.args[0], ssl.SSLError) else "unreachable") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Failure("dropped") from error


_deadline: ContextVar[float] = ContextVar("deadline")  # of the call this thread is making


def _left() -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


class _Guard(httpcore.NetworkBackend):
    """Opens connections, to checked addresses only."""

    def __init__(self, resolve: Resolver, *, loopback: bool) -> None:
        self._resolve, self._loopback = resolve, loopback
        self._plain = httpcore.SyncBackend()

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        addresses = self.addresses(host, port)
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Timed(self._plain.connect_tcp(address, port, timeout=min(CONNECT, _left())))
        return _Timed(self._plain.connect_tcp(addresses[-1], port, timeout=_left()))

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Refused as a whole when any of the name's addresses is not public: which one answers is not ours to say."""
        found = self._resolved(host, port)
        if not all(self._allowed(ipaddress.ip_address(address)) for address in found):
            raise Failure("forbidden_address")
        return found

    def _allowed(self, address: Address) -> bool:
        return is_public(address) or (self._loopback and address.is_loopback)

    def _resolved(self, host: str, port: int) -> Sequence[str]:
        """In a thread of its own, because a resolver knows no deadline."""
        said: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()

        def ask() -> None:
            try:
                said.put(self._resolve(host, port))
            except (OSError, UnicodeError):  # the latter for labels that are empty or too long
                said.put([])

        threading.Thread(target=ask, daemon=True, name="resolve").start()
        try:
            addresses = said.get(timeout=_left())
        except queue.Empty as error:
            raise Failure("timeout") from error
        if not addresses:
            raise Failure("unknown_host")
        return addresses


class _Timed(httpcore.NetworkStream):
    """A connection whose every step ends with the call it is made for, whatever httpcore asks for."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left())

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _left()))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
