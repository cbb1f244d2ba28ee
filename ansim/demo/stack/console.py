"""What the launcher says to the person at the terminal: Korean first, then English."""

import sys
import time


class CannotRun(Exception):
    """The system cannot be started; says why and what to do. `status` is the exit status (2: a busy port or folder)."""

    def __init__(self, korean: str, english: str, *, status: int = 1) -> None:
        super().__init__(f"{korean}\n{english}")
        self.status = status


class Console:
    """Progress lines, each with the seconds since the start. A closed terminal never stops the system."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def step(self, korean: str, english: str) -> None:
        self.line(f"{time.monotonic() - self._started:6.1f} s  {korean} · {english}")

    def line(self, text: str) -> None:
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):  # nobody reads any more
            pass
