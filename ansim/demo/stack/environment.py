"""The copy's own folder (`RUN_DIR`) and its environment: secrets made once, addresses that follow the ports.

`$RUN_DIR/env` is the one place where the secrets of a demo live; settings read it, and so does the next run.
"""

import base64
import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from ansim.demo.stack import ports, postgres, vendor_keys
from ansim.demo.stack.console import CannotRun

ROOT = Path(__file__).resolve().parents[3]


def leave_proxies_out() -> None:
    """All of it is on this machine: nothing goes through a proxy that the environment names, here or in a child."""
    before = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = ",".join(filter(None, (before, "127.0.0.1", "localhost")))


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _apple_id() -> str:
    """Ten capital letters and digits, as Apple's key and team ids are."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(10))


# Made at the first run and never changed: rows are sealed and signed with them.
SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "SEAL_KEYS": lambda: f"k1:{_key()}",
    "FINGERPRINT_KEY": _key,
    "CODE_KEY": _key,
    "PASSWORD_PEPPER": _key,
    "AUDIT_KEY": _key,
    "NUMBER_SIGNING_KEYS": lambda: vendor_keys.signing_key("number-1"),
    "RECEIPT_SIGNING_KEYS": lambda: vendor_keys.signing_key("receipt-1"),
    "CARRIER_TOKEN": lambda: secrets.token_urlsafe(32),
    "CARRIER_EVENTS_SECRET": lambda: f"whsec_{_key()}",
    "SMS_TOKEN": lambda: secrets.token_urlsafe(32),
    "METRICS_TOKEN": lambda: secrets.token_urlsafe(32),
    "APNS_KEY_ID": _apple_id,
    "APNS_TEAM_ID": _apple_id,
    "POSTGRES_PASSWORD": secrets.token_hex,
    "OWNER_PASSWORD": secrets.token_hex,
    "APPLICATION_PASSWORD": secrets.token_hex,
    "READER_PASSWORD": secrets.token_hex,
    "REDIS_PASSWORD": secrets.token_hex,
}


class RunDir:
    """The folder of one copy of the system; only one launcher at a time may hold it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.env_file = self.path / "env"
        self.keys = self.path / "keys"
        self.log = self.path / "log"
        self.handles = self.path / "demo.json"
        self._lock: IO[str] | None = None

    @classmethod
    def from_environment(cls) -> "RunDir":
        return cls(Path(os.environ.get("RUN_DIR") or ROOT / ".run"))

    def take(self) -> None:
        """Makes the folder (mode 700) and locks it until this process ends. Taken by a living launcher: exit 2."""
        try:
            for folder in (self.path, self.keys, self.log):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise CannotRun(
                f"{self.path} 폴더에 쓸 수 없습니다({error.strerror}). RUN_DIR로 다른 폴더를 고르세요.",
                f"Cannot write to {self.path} ({error.strerror}). Choose another folder with RUN_DIR.",
                status=2,
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            pid = lock.read().strip() or "?"
            raise CannotRun(
                f"{self.path}: 이미 실행 중입니다(프로세스 {pid}). 또 하나는 RUN_DIR, PORT, WORLD_PORT를 바꿔서.",
                f"Already running in {self.path} (process {pid}). For a second copy set RUN_DIR, PORT and WORLD_PORT.",
                status=2,
            ) from error
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def forget(self) -> None:
        """Deletes the copy's folder, and PostgreSQL's data where they had to live elsewhere. Refused while it runs."""
        if not self.path.is_dir():
            return
        self.take()
        password = self.kept().get("POSTGRES_PASSWORD")
        if password:
            shutil.rmtree(postgres.outside_home(password), ignore_errors=True)
        shutil.rmtree(self.path)

    def kept(self) -> dict[str, str]:
        """What the env file says now; nothing where there is none."""
        if not self.env_file.is_file():
            return {}
        lines = (line.partition("=") for line in self.env_file.read_text().splitlines() if "=" in line)
        return {name: value for name, _, value in lines if not name.startswith("#")}


def complete(run_dir: RunDir, *, port: int, world_port: int) -> dict[str, str]:
    """Everything but the addresses of the servers; makes what is missing, keeps what is there.

    Of the real environment only what a person sets to choose servers and ports counts: a SECRET_KEY that happens to
    be exported in a shell must not lock a copy out of its own data.
    """
    kept = run_dir.kept()
    env = {name: kept.get(name) or make() for name, make in SECRETS.items()}
    taken = {port, world_port}
    for name in ("APNS_PORT", "SMTP_PORT", "POSTGRES_PORT", "REDIS_PORT"):
        env[name] = str(ports.kept_or_free(kept.get(name), taken=taken))
    env |= _addresses(run_dir, port=port, world_port=world_port)
    env["EMAIL_URL"] = f"smtp://127.0.0.1:{env['SMTP_PORT']}"
    vendor_keys.fcm_service_account(Path(env["FCM_CREDENTIALS"]), token_uri=f"{env['WORLD_URL']}/google/token")
    vendor_keys.apns_token_key(Path(env["APNS_KEY_FILE"]))
    vendor_keys.apns_certificates(run_dir.keys)
    return env


def _addresses(run_dir: RunDir, *, port: int, world_port: int) -> dict[str, str]:
    world = f"http://127.0.0.1:{world_port}"
    return {
        "RUN_DIR": str(run_dir.path),
        "DEMO": "1",
        "PORT": str(port),
        "WORLD_PORT": str(world_port),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "WORLD_URL": world,
        "CARRIER_URL": f"{world}/carrier",
        "SMS_GATEWAY": "http",
        "SMS_URL": f"{world}/sms-gateway",
        "SMS_FROM": "15664380",
        "EMAIL_FROM": "ansim@ansim.example",
        "FCM_CREDENTIALS": str(run_dir.keys / "fcm-service-account.json"),
        "FCM_URL": f"{world}/fcm",
        "APNS_KEY_FILE": str(run_dir.keys / "apns.p8"),
        "APNS_TOPIC": "kr.ansim.app",
        "APNS_HOST": "127.0.0.1",
        "APNS_CA_FILE": str(run_dir.keys / "apns-ca.pem"),
    }


def write(run_dir: RunDir, env: Mapping[str, str]) -> None:
    """Writes the env file as a whole, for its owner only."""
    head = "# Written by ansim.demo.run. The secrets of this demo: `make reset` forgets them together with the data.\n"
    lines = "".join(f"{name}={value}\n" for name, value in sorted(env.items()))
    vendor_keys.write_private(run_dir.env_file, head + lines)
