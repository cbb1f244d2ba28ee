"""`demo.json`: the handles by which other programs find and drive this copy (docs: api.md, section 6)."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from ansim.demo.stack.environment import RunDir
from ansim.demo.stack.supervisor import Supervisor
from ansim.demo.stack.vendor_keys import write_private

PROGRAMS = ("web", "worker", "clock", "world")
# For the launcher alone: passwords of the servers it started. manage.py has DATABASE_URL and REDIS_URL.
PASSWORDS = {"POSTGRES_PASSWORD", "OWNER_PASSWORD", "APPLICATION_PASSWORD", "READER_PASSWORD", "REDIS_PASSWORD"}
LAUNCHER_ONLY = PASSWORDS | {"OWNER_DATABASE_URL"}


class Handles:
    """Writes demo.json, and knows when the processes it names are no longer the right ones."""

    def __init__(self, run_dir: RunDir, env: Mapping[str, str], *, reader_url: str, seeded: Mapping[str, Any]) -> None:
        self._run_dir, self._env, self._reader_url, self._seeded = run_dir, env, reader_url, seeded
        self._pids: dict[str, list[int]] = {}

    def outdated(self, supervisor: Supervisor) -> bool:
        return self._pids != _pids(supervisor)

    def write(self, supervisor: Supervisor) -> None:
        self._pids = _pids(supervisor)
        logs = sorted(str(file) for file in self._run_dir.log.glob("*.log") if file.name != "world.log")
        content = {
            "base_url": self._env["BASE_URL"],
            "world_url": self._env["WORLD_URL"],
            "python": sys.executable,
            "pid": os.getpid(),
            "pids": self._pids,
            "logs": logs,
            "database_url": self._reader_url,
            "env": {name: value for name, value in sorted(self._env.items()) if name not in LAUNCHER_ONLY},
            "partners": self._seeded["partners"],
            "carrier": self._seeded["carrier"],
            "agents": self._seeded["agents"],
            "lines": self._seeded["lines"],
            "members": self._seeded["members"],
        }
        write_private(self._run_dir.handles, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _pids(supervisor: Supervisor) -> dict[str, list[int]]:
    return {child.name: child.pids() for child in supervisor.children if child.name in PROGRAMS}
