"""Makes `.venv` with exactly the packages of the lock files; needs nothing but Python 3.11 or later.

`python3 deploy/setup_venv.py [--tests]`. A second run with unchanged lock files ends at once. Two runs at the same time
wait for each other. Where packages come from is pip's usual configuration (PIP_INDEX_URL, pip.conf, …) or uv's (UV_*).
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BOOT = ROOT / ".boot"
STAMP = VENV / "ansim-lock.json"
OLDEST = (3, 11)


class CannotSetUp(Exception):
    """Says in one sentence (Korean, then English) what is missing and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also what the tests and `make lint` need")
    with_tests = parser.parse_args().tests
    try:
        if sys.version_info < OLDEST:
            found = ".".join(map(str, sys.version_info[:3]))
            raise CannotSetUp(
                f"Python 3.11 이상이 필요한데 {found}입니다. 다른 것을 쓰려면: make PYTHON=python3.12 run\n"
                f"Python 3.11 or later is needed, this is {found}. To use another one: make PYTHON=python3.12 run"
            )
        locks = [ROOT / "requirements.txt", *([ROOT / "tests" / "requirements.txt"] if with_tests else [])]
        if not _up_to_date(locks):
            with _alone():
                set_up(locks)
    except CannotSetUp as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    return 0


def set_up(locks: list[Path]) -> None:
    """Brings `.venv` to the state of the lock files."""
    if _up_to_date(locks):  # another set-up was faster
        return
    _may_write()
    from find_uv import uv, uv_environment  # beside this file; a fast second run does not load it

    tell("uv 준비", "getting uv, the installer")
    program, env = uv(BOOT), uv_environment(BOOT)
    if not _runs() or _stamp().get("path", str(VENV)) != str(VENV):
        tell("가상 환경 .venv 생성", "making the virtual environment .venv")
        shutil.rmtree(VENV, ignore_errors=True)
        _run([program, "venv", "--quiet", "--no-project", "--python", sys.executable, str(VENV)], env)
    STAMP.unlink(missing_ok=True)
    tell("패키지 설치 (처음에는 1분쯤 걸립니다)", "installing packages (about a minute the first time)")
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    sync = [program, "pip", "sync", *quiet, "--require-hashes", "--python", str(VENV / "bin" / "python")]
    _run([*sync, *map(str, locks)], env)
    STAMP.write_text(json.dumps(_state(locks)))
    tell("패키지 준비 끝", "packages are ready")


def _state(locks: list[Path]) -> dict[str, str]:
    hashes = {str(lock.relative_to(ROOT)): hashlib.sha256(lock.read_bytes()).hexdigest() for lock in locks}
    return {**hashes, "path": str(VENV)}


def _up_to_date(locks: list[Path]) -> bool:
    """The stamp is written last and removed first: where it fits, nothing is half done."""
    return _state(locks).items() <= _stamp().items() and _runs()


def tell(korean: str, english: str) -> None:
    with contextlib.suppress(OSError):
        sys.stdout.write(f"  {korean} · {english}\n")
        sys.stdout.flush()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time in this folder."""
    try:
        BOOT.mkdir(exist_ok=True)
        lock = (BOOT / "lock").open("a")
    except OSError as error:
        raise CannotSetUp(
            f"{BOOT} 폴더에 쓸 수 없습니다. 이 사용자의 폴더에 새로 복제하세요(git clone).\n"
            f"Cannot write to {BOOT}: clone the project into a folder of this user."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("다른 설치가 끝나기를 기다립니다", "waiting for another set-up to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _runs() -> bool:
    """Whether `.venv` has a Python that starts (it may have been moved, or its system Python replaced)."""
    code = "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    try:
        command = [str(VENV / "bin" / "python"), "-I", "-c", code]
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except OSError:
        return False


def _may_write() -> None:
    """Somebody else's `.venv` that we may not change: says so before anything is half done."""
    if not VENV.exists():
        return
    owner = VENV.stat().st_uid
    if os.geteuid() in (0, owner):
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    raise CannotSetUp(
        f".venv 폴더가 다른 사용자({name})의 것이라 고칠 수 없습니다. 지우고 다시 하세요: sudo rm -rf {VENV}\n"
        f"The folder .venv belongs to {name} and is out of date. Remove it and try again: sudo rm -rf {VENV}"
    )


def _run(command: list[str], env: dict[str, str]) -> None:
    if subprocess.run(command, env=env, cwd=ROOT, check=False).returncode != 0:
        raise CannotSetUp(
            "패키지를 설치하지 못했습니다(위 메시지 참고). 네트워크와 PIP_INDEX_URL, PIP_CERT 설정을 확인하세요.\n"
            "The packages could not be installed (see above): check the network, PIP_INDEX_URL and PIP_CERT."
        )


if __name__ == "__main__":
    sys.exit(main())
