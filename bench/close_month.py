"""How long the month close takes: `RUN_DIR=… python bench/close_month.py [--lines 20000] [--json]`.

In a scratch database beside the one that DATABASE_URL names (made and dropped here), with lines of which one in twenty
was suspended and resumed within the month; then once more with a late event for one line in a hundred. Posting is left
out: it waits for the carrier.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
NAME = "ansim_bench"
MEMBERS = """
INSERT INTO verification_line (id, contract, contract_fingerprint, phone, phone_fingerprint, serial, protection,
                               password, wrong_passwords, wrong_numbers_at, stop_all, blocked_partners)
SELECT gen_random_uuid(), '', md5(n::text) || md5(n::text), '', md5(n::text), 1, 'off', '', 0, '{}', false, '{}'
  FROM generate_series(1, %(lines)s) n;
INSERT INTO subscriptions_subscription (id, line_id, holder, holder_fingerprint, joined_at, cancel_reason, state,
                                        end_reason)
SELECT gen_random_uuid(), id, '', contract_fingerprint, '2025-01-01 09:00+09', '', 'active', ''
  FROM verification_line;
"""
EVENTS = """
INSERT INTO subscriptions_carrierevent (id, source, event_id, type, contract, contract_fingerprint, time, received_at,
                                        standing)
SELECT gen_random_uuid(), 'bench', gen_random_uuid(), what.type, '', contract_fingerprint, what.at, now(), 'applied'
  FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM verification_line) line
 CROSS JOIN (VALUES {what}) AS what (type, at) WHERE n %% %(each)s = 0;
"""
DURING = EVENTS.format(
    what="('suspended', '2025-09-10 12:00+09'::timestamptz), ('resumed', '2025-09-20 12:00+09'::timestamptz)"
)
LATE = EVENTS.format(what="('suspended', '2025-09-25 12:00+09'::timestamptz)") + (
    "INSERT INTO subscriptions_unsettled (line_id, since) SELECT l.id, now() FROM verification_line l"
    " JOIN subscriptions_carrierevent e USING (contract_fingerprint) WHERE e.time = '2025-09-25 12:00+09';"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from ansim.demo.stack import environment

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ansim.settings")
    kept = environment.RunDir(Path(os.environ["RUN_DIR"]).absolute()).kept()
    os.environ["DATABASE_URL"] = kept.get("OWNER_DATABASE_URL", kept["DATABASE_URL"])  # who may make databases
    from django.conf import settings

    home = _address(settings.DATABASES["default"])
    with psycopg.connect(home, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME}")
        connection.execute(f"CREATE DATABASE {NAME}")
    try:
        told = _measure(asked.lines, settings)
    finally:
        with psycopg.connect(home, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    print(json.dumps(told) if asked.json else "\n".join(f"{name}: {value}" for name, value in told.items()))  # noqa: T201


def _measure(lines: int, settings) -> dict[str, float | int]:
    settings.DATABASES["default"]["NAME"] = NAME
    address = psycopg.conninfo.make_conninfo(_address(settings.DATABASES["default"]))
    url = psycopg.conninfo.conninfo_to_dict(address)
    env = {**os.environ, "DATABASE_URL": "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**url)}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=env, check=True)
    import django

    django.setup()
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in (MEMBERS, DURING):
            psycopg.ClientCursor(connection).execute(statement, {"lines": lines, "each": 20})
        connection.execute("ANALYZE")
    own = _close(date(2025, 9, 1))
    with psycopg.connect(address, autocommit=True) as connection:
        psycopg.ClientCursor(connection).execute(LATE, {"each": 100})
    late = _close(date(2025, 10, 1))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "lines": lines,
        "first_close_seconds": own[0],
        "lines_a_second": round(lines / own[0]),
        "own_cpu_seconds": own[2],
        "close_with_late_events_seconds": late[0],
        "adjustments": late[1],
        "peak_mb": peak,
    }


def _close(month: date) -> tuple[float, int, float]:
    from subscriptions import closing

    began, used = time.perf_counter(), time.process_time()
    done = closing.close(month)
    return round(time.perf_counter() - began, 2), done.adjustments, round(time.process_time() - used, 2)


def _address(database: dict) -> str:
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    return psycopg.conninfo.make_conninfo(
        **{ours: str(database[name]) for name, ours in names.items() if database[name]}
    )


if __name__ == "__main__":
    main()
