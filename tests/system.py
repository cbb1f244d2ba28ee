"""A pytest plugin (`-p tests.system`): one whole system for the run, started by the code that `make run` uses.

It comes up before Django reads its settings, on free ports and with data of its own, and ends with the run. Tests in
this process use the same PostgreSQL (pytest-django's own test database) and Redis, there database 1 instead of 0: what
they ring does not wake the real worker.

SYSTEM_RUN_DIR=<folder>: use the copy that already runs there (`make run`) and leave it running.

With `-n 3` (pytest-xdist) each of the three has a whole system of its own, and who hands out the tests has none.
"""

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from signal import SIGTERM
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from ansim.demo.stack import environment, leash, ports
from ansim.demo.stack.console import CannotRun
from tests.browser.chromium import node_for_playwright

STARTUP = 90.0  # seconds
PREFIX = "ansim-tests-"
ENTERED = "SYSTEM_ENTERED"  # names that this process, or the one that hands out the tests, took from a system
_handles: Path | None = None


class System:
    """The launcher as a subprocess, with a folder of its own that goes when it ends."""

    def __init__(self) -> None:
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.run_dir = self.folder / "run"
        self.launcher: subprocess.Popen[bytes] | None = None

    def start(self) -> Path:
        """Starts everything and waits for demo.json; UsageError with the logs' ends when it does not come."""
        self.launcher = self._launch()
        handles = self.run_dir / "demo.json"
        deadline = time.monotonic() + STARTUP
        while not handles.is_file():
            if self.launcher.poll() is not None or time.monotonic() > deadline:
                said = self._log_ends()
                self.stop()
                raise pytest.UsageError(f"시험할 시스템이 시작되지 않습니다 · the system does not start:\n{said}")
            time.sleep(0.1)
        return handles

    def only_env(self) -> Path:
        """The settings of a system that does not run: enough to collect the tests."""
        launcher = self._launch("--only-env")
        if launcher.wait() != 0:
            raise pytest.UsageError(self._log_ends())
        handles = self.run_dir / "demo.json"
        handles.write_text(json.dumps({"env": environment.RunDir(self.run_dir).kept()}))
        return handles

    def stop(self) -> None:
        if self.launcher and self.launcher.poll() is None:
            self.launcher.terminate()
            try:
                self.launcher.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.launcher.kill()
                self.launcher.wait()
        _forget(self.folder)

    def _launch(self, *options: str) -> subprocess.Popen[bytes]:
        taken: set[int] = set()
        chosen = {name: str(ports.kept_or_free(None, taken=taken)) for name in ("PORT", "WORLD_PORT")}
        entered = {ENTERED, *os.environ.get(ENTERED, "").split()}
        outside = {name: value for name, value in os.environ.items() if name not in entered}
        env = {**outside, **chosen, "RUN_DIR": str(self.run_dir)}
        command = [sys.executable, "-m", "ansim.demo.run", *options]
        log = self.folder / "launcher.log"
        return leash.start(command, env=env, log=log, cwd=environment.ROOT, last_word=SIGTERM)

    def _log_ends(self) -> str:
        logs = [self.folder / "launcher.log", *sorted((self.run_dir / "log").glob("*.log"))]
        return "\n".join(f"--- {log.name}\n{_end(log)}" for log in logs if log.is_file())


def _forget(folder: Path) -> None:
    with contextlib.suppress(CannotRun, OSError):  # somebody else's, or still running
        environment.RunDir(folder / "run").forget()
        shutil.rmtree(folder)


def _sweep() -> None:
    """Folders of runs that were killed an hour ago or more; their systems went with them."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 3600:
                _forget(left)


def _end(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """A wrapper: it must come before pytest-django, which imports the settings in the same hook."""
    global _handles
    options = early_config.known_args_namespace
    if not (options.help or options.version):
        _handles = _find_or_start(early_config, only_collect=_starts_nothing(options))
        _enter(json.loads(_handles.read_text()))
    yield


def _starts_nothing(options: Any) -> bool:
    hands_out = getattr(options, "numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ
    told = ("collectonly", "setupplan", "showfixtures", "markers")
    return bool(hands_out) or any(getattr(options, name, False) for name in told)


def _find_or_start(config: pytest.Config, *, only_collect: bool) -> Path:
    running = os.environ.get("SYSTEM_RUN_DIR")
    if running:
        handles = Path(running).absolute() / "demo.json"
        if not handles.is_file():
            raise pytest.UsageError(f"SYSTEM_RUN_DIR={running}: 실행 중이 아닙니다 · nothing runs there")
        return handles
    system = System()
    atexit.register(system.stop)  # also when pytest ends before its own clean-up
    config.add_cleanup(system.stop)
    return system.only_env() if only_collect else system.start()


def _enter(handles: dict[str, Any]) -> None:
    """This process becomes one of the system's, but for the Redis database."""
    redis = urlsplit(handles["env"]["REDIS_URL"])
    os.environ[ENTERED] = " ".join(handles["env"].keys() - os.environ.keys() | set(os.environ.get(ENTERED, "").split()))
    os.environ.update(handles["env"], REDIS_URL=urlunsplit(redis._replace(path="/1")))
    kept = environment.RunDir(Path(handles["env"]["RUN_DIR"])).kept()
    os.environ["DATABASE_URL"] = kept.get("OWNER_DATABASE_URL", handles["env"]["DATABASE_URL"])  # makes the tests' own
    # Their database has its own record of access, so its end is noted elsewhere.
    os.environ["AUDIT_CHECKPOINT"] = str(Path(handles["env"]["RUN_DIR"]) / "audit-checkpoint-of-tests")
    # Playwright's sync API runs an event loop in this thread; Django would refuse the ORM beside it.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    node = node_for_playwright()
    if node:
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node)


@pytest.fixture
def system() -> dict[str, Any]:
    """What demo.json says now (process ids change when a test kills one)."""
    assert _handles, "the plugin did not start a system"
    content: dict[str, Any] = json.loads(_handles.read_text())
    return content


@pytest.fixture(scope="session")
def site_url() -> str:
    """Where the system under test answers."""
    return os.environ["BASE_URL"]


@pytest.fixture(scope="session")
def world_url() -> str:
    """Where its simulated world answers."""
    return os.environ["WORLD_URL"]
