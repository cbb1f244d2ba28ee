"""Starting processes that cannot outlive the launcher, even when it is killed with SIGKILL."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


def leash(last_word: signal.Signals) -> Callable[[], None]:
    """For Popen's preexec_fn: the kernel sends `last_word` to the child at the moment its parent dies.

    The kernel forgets it when the user changes, so it must run after that: Popen calls preexec_fn last.
    """
    parent = os.getpid()

    def hold() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(last_word), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the leash held
            os._exit(1)

    return hold


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path | IO[bytes] | int,
    cwd: Path,
    user: pwd.struct_passwd | None = None,
    stdout: int | None = None,
    last_word: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Starts a program in a session of its own (Ctrl-C reaches the launcher alone), its output appended to `log`."""
    with contextlib.ExitStack() as opened:
        out = opened.enter_context(log.open("ab")) if isinstance(log, Path) else log
        return subprocess.Popen(
            [str(part) for part in command],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out if stdout is None else stdout,
            stderr=out,
            start_new_session=True,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            preexec_fn=leash(last_word),
        )


def kill_group(pid: int) -> None:
    """Ends what is left of the session that `pid` led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
