"""manage.py of the running copy, as one process that stays: a command costs its own work, not Django's start."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESIDENT = """
import django, io, json, sys
from django.core.management import CommandError, call_command
from django.db import connections
django.setup()
for line in sys.stdin:
    said, status = io.StringIO(), 0
    try:
        call_command(*json.loads(line), stdout=said)
    except SystemExit as left:
        status = left.code
    except CommandError as error:
        status = error.returncode
    connections.close_all()  # a test may restart the database
    print(json.dumps([status, said.getvalue()]), flush=True)
"""


class Refused(Exception):
    """The command ended with a status over 0; `told` is what it printed."""

    def __init__(self, status: int, told: Any) -> None:
        super().__init__(status, told)
        self.status, self.told = status, told


class Manage:
    """manage.py <command> … --json, by the interpreter and in the environment that demo.json names."""

    def __init__(self, handles: dict[str, Any]) -> None:
        env = {**handles["env"], "DJANGO_SETTINGS_MODULE": "ansim.settings", "PATH": "/usr/bin:/bin"}
        self._process = subprocess.Popen(
            [handles["python"], "-c", RESIDENT],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip

    def __call__(self, *command: str) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([*command, "--json"]) + "\n")
        self._process.stdin.flush()
        status, said = json.loads(self._process.stdout.readline())
        told: dict[str, Any] = json.loads(said) if said else {}
        if status:
            raise Refused(status, told)
        return told

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()
