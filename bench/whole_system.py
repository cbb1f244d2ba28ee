"""A running copy of the whole system for a benchmark, and what each of its programs has used of the processors."""

import contextlib
import json
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psycopg
import redis

from ansim.demo.stack import environment
from ansim.demo.world.database import APPLICATION
from tests.client.town import Town
from tests.system import System

TICKS = os.sysconf("SC_CLK_TCK")
COUNTED = ("web", "worker", "clock", "postgres", "redis")
OWED = """
SELECT (SELECT count(*) FROM pushes_message WHERE state = 'owed' AND due_at < now() + interval '30 s')
     + (SELECT count(*) FROM verification_webhookdelivery WHERE state = 'owed' AND due_at < now() + interval '30 s')
"""  # what bare views owe is due later
VENDORS = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"


class Copy:
    """The system that was started for this run, with everything on. `cpu()` reads the kernel's own accounts."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.town = Town(self.handles)
        self.env: dict[str, str] = self.handles()["env"]
        self.owner_url = environment.RunDir(run_dir).kept()["OWNER_DATABASE_URL"]
        self.redis = redis.Redis.from_url(self.env["REDIS_URL"])
        programs = {name: pids[0] for name, pids in self.handles()["pids"].items()}
        server = int(self.redis.info("server")["process_id"])  # type: ignore[index]
        self.pids = {**programs, "redis": server, "postgres": self._postmaster()}

    def handles(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.run_dir / "demo.json").read_text())
        return content

    def cpu(self) -> dict[str, float]:
        """Seconds that each program has used since it started, with its children, dead ones too. PostgreSQL's without
        what the simulated vendors keep there.
        """
        spent = {name: used(self.pids[name]) for name in COUNTED}
        with psycopg.connect(self.owner_url) as connection:
            spent["postgres"] -= sum(used(pid) for (pid,) in connection.execute(VENDORS, [APPLICATION]))
        return spent

    def settle(self) -> None:
        """Until nothing is owed any more: every message sent, every webhook delivered."""
        while self.town.rows(OWED) != [(0,)]:
            time.sleep(0.05)

    def _postmaster(self) -> int:
        with psycopg.connect(self.owner_url) as connection:
            fields = Path(f"/proc/{connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[1])


def used(pid: int) -> float:
    """Seconds of one process, of the children it has buried, and of those that live."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        own = sum(int(ticks) for ticks in fields[11:15]) / TICKS
        alive = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return own + sum(used(int(child)) for child in alive)
    return 0.0


@contextlib.contextmanager
def running() -> Generator[Copy]:
    """Starts one, and ends it."""
    system = System()
    try:
        copy = Copy(system.start().parent)
        try:
            yield copy
        finally:
            copy.town.close()
    finally:
        system.stop()
