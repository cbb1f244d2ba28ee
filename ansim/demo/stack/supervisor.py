"""Children that are kept alive: what dies is started again within seconds, what loops is slowed down and told."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pwd import struct_passwd

from ansim.demo.stack import leash
from ansim.demo.stack.console import CannotRun, Console

STABLE = 10.0  # seconds; who lives that long starts again with a clean record
PAUSES = (0.0, 0.3, 0.7, 1.5, 2.0)  # seconds before a restart, by the number of quick deaths in a row
LOG_LIMIT = 20_000_000  # bytes; a longer log is moved aside when its process starts


@dataclass
class Child:
    """A program of the system, how to start it, how to see that it answers, and how to end it."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    log: Path
    answers: Callable[[], bool]
    cwd: Path = Path("/")
    user: struct_passwd | None = None
    stop_with: signal.Signals = signal.SIGTERM
    last_word: signal.Signals = signal.SIGKILL
    patience: float = 5.0  # seconds between stop_with and SIGKILL
    tries: int = 3  # quick deaths at the start before the launcher gives up
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    deaths: int = 0
    _started: float = field(default=0.0, repr=False)
    _start_at: float = field(default=0.0, repr=False)
    _leave_by: float = field(default=0.0, repr=False)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        if self.log.is_file() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        self.ready, self._started = False, time.monotonic()
        self.process = leash.start(
            self.command, env=self.env, log=self.log, cwd=self.cwd, user=self.user, last_word=self.last_word
        )

    def tend(self) -> int | None:
        """Notices a death (returns the exit status, once) and starts again when the pause is over."""
        if self.process is None:
            if time.monotonic() >= self._start_at:
                self.start()
            return None
        status = self.process.poll()
        if status is None:
            return None
        leash.kill_group(self.process.pid)  # what it left behind must not hold its port
        lived = time.monotonic() - self._started
        self.deaths = 1 if lived > STABLE else self.deaths + 1
        self._start_at = time.monotonic() + PAUSES[min(self.deaths, len(PAUSES)) - 1]
        self.process, self.ready = None, False
        return status

    def pids(self) -> list[int]:
        """Its process and that one's children, as they are now."""
        if self.pid is None:
            return []
        found = [self.pid]
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                found += [int(pid) for pid in (task / "children").read_text().split()]
        return found

    def ask_to_stop(self) -> None:
        self._leave_by = time.monotonic() + self.patience
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, self.stop_with)

    def see_off(self) -> None:
        """Waits until its patience after ask_to_stop is over, then ends it and all it started."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(0.0, self._leave_by - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        leash.kill_group(self.process.pid)
        self.process = None

    def last_lines(self, count: int = 15) -> str:
        if not self.log.is_file():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 8_000))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-count:])


class Supervisor:
    """The children of one launcher, in the order in which they were started."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.children: list[Child] = []

    def start(self, child: Child) -> None:
        self.children.append(child)
        child.start()

    def tend(self) -> None:
        """One round: restart what died, see whether those that are not ready answer by now."""
        self._restart_dead()
        for child in self.children:
            if child.process and not child.ready:
                child.ready = child.answers()
                self._restart_dead()  # a probe may take a second: nobody waits longer than one

    def await_ready(self, *names: str, seconds: float) -> None:
        """Tends until all named children answer. CannotRun with the last words of one that dies or stays silent."""
        waited_for = [child for child in self.children if child.name in names]
        deadline = time.monotonic() + seconds
        while not all(child.ready for child in waited_for):
            self.tend()
            for child in waited_for:
                if child.deaths >= child.tries or (time.monotonic() > deadline and not child.ready):
                    raise CannotRun(
                        f"{child.name}: 시작하지 못했습니다. 로그: {child.log}",
                        f"{child.name}: does not start. Its log ends with:\n{child.last_lines()}",
                    )
            time.sleep(0.05)

    def settled(self) -> bool:
        return all(child.ready for child in self.children)

    def stop(self, *names: str) -> None:
        """Ends the named children together; what does not obey is killed."""
        leaving = [child for child in self.children if child.name in names]
        for child in leaving:
            child.ask_to_stop()
        for child in leaving:
            child.see_off()
        self.children = [child for child in self.children if child not in leaving]

    def _restart_dead(self) -> None:
        for child in self.children:
            status = child.tend()
            if status is not None:
                self._tell(child, status)

    def _tell(self, child: Child, status: int) -> None:
        how = signal.Signals(-status).name if status < 0 else f"exit {status}"
        loops = f" ({child.deaths}×)" if child.deaths > 1 else ""
        self._console.step(f"{child.name}: 멈춤({how}){loops}, 다시 시작", "it died, starting it again")
        if child.deaths == len(PAUSES):
            self._console.line(f"{child.log}:\n{child.last_lines()}")
