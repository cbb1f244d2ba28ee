"""How fast all lines are compared with the carrier: `RUN_DIR=… python -m bench.reconcile [--lines 1000] [--json]`.

Against the simulated carrier of the copy that runs in RUN_DIR, in a scratch database beside its own (made and dropped
here), with as many members, each with a line there. One in twenty is no longer the carrier's: it is found and repaired.
Without the brake of RECONCILE_PER_SECOND: what is left is the carrier's time, one look-up after the other, and ours.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[1]
NAME = "ansim_bench"
GONE = 20  # one line in so many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    home = _prepare()
    try:
        told = _measure(asked.lines)
    finally:
        _scratch(home, "DROP DATABASE IF EXISTS {} WITH (FORCE)")
    lines = json.dumps(told) if asked.json else "\n".join(f"{name}: {value}" for name, value in told.items())
    sys.stdout.write(f"{lines}\n")


def _prepare() -> str:
    """The scratch database, which from here on is DATABASE_URL; the address of the one beside it."""
    kept = dict(line.split("=", 1) for line in (Path(os.environ["RUN_DIR"]) / "env").read_text().splitlines()[1:])
    home = kept.get("OWNER_DATABASE_URL", kept["DATABASE_URL"])
    for statement in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}"):
        _scratch(home, statement)
    os.environ |= {
        "DATABASE_URL": f"{home.rpartition('/')[0]}/{NAME}", "DJANGO_SETTINGS_MODULE": "ansim.settings",
        "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, check=True)
    return home


def _scratch(home: str, statement: str) -> None:
    with psycopg.connect(home, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL(statement).format(psycopg.sql.Identifier(NAME)))


def _measure(lines: int) -> dict[str, Any]:
    import django
    from django.conf import settings

    django.setup()
    from subscriptions import reconciliation

    _members(lines)
    settings.RECONCILE_PER_SECOND = 10**6
    before, began, used = _resident(), time.perf_counter(), time.process_time()
    tally = reconciliation.run()
    took, cpu = time.perf_counter() - began, time.process_time() - used
    return {
        "lines": tally.checked,
        "repaired": tally.repaired,
        "lines_a_second": round(tally.checked / took),
        "own_cpu_ms_a_line": round(1000 * cpu / tally.checked, 2),
        "resident_mb_before_and_peak": [before, _resident()],
    }


def _members(lines: int) -> None:
    import httpx
    from django.conf import settings

    from subscriptions import enrolment
    from tests import make

    with httpx.Client(base_url=settings.WORLD_URL, timeout=10) as world:
        for number in range(lines):
            person = make.person()
            with contextlib.suppress(enrolment.NotEligible):  # two of them were given one number
                enrolment.join(person.phone)
            if number % GONE == 0:
                gone = {**person.in_the_world(), "status": "terminated"}
                world.post("/world/lines", json=gone).raise_for_status()


def _resident() -> int:
    """The most so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
