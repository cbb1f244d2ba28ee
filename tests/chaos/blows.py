"""What is done to the running copy: kill -9 of its processes, servers and the world; Redis emptied; the disk filled."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import httpx
import redis

FULL = 4.0  # seconds
SLOW = 6.0


class Blows:
    """Strikes the copy that `handles` (demo.json as it is now) describes; `struck` lists what and when."""

    def __init__(
        self,
        handles: Callable[[], dict[str, Any]],
        *,
        slow: bool = False,
        fill: Path | None = None,
        only: Collection[str] = (),
    ) -> None:
        self._handles = handles
        first = handles()
        self._launcher: int = first["pid"]
        self._redis_url: str = first["env"]["REDIS_URL"]
        self._world_url: str = first["world_url"]
        self.struck: list[tuple[float, str]] = []
        self.kinds: dict[str, Callable[[], object]] = {
            "web process": self._one_web_process,
            "web": lambda: self._kill("gunicorn"),
            "worker": lambda: self._kill("worker"),
            "clock": lambda: self._kill("beat"),
            "redis": lambda: self._kill("server.conf", "valkey", "redis-server"),
            "postgres": lambda: self._kill("postgres"),
            "world": lambda: self._kill("ansim.demo.world"),
            "redis emptied": self._empty_redis,
        }
        if slow:
            self.kinds["slow carrier"] = lambda: self._slow("carrier")
            self.kinds["slow webhooks"] = lambda: self._slow("webhook")
        if fill:
            self._ballast = fill / "ballast"
            self.kinds["disk full"] = self._fill_the_disk
        self.kinds = {kind: strike for kind, strike in self.kinds.items() if kind in only or not only}

    def one(self, kind: str) -> None:
        self.kinds[kind]()
        self.struck.append((time.monotonic(), kind))

    def order(self, dice: random.Random) -> Iterator[str]:
        """Every kind once, in any order; then again, without an end."""
        while True:
            yield from dice.sample(sorted(self.kinds), len(self.kinds))

    def _kill(self, *words: str) -> None:
        """The launcher's own child whose program is one of these: its children find out by themselves."""
        for pid in _children(self._launcher):
            if any(word in part for part in _command(pid) for word in words):
                _kill(pid)
                return

    def _one_web_process(self) -> None:
        for pid in _children(self._launcher):
            if "gunicorn" in _command(pid):
                for child in _children(pid)[:1]:
                    _kill(child)

    def _slow(self, target: str) -> None:
        """Every call there takes five seconds, for a while: longer than we wait for the carrier."""
        for mode, lasts in (("slow", SLOW), ("ok", 0.0)):
            with contextlib.suppress(httpx.HTTPError):  # the world, too, is killed now and then, and is healthy then
                httpx.post(f"{self._world_url}/world/faults", json={"target": target, "mode": mode})
            time.sleep(lasts)

    def _fill_the_disk(self) -> None:
        """Not a block is left for a few seconds."""
        try:
            with self._ballast.open("wb", buffering=0) as file:
                for size in (1 << 20, 1 << 12):
                    with contextlib.suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
            time.sleep(FULL)
        finally:
            self._ballast.unlink(missing_ok=True)

    def _empty_redis(self) -> None:
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self._redis_url, socket_timeout=1) as store:
            store.flushdb()


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def _command(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:6]
    return []


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
