"""`make run`: one whole Ansim on this machine, with its simulated world, until Ctrl-C.

    python -m ansim.demo.run                  everything
    python -m ansim.demo.run --only-servers   PostgreSQL and Redis alone (for work on the code: run manage.py beside it)
    python -m ansim.demo.run --only-env       writes $RUN_DIR/env and ends (for tools that import the settings)
    python -m ansim.demo.run --reset          forgets the data, keys and logs of this copy

From the environment: RUN_DIR (.run), PORT (8000), WORLD_PORT (8001), DATABASE_URL and REDIS_URL (else embedded ones).
Exit status 2: a port or the folder is in use.
"""

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType

from ansim.demo.stack import environment, handles, ports, programs, servers
from ansim.demo.stack.console import CannotRun, Console
from ansim.demo.stack.environment import RunDir
from ansim.demo.stack.supervisor import Supervisor


class Stopped(BaseException):
    """Somebody asked the launcher to end: Ctrl-C, SIGTERM, a closed terminal."""


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    os.umask(0o077)  # keys, logs and data are nobody else's business
    environment.leave_proxies_out()
    console = Console()
    run_dir = RunDir.from_environment()
    try:
        if options.reset:
            run_dir.forget()
        elif options.only_env:
            _write_env(run_dir)
        else:
            _run(run_dir, console, only_servers=options.only_servers)
    except CannotRun as error:
        sys.stderr.write(f"\n{error}\n")
        return error.status
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ansim.demo.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--only-servers", action="store_true", help="PostgreSQL and Redis, and nothing else")
    choice.add_argument("--only-env", action="store_true", help="write the env file and end")
    choice.add_argument("--reset", action="store_true", help="forget this copy's data")
    return parser.parse_args(arguments)


def _port(name: str, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65_536:
        raise CannotRun(f"{name}={value}: 포트 번호가 아닙니다.", f"{name}={value} is not a port number.", status=2)
    return int(value)


def _write_env(run_dir: RunDir) -> None:
    run_dir.take()
    env = environment.complete(run_dir, port=_port("PORT", 8000), world_port=_port("WORLD_PORT", 8001))
    nowhere = {"DATABASE_URL": "postgres://ansim@127.0.0.1:1/ansim", "REDIS_URL": "redis://127.0.0.1:1/0"}
    environment.write(run_dir, nowhere | env)


def _run(run_dir: RunDir, console: Console, *, only_servers: bool) -> None:
    run_dir.take()
    run_dir.handles.unlink(missing_ok=True)
    supervisor = Supervisor(console)
    with _until_stopped(run_dir, supervisor, console):
        port, world_port = _port("PORT", 8000), _port("WORLD_PORT", 8001)
        if not only_servers:
            ports.demand("PORT", port)
            ports.demand("WORLD_PORT", world_port)
        env = environment.complete(run_dir, port=port, world_port=world_port)
        # Before servers are made with these passwords: a first start that breaks off must not lock out the next one.
        environment.write(run_dir, run_dir.kept() | env)
        console.step("열쇠 준비", "keys are there")
        where = servers.start(run_dir, env, supervisor=supervisor, console=console)
        env |= {"DATABASE_URL": where.database_url, "REDIS_URL": where.redis_url}
        env["OWNER_DATABASE_URL"] = where.owner_url
        environment.write(run_dir, env)
        if only_servers:
            console.line(f"\n  RUN_DIR={run_dir.path} .venv/bin/python manage.py …\n")
            _tend(supervisor)
        seeded = programs.start(run_dir, env, supervisor=supervisor, console=console)
        copy = handles.Handles(run_dir, env, reader_url=where.reader_url, seeded=seeded)
        copy.write(supervisor)
        console.step("모두 준비되었습니다", "everything answers")
        console.line(programs.welcome(env))
        _tend(supervisor, copy)


def _tend(supervisor: Supervisor, copy: handles.Handles | None = None) -> None:
    """Looks after the children until Stopped; demo.json follows when all of them answer and a process changed."""
    while True:
        supervisor.tend()
        if copy and supervisor.settled() and copy.outdated(supervisor):
            copy.write(supervisor)
        time.sleep(0.2)


@contextlib.contextmanager
def _until_stopped(run_dir: RunDir, supervisor: Supervisor, console: Console) -> Iterator[None]:
    """Ends all children in good order whatever happens inside; the data servers go last."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        raise Stopped

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
    try:
        yield
    except Stopped:
        console.line("")
        console.step("끝냅니다", "stopping")
    finally:
        run_dir.handles.unlink(missing_ok=True)
        programs_running = [child.name for child in supervisor.children if child.name not in servers.NAMES]
        for names in (programs_running, servers.NAMES):
            supervisor.stop(*names)
    console.step("끝났습니다. 데이터는 남아 있습니다", "ended; the data stay")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
