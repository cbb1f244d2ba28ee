"""The system's own programs: web, worker, clock, and the simulated world beside them."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from celery import Celery

from ansim.demo.stack import database, leash
from ansim.demo.stack.console import CannotRun, Console
from ansim.demo.stack.environment import ROOT, RunDir
from ansim.demo.stack.supervisor import Child, Supervisor

QUEUES = "push,sms,webhook,clock"


def start(run_dir: RunDir, env: Mapping[str, str], *, supervisor: Supervisor, console: Console) -> dict[str, Any]:
    """Migrates, starts the four programs, seeds the demo data, waits until all of it answers; the seed's JSON."""
    whole = {**os.environ, **env, "PYTHONUNBUFFERED": "1"}
    whole.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling everything at each start would take longer than starting
    owner = {"DATABASE_URL": env["OWNER_DATABASE_URL"]}
    _manage("migrate", "--verbosity", "1", log=run_dir.log / "migrate.log", env=whole | owner)
    database.keep_append_only(env["OWNER_DATABASE_URL"], env["DATABASE_URL"])
    console.step("데이터베이스 구조 준비", "the database is migrated")
    for child in _children(run_dir, whole):
        supervisor.start(child)
    supervisor.await_ready("world", seconds=60)
    console.step("가상 세계 준비 (통신사, FCM, APNs, 문자)", "the simulated world answers")
    said = _manage("demo", "seed", log=run_dir.log / "seed.log", env=whole)
    console.step("데모 데이터 준비", "the demo data are there")
    supervisor.await_ready("web", "worker", "clock", seconds=60)
    seeded: dict[str, Any] = json.loads(said)
    return seeded


def welcome(env: Mapping[str, str]) -> str:
    return (
        f"\n  안심을 둘러보려면 여기를 여세요:  {env['BASE_URL']}/demo"
        f"\n  가상 휴대폰과 데모 쇼핑몰:        {env['WORLD_URL']}"
        f"\n  Open {env['BASE_URL']}/demo to look around; the virtual phone and the demo shop: {env['WORLD_URL']}"
        f"\n  끝내기 · stop: Ctrl-C        처음부터 · start afresh: make reset\n"
    )


def _manage(*arguments: str, log: Path, env: Mapping[str, str]) -> str:
    """Runs one command of manage.py to its end; what it printed. Its complaints go to the log."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    process = leash.start(command, env=env, log=log, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        said = process.communicate()[0].decode()
    except BaseException:
        leash.kill_group(process.pid)
        raise
    if process.returncode != 0:
        complaint = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        called = f"manage.py {' '.join(arguments)}"
        raise CannotRun(f"{called}: 실패했습니다. 로그: {log}", f"{called} failed:\n{complaint}")
    return said


def _children(run_dir: RunDir, env: Mapping[str, str]) -> list[Child]:
    def child(name: str, *command: str, answers: Callable[[], bool], env: Mapping[str, str] = env) -> Child:
        log = run_dir.log / f"{name}.log"
        return Child(name, [sys.executable, "-m", *command], env=env, log=log, answers=answers, cwd=ROOT)

    its_own_schema = {**env, "DATABASE_URL": env["OWNER_DATABASE_URL"]}  # the world makes its tables itself
    node = f"worker@{env['PORT']}"
    worker_ping, clock_ping = (_ping(env["REDIS_URL"], name) for name in (node, f"clock@{env['PORT']}"))
    return [
        child("world", "ansim.demo.world", answers=_page(f"{env['WORLD_URL']}/livez"), env=its_own_schema),
        child("web", "gunicorn", *_gunicorn(env), answers=_page(f"{env['BASE_URL']}/readyz")),
        child("worker", "celery", *_worker(node), answers=worker_ping),
        child("clock", "celery", *_clock(run_dir, f"clock@{env['PORT']}"), answers=clock_ping),
    ]


def _gunicorn(env: Mapping[str, str]) -> list[str]:
    """No access log: the application writes its own, without query strings and window secrets."""
    # limit-request-line 0: api.md wants its own 414 for addresses over 8,192 bytes.
    options = {
        "bind": f"127.0.0.1:{env['PORT']}",
        "worker-class": "gthread",
        "workers": "2",
        "threads": "8",
        "limit-request-line": "0",
        "limit-request-field_size": "16384",
        "graceful-timeout": "3",
        "log-level": "warning",
    }
    if os.access("/dev/shm", os.W_OK):
        options["worker-tmp-dir"] = "/dev/shm"  # a slow disk must not make a worker look dead
    return ["ansim.wsgi", "--no-control-socket", *(f"--{name}={value}" for name, value in options.items())]


def _worker(node: str) -> list[str]:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]  # nobody listens; each costs Redis calls
    return ["-A", "ansim", "worker", "-n", node, "-P", "threads", "-c", "12", "-Q", QUEUES, "-l", "info", *quiet]


def _clock(run_dir: RunDir, node: str) -> list[str]:
    schedule = run_dir.path / "clock-schedule"
    return ["-A", "ansim", "beat", "-s", str(schedule), "--enable-remote-control", "-n", node, "-l", "warning"]


def _page(url: str) -> Callable[[], bool]:
    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # loopback only
                return bool(response.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    return answers


def _ping(broker: str, node: str) -> Callable[[], bool]:
    """Asks a Celery process over the broker whether it is at work."""
    app = Celery(broker=broker, set_as_current=False)

    def answers() -> bool:
        try:
            # A connection of its own: a pooled one would be dead after a restart of the broker.
            with app.connection_for_write(connect_timeout=1) as connection:
                return bool(app.control.ping(destination=[node], timeout=0.5, connection=connection))
        except Exception:  # kombu lets each broker library's own errors through; whatever it is, nobody answered
            return False

    return answers
