"""Is it as fast with a million lines as with none? `RUN_DIR=… .venv/bin/python -m bench.growth [--lines 100000]`

Against a running copy, whose carrier and Redis are asked; in two databases of its own beside that copy's (made and
dropped here): one with nothing in it but the people who are measured, one with that many lines, ten times as many
verifications and all that hangs on them. Measured turn by turn in both, in this process: the desk, my page, the
partners' API. Then the nightly purge runs in the big one, measured again meanwhile. Prints p50 and p99 in ms and how
they compare, as a table or (`--json`) one JSON object.
"""

import argparse
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psycopg

from bench import growth_rows
from bench.growth_people import CUSTOMERS, MEASURED, Bench, Timed, turn, use

ROOT = Path(__file__).resolve().parents[1]
SMALL, BIG = "ansim_growth_small", "ansim_growth_big"
COLUMNS = ("wall_p50", "wall_p99", "cpu_p50", "cpu_p99")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    home = _prepare()
    try:
        told = _measure(home, asked.lines, asked.turns)
    finally:
        with psycopg.connect(home, autocommit=True) as connection:
            for name in (SMALL, BIG):
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    sys.stdout.write(json.dumps(told) + "\n" if asked.json else _table(told))


def _prepare() -> str:
    """Two databases with our tables; the address of the one beside which they are."""
    run_dir = Path(os.environ.get("RUN_DIR", ".run"))
    kept = dict(line.split("=", 1) for line in (run_dir / "env").read_text().splitlines() if "=" in line[1:])
    home = kept.get("OWNER_DATABASE_URL", kept["DATABASE_URL"]).strip("'\"")
    redis = kept["REDIS_URL"].strip("'\"").rsplit("/", 1)[0]
    os.environ |= {
        "REDIS_URL": f"{redis}/3", "DJANGO_SETTINGS_MODULE": "ansim.settings", "DATABASE_URL": _beside(home, SMALL),
        "AUDIT_CHECKPOINT": str(Path(tempfile.mkdtemp()) / "checkpoint"), "PURGE_AT_NIGHT": "false",
        "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    with psycopg.connect(home, autocommit=True) as connection:
        for name in (SMALL, BIG):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
            _manage(_beside(home, name), "migrate", "-v", "0")
    return home


def _beside(address: str, name: str) -> str:
    return f"{address.rpartition('/')[0]}/{name}"


def _manage(address: str, *words: str) -> str:
    env = {**os.environ, "DATABASE_URL": address}
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def _measure(home: str, lines: int, turns: int) -> dict[str, Any]:
    began = time.monotonic()
    rows = growth_rows.fill(_beside(home, BIG), lines, _progress)
    filled = time.monotonic() - began
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import setup_test_environment

    from tests import make

    setup_test_environment()
    settings.DESK_SEARCHES_PER_HOUR, settings.DESK_IDLE = 10**9, 36_000
    people = [make.person() for _ in range(CUSTOMERS * 3)]
    benches = [Bench(name, people) for name in (SMALL, BIG)]
    timed: dict[str, Timed] = {name: defaultdict(list) for name in (SMALL, BIG, "purge")}
    gc.collect()
    gc.freeze()  # what the tests' makers brought along is no page's garbage: a look through it takes 150 ms
    for done in range(turns):
        turn(benches, done * MEASURED, timed)
        _progress("measuring", done + 1, turns)
    purge = _purge(home, benches[1], timed["purge"])
    return {
        "lines": lines, "rows": rows, "fill_seconds": round(filled), "big_mb": _size(home, BIG),
        "steps": {kind: _compared(*(timed[name][kind] for name in (SMALL, BIG, "purge"))) for kind in timed[BIG]},
        "purge": purge,
    }  # fmt: skip


def _compared(*timed: list[tuple[float, float]]) -> dict[str, float]:
    """Empty, full and while the purge runs. `cpu` is what counts where other programs share the machine."""
    shown: dict[str, float] = {"samples": len(timed[1])}
    for what, which in (("wall", 0), ("cpu", 1)):
        for name, part in (("p50", 0.5), ("p99", 0.99)):
            at = [_at([sample[which] for sample in samples], part) for samples in timed]
            shown |= {f"{what}_{name}_empty": at[0], f"{what}_{name}_full": at[1]}
            shown |= {f"{what}_{name}_ratio": round(at[1] / at[0], 2)}
            if timed[2]:
                shown[f"{what}_{name}_while_purging"] = at[2]
    return shown


def _at(values: list[float], part: float) -> float:
    return round(sorted(values)[min(int(len(values) * part), len(values) - 1)], 2) if values else 0.0


def _purge(home: str, bench: Bench, timed: Timed) -> dict[str, Any]:
    """A process of its own removes what is too old while verifications go on."""
    env = {**os.environ, "DATABASE_URL": _beside(home, BIG)}
    began, n = time.monotonic(), 0
    command = [sys.executable, "manage.py", "purge", "--json"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as purge:
        use(BIG)
        peak = 0
        while purge.poll() is None:
            bench.verify(n, timed)
            n, peak = n + 1, max(peak, _resident(purge.pid))
        seconds = time.monotonic() - began
        said = json.loads(purge.stdout.read()) if purge.stdout else {}
    rows = said["rows"]
    return {
        "rows": rows, "seconds": round(seconds, 1), "rows_a_second": round(sum(rows.values()) / seconds),
        "peak_mb": peak,
    }  # fmt: skip


def _resident(pid: int) -> int:
    try:
        said = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", said)
    return int(found[1]) // 1024 if found else 0


def _size(home: str, name: str) -> int:
    with psycopg.connect(home) as connection:
        (size,) = connection.execute("SELECT pg_database_size(%s)", [name]).fetchone() or (0,)
    return int(size) // 1024**2


def _progress(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        bar = "#" * (30 * done // max(of, 1))
        sys.stderr.write(f"\r[{bar:30}] {done:,} / {of:,} {what:<36}")


def _table(told: dict[str, Any]) -> str:
    lines = [
        f"{told['lines']:,} lines, {told['rows']:,} rows, {told['big_mb']:,} MB, filled in {told['fill_seconds']} s"
    ]
    lines.append(f"{'ms':34}" + "".join(f"{name:>10}{'full':>8}{'ratio':>6}" for name in COLUMNS))
    for kind, at in told["steps"].items():
        cells = (f"{at[f'{name}_empty']:>10}{at[f'{name}_full']:>8}{at[f'{name}_ratio']:>6}" for name in COLUMNS)
        lines.append(f"{kind:34}" + "".join(cells))
    lines.append(f"purge: {told['purge']}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
