"""Where the record of access ends, noted outside the database: who cuts off its last rows there cannot change this.

A file (`AUDIT_CHECKPOINT`) and a log line, both written after the commit. A process that dies in between leaves the
note behind the record, never ahead of it. Where web servers have no folder in common each keeps the note of its own
last record; the log, collected from all of them, has every one.
"""

import fcntl
import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """The number and mac of a row that was there; 0 when nothing was noted."""

    number: int = 0
    mac: bytes = b""


class Unreadable(Exception):
    """There is a file, but it is no checkpoint."""


def read() -> Checkpoint:
    """Raises Unreadable."""
    try:
        told = json.loads(_path().read_text())
        return Checkpoint(int(told["number"]), bytes.fromhex(told["mac"]))
    except FileNotFoundError:
        return Checkpoint()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(str(_path())) from error


def age() -> float:
    """Seconds since the note was last written; 0 when there is none."""
    try:
        return max(0.0, time.time() - _path().stat().st_mtime)
    except OSError:
        return 0.0


def advance(number: int, mac: bytes) -> None:
    """Note that the record reaches to here; a later note stands. What cannot be written is told to the log alone."""
    log.info("audit_checkpoint", extra={"number": number, "mac": mac.hex()})
    try:
        _write(number, mac)
    except (OSError, Unreadable) as error:
        log.error("audit_checkpoint_not_written", extra={"why": type(error).__name__})


def _write(number: int, mac: bytes) -> None:
    path = _path()
    with os.fdopen(os.open(path.with_name(f"{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if number <= read().number:
            return
        draft = path.with_name(f"{path.name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps({"number": number, "mac": mac.hex()}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def _path() -> Path:
    return Path(settings.AUDIT_CHECKPOINT)
