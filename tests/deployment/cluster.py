"""Two web processes on two addresses, two workers, one clock, behind nginx as `deploy/` has it.

They use the running copy's PostgreSQL and its simulated world, and two Redis databases of their own; the copy's own
worker and clock are frozen meanwhile, so that what is done is done by these.
"""

import contextlib
import datetime
import ipaddress
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.deployment.nginx import ROOT, Nginx

ADDRESSES = ("127.0.0.1", "127.0.0.2")
QUEUES = "push,sms,webhook,clock"


class Cluster:
    """`web`, `workers`, `clock`: each process with its own log; `https`: where the world outside comes in."""

    def __init__(self, folder: Path, handles: dict) -> None:
        self.folder, self._handles = folder, handles
        self.port, self.plain_port = free_port(), free_port()
        self.https = f"https://127.0.0.1:{self.port}"
        self.new_certificate()
        self.binds = [f"{address}:{free_port(address)}" for address in ADDRESSES]
        redis = handles["env"]["REDIS_URL"].rpartition("/")[0]
        self.env = {
            **handles["env"],
            "PATH": os.environ["PATH"],
            "RUN_DIR": str(folder),  # no env file there: everything comes from the environment
            "BASE_URL": self.https,
            "REDIS_URL": f"{redis}/2",
            "BROKER_URL": f"{redis}/4",  # bells and limits on two servers, as docs/scaling.md has it
            "TRUSTED_PROXIES": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
        }
        self.processes: dict[str, subprocess.Popen] = {}
        self.nginx = Nginx(folder, self._here())

    def start(self) -> None:
        self.freeze(signal.SIGSTOP)
        for number in (0, 1):
            self.web(number)
            self._start(f"worker{number}", "celery", "-A", "ansim", "worker", "-n", f"two-{number}@test", "-Q", QUEUES,
                        "-P", "threads", "-c", "4", "-l", "info", "--without-gossip", "--without-mingle")  # fmt: skip
        self._start("clock", "celery", "-A", "ansim", "beat", "-s", str(self.folder / "schedule"), "-l", "warning")
        self.nginx.start()
        self._await()

    def web(self, number: int) -> None:
        options = ["-c", "deploy/gunicorn.conf.py", "--workers", "1", "--bind", self.binds[number]]
        self._start(f"web{number}", "gunicorn", *options, "ansim.wsgi")

    def stop(self) -> None:
        self.nginx.stop()
        for name in list(self.processes):
            self.kill(name)
        self.freeze(signal.SIGCONT)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """The process and its children, which are in one group; gone when this returns.

        A child that dies a moment after its master still takes a connection, and loses it: such a request is,
        rightly, not sent a second time.
        """
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
        ends = time.monotonic() + 15
        while _lives(process.pid):
            assert time.monotonic() < ends, f"{name} does not die"
            time.sleep(0.01)

    def freeze(self, how: signal.Signals) -> None:
        """The running copy's own worker and clock."""
        for program in ("worker", "clock"):
            for pid in self._handles["pids"][program]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)

    def new_certificate(self) -> None:
        """In nginx' files; it counts from nginx' next start or reload."""
        self.trust = ssl.create_default_context(cafile=str(_certificate(self.folder)))

    def http(self) -> httpx.Client:
        """Somebody outside, with a new connection for each request."""
        return httpx.Client(
            base_url=self.https, verify=self.trust, timeout=15, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )

    def _await(self) -> None:
        ends = time.monotonic() + 60
        waiting = [f"http://{bind}/readyz" for bind in self.binds]
        while waiting:
            assert time.monotonic() < ends, self.log("web0")[-2000:]
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(waiting[0], headers={"Host": "127.0.0.1"}, timeout=5).status_code == 200:
                    waiting.pop(0)
                    continue
            time.sleep(0.1)
        while not all("ready." in self.log(f"worker{number}") for number in (0, 1)):
            assert time.monotonic() < ends, self.log("worker0")[-2000:]
            time.sleep(0.1)

    def _here(self) -> dict[str, str]:
        servers = "".join(f"server {bind} max_fails=0;" for bind in self.binds)
        keys = f"ssl_certificate {self.folder}/cert.pem; ssl_certificate_key {self.folder}/key.pem;"
        return {
            "upstreams.conf": f"upstream ansim_web {{ {servers} }} upstream ansim_site {{ {servers} }}",
            "listen.conf": f"listen 127.0.0.1:{self.port} ssl http2; server_name 127.0.0.1; {keys}",
            "listen_plain.conf": f"listen 127.0.0.1:{self.plain_port}; server_name 127.0.0.1;",
            "listen_others.conf": (
                f"listen 127.0.0.1:{self.port} ssl http2 default_server; "
                f"listen 127.0.0.1:{self.plain_port} default_server; {keys}"
            ),
            "static.conf": f"alias {self.folder}/static/;",
            "log.conf": f"error_log {self.folder}/nginx-errors.log crit;",
        }


def _lives(group: int) -> bool:
    """Whether a process of this group still runs; one that only waits to be buried holds no connection any more."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as free:
        free.bind((address, 0))
        return free.getsockname()[1]


def _certificate(folder: Path) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"the test's {secrets.token_hex(4)}")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "cert.pem"
