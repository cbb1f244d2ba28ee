"""What one request costs, read where nobody can err: PostgreSQL's own log of statements, and Redis' MONITOR."""

import contextlib
import itertools
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlsplit

import psycopg

from ansim.demo.stack import environment
from bench.walkers import Walker
from bench.whole_system import Copy

LINE = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[\d+\] (\S+)@\S+ LOG:  (?:statement|execute [^:]*): ", re.M)
HEAD = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[\d+\] ", re.M)
QUIET = 0.3  # seconds until the log is written and bells have rung


def of_each(copy: Copy, groups: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """For each request on the hot path: its `sql`, in order, and how many calls to `redis` it made.

    The stranger's line was never seen before: a beginning by SMS makes its row.
    """
    told: dict[str, dict[str, Any]] = {}
    with _logged(copy):
        for road in ("sms", "app"):
            base_url, world_url, key, people = groups[road][0]
            walker = Walker(base_url, world_url, key, [copy.town.world.person()] if road == "sms" else people)
            for step, cost in _Witness(copy).watch(walker, road).items():
                told[f"{step} ({road})"] = cost
    return told


class _Witness:
    """Watches one verification: while a request runs, the worker and the clock stand still."""

    def __init__(self, copy: Copy) -> None:
        self.copy, self.costs = copy, {}

    def watch(self, walker: Walker, road: str) -> dict[str, dict[str, Any]]:
        unwatched = walker.step

        def step(name: str, work: Callable[[], Any]) -> Any:
            if name == "sms arrives":
                return unwatched(name, work)
            self.copy.settle()
            with self._standing_still(), self._seen(name):
                return unwatched(name, work)

        walker.step = step  # type: ignore[method-assign]
        getattr(walker, road)()
        return self.costs

    @contextlib.contextmanager
    def _standing_still(self) -> Generator[None]:
        others = [self.copy.pids[name] for name in ("worker", "clock")]
        time.sleep(QUIET)
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(QUIET)
            yield
            time.sleep(QUIET)
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def _seen(self, name: str) -> Generator[None]:
        log = self.copy.run_dir / "log" / "postgres.log"
        start = log.stat().st_size
        with _Monitor(self.copy) as monitor:
            yield
        with log.open("rb") as file:
            file.seek(start)
            said = file.read().decode(errors="replace")
        user = urlsplit(self.copy.env["DATABASE_URL"]).username
        self.costs[name] = {"sql": _statements(said, of=user), "redis": monitor.calls()}


class _Monitor:
    """Counts what the application asks of Redis; ringing a bell (LPUSH) is part of no answer."""

    def __init__(self, copy: Copy) -> None:
        self.redis, self.seen = copy.redis, []
        self.monitor = copy.redis.monitor()

    def __enter__(self) -> "_Monitor":
        self.monitor.__enter__()
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.redis.echo("that was all")
        self.thread.join()
        self.monitor.__exit__(*error)

    def _listen(self) -> None:
        while "that was all" not in (call := self.monitor.next_command())["command"]:
            self.seen.append(call)

    def calls(self) -> int:
        own = [one["command"] for one in self.seen if one["client_type"] != "lua"]
        return len([call for call in own if not call.startswith(("LPUSH ", "PUBLISH ", "SADD ", "PING", "BRPOP"))])


def _statements(said: str, *, of: str | None) -> list[str]:
    heads = [match.start() for match in HEAD.finditer(said)] + [len(said)]
    parts = [said[start:end] for start, end in itertools.pairwise(heads)]
    return [LINE.sub("", part).strip() for part in parts if (line := LINE.match(part)) and line[1] == of]


@contextlib.contextmanager
def _logged(copy: Copy) -> Generator[None]:
    password = environment.RunDir(copy.run_dir).kept()["POSTGRES_PASSWORD"]
    url = psycopg.conninfo.make_conninfo(copy.owner_url, user="postgres", password=password)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            connection.execute("ALTER SYSTEM RESET log_statement")
            connection.execute("SELECT pg_reload_conf()")
