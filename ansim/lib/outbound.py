"""Calls to addresses that other people chose (webhooks): nobody reaches a private network through us (SSRF).

The name is resolved by us, every address it has must be public, and libcurl is told to go to just these, while TLS and
`Host` keep the name. Whatever libcurl made of it, it asks us once more before each connection that it opens. No
redirects, no cookies, no proxies from the environment. All of a call, from the name to the last byte of the answer, has
one deadline, so that an answer drop by drop does not hold us.
"""

import functools
import ipaddress
import logging
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from ansim.lib.transfers import Answer, Broken, Call, Transfers

log = logging.getLogger(__name__)

Resolver = Callable[[str, int], Sequence[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT = 10.0  # seconds for all addresses of a name together; libcurl leaves time for the next one
IDLE = 4  # seconds a connection is kept: shorter than servers keep it, so that none dies under a call
FRESH = 4.0  # seconds that what a name resolved to is believed, as long as a connection
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
    """No usable answer. `code`: `forbidden_address`, `unknown_host`, `timeout`, `tls`, `unreachable`, `dropped`, or
    `impossible` for a call that libcurl would not make, which is a bug.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Told = Callable[["Answer | Failure"], None]


@dataclass(frozen=True)
class _Target:
    """Where a checked address leads. `url`: what libcurl gets, put together anew from its parts."""

    url: str
    where: tuple[str, int]
    """Host and port."""


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
    """Such connections, for many threads. `loopback`: the demo's world lives there, also without TLS.

    `resolve` and `ca_file` are the tests' seams; production takes the system's resolver and the usual authorities.
    """

    def __init__(self, *, loopback: bool = False, resolve: Resolver = resolve, ca_file: str = "") -> None:
        self._loopback, self._resolve = loopback, resolve
        self._fresh: dict[tuple[str, int], tuple[float, str]] = {}  # until when, and what for libcurl
        self._transfers = Transfers(
            seconds=CONNECT,
            connect_seconds=CONNECT,
            connections=0,
            ca_file=ca_file,
            streams=False,
            idle=IDLE,
            guard=lambda address, _: self._allowed(address),
        )

    def post(self, url: str, *, content: bytes, headers: Sequence[str], seconds: float, told: Told) -> None:
        """Returns at once. `told` hears exactly once, in another thread, and must not keep it: every answer is one.

        `headers`: whole lines. A body beyond LARGEST_ANSWER is not read to its end.
        """
        ends = time.monotonic() + seconds
        try:
            target = _checked(url, loopback=self._loopback)
        except Failure as failure:
            told(failure)
            return
        go = functools.partial(self._go, target, content, headers, ends, told)
        until, resolved = self._fresh.get(target.where, (0.0, ""))
        if time.monotonic() < until:
            go(resolved)
        else:
            threading.Thread(target=self._find, args=(target, ends, go, told), daemon=True, name="outbound").start()

    def check(self, url: str, *, seconds: float) -> None:
        """Raises `Failure` for what `post` would refuse to call, without calling: the name is resolved, no more."""
        self._addresses(_checked(url, loopback=self._loopback), ends=time.monotonic() + seconds)

    def close(self) -> None:
        self._transfers.close()

    def _find(self, target: _Target, ends: float, go: Callable[[str], None], told: Told) -> None:
        """In a thread of its own, because names may be long in coming."""
        try:
            addresses = self._addresses(target, ends=ends)
        except Failure as failure:
            told(failure)
            return
        except Exception as error:  # a bug must not leave anybody waiting for ever
            log.error("resolving_broke", exc_info=error)
            told(Failure("unknown_host"))
            return
        listed = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        host, port = target.where
        resolved = "" if ":" in host else f"{host}:{port}:{listed}"  # "": it is an address itself
        self._fresh[target.where] = time.monotonic() + FRESH, resolved
        go(resolved)

    def _go(
        self, target: _Target, content: bytes, headers: Sequence[str], ends: float, told: Told, resolved: str
    ) -> None:
        def said(what: Answer | Broken) -> None:
            if isinstance(what, Broken) and what.so_far is None:
                self._fresh.pop(target.where, None)
            told(_meaning(what))

        left = max(ends - time.monotonic(), 0.001)
        self._transfers.start(Call(target.url, headers, content, seconds=left, resolved=resolved), said)

    def _addresses(self, target: _Target, *, ends: float) -> Sequence[str]:
        """Refused as a whole when any of the name's addresses is not public: which one answers is not ours to say."""
        found = self._resolved(target, ends=ends)
        if not all(map(self._allowed, found)):
            raise Failure("forbidden_address")
        return found

    def _allowed(self, address: str) -> bool:
        parsed = ipaddress.ip_address(address)
        return is_public(parsed) or (self._loopback and parsed.is_loopback)

    def _resolved(self, target: _Target, *, ends: float) -> Sequence[str]:
        """In a thread of its own, because a resolver knows no deadline."""
        said: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()

        def ask() -> None:
            try:
                said.put(self._resolve(*target.where))
            except (OSError, UnicodeError):  # the latter for labels that are empty or too long
                said.put([])

        threading.Thread(target=ask, daemon=True, name="resolve").start()
        try:
            addresses = said.get(timeout=max(ends - time.monotonic(), 0.0))
        except queue.Empty as error:
            raise Failure("timeout") from error
        if not addresses:
            raise Failure("unknown_host")
        return addresses


def _meaning(said: Answer | Broken) -> Answer | Failure:
    if isinstance(said, Answer):
        return said
    if said.so_far and said.code == "too_large":
        return said.so_far
    return Failure("dropped" if said.so_far and said.code == "unreachable" else said.code)


@functools.lru_cache(maxsize=1024)
def _checked(address: str, *, loopback: bool) -> _Target:
    """Raises `Failure` for what nobody may call, whatever it resolves to."""
    try:
        parts = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise Failure("forbidden_address") from error
    schemes = ("https", "http") if loopback else ("https",)
    usual_port = parts.port in (None, 443) or 1024 <= parts.port <= 65_535  # not others' mail and shells
    if parts.scheme not in schemes or not HOST.fullmatch(parts.raw_host) or parts.userinfo or not usual_port:
        raise Failure("forbidden_address")
    if parts.scheme == "http" and parts.host != "localhost" and not _is_loopback(parts.host):
        raise Failure("forbidden_address")
    url = b"%s://%s%s" % (parts.raw_scheme, parts.netloc, parts.raw_path)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return _Target(url.decode("ascii"), (parts.raw_host.decode("ascii"), port))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
