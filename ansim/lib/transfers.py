"""Many HTTP calls at once on few connections, by libcurl: as streams of one HTTP/2 connection where the other side
speaks it (docs/adr/0028).

One thread carries all of them. Who starts a call is told in that thread what was answered, or why nothing was, and must
not keep it. Nothing is sent twice: whether a call whose answer is lost goes again is for the rows to say.
"""

import functools
import io
import json
import logging
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import certifi
import pycurl

log = logging.getLogger(__name__)

IDLE = 1_800  # seconds an unused connection is kept: a new one costs the next call three journeys
PROBES = 30  # seconds of silence after which TCP asks whether the other side is there, so that no router forgets us
LARGEST_ANSWER = 65_536  # bytes
CODES = {
    pycurl.E_OPERATION_TIMEDOUT: "timeout",
    pycurl.E_PEER_FAILED_VERIFICATION: "tls",
    pycurl.E_SSL_CONNECT_ERROR: "tls",
    pycurl.E_FILESIZE_EXCEEDED: "too_large",
}
# After these the connection is no good; libcurl may keep one of HTTP/2 and find out only under the next call.
DEAD = {
    pycurl.E_OPERATION_TIMEDOUT, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR, pycurl.E_GOT_NOTHING, pycurl.E_HTTP2
}  # fmt: skip
Told = Callable[["Answer | Broken"], None]
Guard = Callable[[str, int], bool]


@dataclass(frozen=True)
class Call:
    """A POST. `headers`: whole lines, "name: value". `seconds`: another deadline than the connections' own.

    `resolved`: "host:port:address,address", so that libcurl asks nobody for the name.
    """

    url: str
    headers: Sequence[str]
    body: bytes
    seconds: float | None = None
    resolved: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By lower-case name; of a repeated one the last."""
    body: bytes

    def member(self, name: str) -> Any:
        """Of the JSON object that the body is; None where it is none or has no such member."""
        try:
            return json.loads(self.body)[name]
        except (ValueError, KeyError, TypeError):
            return None


class Broken(Exception):
    """No whole answer came. `code`: `timeout`, `tls`, `too_large`, `impossible` for a call that nobody could make, or
    `unreachable` for all else, also mid-way. `so_far`: what had come, where it was not for want of a connection.
    """

    def __init__(self, code: str, so_far: Answer | None = None) -> None:
        super().__init__(code)
        self.code, self.so_far = code, so_far


class Transfers:
    """The connections of one process to one vendor. `seconds`: for one call, also while it waits for a free stream.

    `ca_file`: whose certificates are trusted instead of the public authorities'. `connections`: at most so many to one
    host. `idle`: seconds that an unused one is kept. `guard`: to which address and port one may be opened;
    then no proxy of the environment is asked, which would go elsewhere.
    `streams`: it speaks HTTP/2, so a call rather waits for the connection being made than makes one more. Of who does
    not, libcurl knows it only when the first answer comes: all would wait for that one.
    """

    def __init__(
        self,
        *,
        seconds: float,
        connect_seconds: float,
        connections: int,
        ca_file: str = "",
        streams: bool = True,
        idle: int = IDLE,
        guard: Guard | None = None,
    ) -> None:
        self._seconds, self._streams = seconds, streams
        self._options: dict[int, Any] = {
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS if streams else pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PIPEWAIT: int(streams),
            pycurl.POST: 1,
            pycurl.CAINFO: ca_file or certifi.where(),
            pycurl.CONNECTTIMEOUT_MS: int(connect_seconds * 1000),
            pycurl.MAXAGE_CONN: idle,
            pycurl.TCP_KEEPALIVE: 1,
            pycurl.TCP_KEEPIDLE: PROBES,
            pycurl.TCP_KEEPINTVL: PROBES,
            pycurl.MAXFILESIZE: LARGEST_ANSWER,
            pycurl.NOSIGNAL: 1,
        }
        if guard:
            opened = functools.partial(_opened, guard)
            self._options |= {pycurl.OPENSOCKETFUNCTION: opened, pycurl.NOPROXY: "*"}
        self._most = connections
        self._new: deque[tuple[Call, Told]] = deque()
        self._free: list[pycurl.Curl] = []
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._rung = self._closing = False
        self._connections = [_Connections(self._selector, connections)]
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self, call: Call, told: Told) -> None:
        """From any thread; returns at once. `told` hears of it exactly once."""
        self._new.append((call, told))
        self._ring()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, daemon=True, name="transfers")
                self._thread.start()

    def make(self, call: Call) -> Answer:
        """One call, and waits for its answer. Raises Broken."""
        future: Future[Answer | Broken] = Future()
        self.start(call, future.set_result)
        said = future.result()
        if isinstance(said, Broken):
            raise said
        return said

    def close(self) -> None:
        """At the end of the process: what is in the air is given up, and nobody is told."""
        self._closing = True
        self._ring()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            os.write(self._bell, b"\0")

    def _run(self) -> None:
        while not self._closing:
            for key, events in self._selector.select(self._until_due()):
                if key.data is None:
                    os.read(self._ear, 4096)
                else:
                    key.data.act(key.fd, events)
            self._rung = False  # before looking: who comes later rings again
            while self._new:
                self._try(*self._new.popleft())
            for connections in list(self._connections):
                connections.tick()
                self._hear(connections)

    def _until_due(self) -> float | None:
        due = [connections.due for connections in self._connections if connections.due is not None]
        return max(min(due) - time.monotonic(), 0.0) if due else None

    def _try(self, call: Call, told: Told) -> None:
        try:
            self._set_off(call, told)
        except (pycurl.error, ValueError, TypeError) as error:  # what libcurl cannot take is a bug of who calls
            log.error("call_impossible", exc_info=error)
            _tell(told, Broken("impossible"))

    def _set_off(self, call: Call, told: Told) -> None:
        easy = self._free.pop() if self._free else self._made()
        # Read by a function that cannot be asked to start again: so libcurl cannot repeat a call by itself.
        easy.setopt(pycurl.READFUNCTION, io.BytesIO(call.body).read)
        easy.setopt(pycurl.POSTFIELDSIZE, len(call.body))
        easy.setopt(pycurl.HTTPHEADER, ["Expect:", *call.headers])
        easy.setopt(pycurl.URL, call.url)
        easy.setopt(pycurl.TIMEOUT_MS, max(int((call.seconds or self._seconds) * 1000), 1))  # 0 would be for ever
        if call.resolved:
            easy.setopt(pycurl.RESOLVE, [f"+{call.resolved}"])  # +: forgotten after a minute
        head, body = list[bytes](), io.BytesIO()
        easy.setopt(pycurl.HEADERFUNCTION, head.append)
        easy.setopt(pycurl.WRITEDATA, body)
        self._connections[-1].add(easy, (told, head, body))

    def _made(self) -> pycurl.Curl:
        easy = pycurl.Curl()
        for option, value in self._options.items():
            easy.setopt(option, value)
        return easy

    def _hear(self, connections: "_Connections") -> None:
        for easy, error, (told, head, body) in connections.ended():
            self._free.append(easy)
            if self._streams and error in DEAD and connections is self._connections[-1]:
                # A connection that hangs or broke would let down all that come after: they get new ones.
                self._connections.append(_Connections(self._selector, self._most))
            answer = Answer(easy.getinfo(pycurl.RESPONSE_CODE), headers_of(head), body.getvalue())
            if not error:
                _tell(told, answer)
            else:
                so_far = None if error == pycurl.E_COULDNT_CONNECT else answer
                _tell(told, Broken(CODES.get(error, "unreachable"), so_far))
        if not connections.flying and connections is not self._connections[-1]:
            self._connections.remove(connections)
            connections.close()


class _Connections:
    """Those that are used together: libcurl's multi handle, driven by the sockets' events and its own timer."""

    def __init__(self, selector: selectors.BaseSelector, most: int) -> None:
        self.flying: dict[pycurl.Curl, tuple[Told, list[bytes], io.BytesIO]] = {}
        self.due: float | None = None
        self._selector = selector
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, most)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, 1000)  # or fewer, as the other side says
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._remind)

    def add(self, easy: pycurl.Curl, about: tuple[Told, list[bytes], io.BytesIO]) -> None:
        self.flying[easy] = about
        self._multi.add_handle(easy)

    def act(self, fd: int, events: int) -> None:
        seen = pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0
        self._multi.socket_action(fd, seen | (pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0))

    def tick(self) -> None:
        if self.due is not None and self.due <= time.monotonic():
            self.due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def ended(self) -> list[tuple[pycurl.Curl, int, tuple[Told, list[bytes], io.BytesIO]]]:
        """Each with libcurl's error, 0 for none."""
        found, more = [], 1
        while more:
            more, good, bad = self._multi.info_read()
            found += [(easy, 0) for easy in good] + [(easy, error) for easy, error, _ in bad]
        for easy, _ in found:
            self._multi.remove_handle(easy)
        return [(easy, error, self.flying.pop(easy)) for easy, error in found]

    def close(self) -> None:
        self._multi.close()

    def _watch(self, what: int, fd: int, *_: Any) -> None:
        known = fd in self._selector.get_map()
        if what == pycurl.POLL_REMOVE:
            if known:
                self._selector.unregister(fd)
            return
        events = selectors.EVENT_READ if what & pycurl.POLL_IN else 0
        events |= selectors.EVENT_WRITE if what & pycurl.POLL_OUT else 0
        (self._selector.modify if known else self._selector.register)(fd, events, self)

    def _remind(self, milliseconds: int) -> None:
        self.due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000


def _opened(guard: Guard, purpose: int, to: Any) -> "_Opened | int":
    """libcurl asks for each connection, with the address that it is about to connect to."""
    return _Opened(to) if guard(*to.addr[:2]) else int(pycurl.SOCKET_BAD)


class _Opened:
    """A socket for pycurl, which takes a duplicate of it."""

    def __init__(self, to: Any) -> None:
        self._fd = socket.socket(to.family, to.socktype, to.protocol).detach()

    def fileno(self) -> int:
        return self._fd

    def __del__(self) -> None:
        os.close(self._fd)


def headers_of(head: Sequence[bytes]) -> dict[str, str]:
    lines = [line.decode("latin-1").partition(":") for line in head]
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _tell(told: Told, said: Answer | Broken) -> None:
    try:
        told(said)
    except Exception as error:  # a bug of who listens must not stop the calls of all others
        log.error("nobody_was_told", exc_info=error)
