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
from psycopg import sql

from ansim.demo.stack import environment
from bench.walkers import Walker, walk
from bench.whole_system import Copy

LINE = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[\d+\] (\S+)@\S+ LOG:  (?:statement|execute [^:]*): ", re.M)
HEAD = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[\d+\] ", re.M)
DETAIL = re.compile(HEAD.pattern + r"\S+@\S+ DETAIL:  Parameters: (.*)", re.M | re.S)
LITERAL = re.compile(r"\$\d+ = (NULL|'(?:[^']|'')*')")
AROUND = ("HELLO", "CLIENT", "PUBLISH ", "PING", "BRPOP")  # connections, ours among them, and workers that wait
PROCESSES_NEW = 6.0  # seconds until gunicorn has others
QUIET = 0.3  # seconds until the log is written and bells have rung


def of_each(copy: Copy, groups: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """For each request on the hot path: its `sql` with its `values`, in order, and how many calls to `redis` it made.

    The stranger's line was never seen before: a beginning by SMS makes its row.
    """
    told: dict[str, dict[str, Any]] = {}
    with _logged(copy):
        for road, walkers in groups.items():
            walk(road, walkers, seconds=2)  # the processes are new
        copy.settle()
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
        statements = _statements(said, of=user)
        self.costs[name] = {
            "sql": [sql for sql, _ in statements], "values": [values for _, values in statements],
            "redis": monitor.calls(),
        }  # fmt: skip


class _Monitor:
    """Counts what the application asks of Redis; ringing bells is part of no answer."""

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
        return len([call for call in own if " bell:" not in call and not call.startswith(AROUND)])


def _statements(said: str, *, of: str | None) -> list[tuple[str, list[str]]]:
    """Each with its parameters, as PostgreSQL writes literals."""
    heads = [match.start() for match in HEAD.finditer(said)] + [len(said)]
    parts = [said[start:end] for start, end in itertools.pairwise(heads)]
    found: list[tuple[str, list[str]]] = []
    for part, after in itertools.pairwise([*parts, ""]):
        if (line := LINE.match(part)) and line[1] == of:
            given = DETAIL.match(after)
            found.append((LINE.sub("", part).strip(), LITERAL.findall(given[1]) if given else []))
    return found


@contextlib.contextmanager
def _logged(copy: Copy) -> Generator[None]:
    password = environment.RunDir(copy.run_dir).kept()["POSTGRES_PASSWORD"]
    url = psycopg.conninfo.make_conninfo(copy.owner_url, user="postgres", password=password)
    role = sql.Identifier(urlsplit(copy.env["DATABASE_URL"]).username or "")
    names = ("log_statement", "all"), ("log_error_verbosity", "default")  # terse would leave out the parameters
    with psycopg.connect(url, autocommit=True) as connection:
        for name, level in names:
            connection.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), sql.Literal(level))
            )
        os.kill(copy.pids["web"], signal.SIGHUP)  # a new connection knows of it
        time.sleep(PROCESSES_NEW)
        try:
            yield
        finally:
            for name, _ in names:
                connection.execute(sql.SQL("ALTER ROLE {} RESET {}").format(role, sql.Identifier(name)))
            os.kill(copy.pids["web"], signal.SIGHUP)
            time.sleep(PROCESSES_NEW)
