"""Finds an nginx for the tests of `deploy/nginx/`, or fetches one; and runs it with a folder of its own.

In this order: $NGINX; the PATH and /usr/sbin; the one fetched earlier into `.boot/nginx`; Debian's package, unpacked
there and not installed (an installed one would start a server on port 80; unpacking needs no root).

`python -m tests.deployment.nginx`, before the tests: several systems would else fetch it into one folder at once.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
FETCHED = ROOT / ".boot" / "nginx"
MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    types {{ text/css css; text/javascript js; font/woff2 woff2; }}
    # What the nginx.conf of Debian 12, of Debian 13 and of the official image say on this level: ours goes beside it.
    sendfile on; tcp_nopush on; types_hash_max_size 2048; server_tokens off; keepalive_timeout 65; gzip on;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on; access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include ansim.conf;
}}
"""


class NoNginx(Exception):
    """There is none and none could be fetched; says what to do."""


def program() -> str:
    """An nginx that starts. Raises NoNginx."""
    beside = FETCHED / "usr" / "sbin" / "nginx"
    for found in (os.environ.get("NGINX"), shutil.which("nginx"), "/usr/sbin/nginx", str(beside)):
        if found and _starts(found):
            return found
    _unpack()
    if _starts(str(beside)):
        return str(beside)
    raise NoNginx("No nginx for the tests of deploy/nginx: sudo apt-get install nginx-light (or set NGINX=<path>)")


def _starts(found: str) -> bool:
    try:
        return subprocess.run([found, "-v"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _unpack() -> None:
    """Debian's mirror as configured, with lists of our own where there are none: this needs no root."""
    if not shutil.which("apt-get"):
        return
    shutil.rmtree(FETCHED, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial"):
        (FETCHED / folder).mkdir(parents=True)
    ours = ["-o", f"Dir::State::lists={FETCHED}/lists", "-o", f"Dir::Cache={FETCHED}"]
    for command in (["download", "nginx"], [*ours, "update"], [*ours, "download", "nginx"]):
        if not list(FETCHED.glob("*.deb")):
            subprocess.run(["apt-get", "-qq", *command], cwd=FETCHED, capture_output=True, check=False)
    for package in FETCHED.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(FETCHED)], check=True)


class Nginx:
    """nginx with the shipped configuration in `folder`; `here` are the files that differ from host to host."""

    def __init__(self, folder: Path, here: dict[str, str]) -> None:
        self.folder = folder
        user = "user root;" if os.geteuid() == 0 else ""
        shutil.copytree(ROOT / "deploy" / "nginx" / "here", folder / "here")
        shutil.copy(ROOT / "deploy" / "nginx" / "ansim.conf", folder)
        for name, text in here.items():
            (folder / "here" / name).write_text(text)
        (folder / "nginx.conf").write_text(MAIN.format(user=user, folder=folder))
        self._command = [program(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        subprocess.run([*self._command, "-t"], check=True, capture_output=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def reload(self) -> None:
        """As `systemctl reload nginx` does."""
        assert self.process
        self.process.send_signal(signal.SIGHUP)

    def workers(self) -> set[int]:
        """Those that take connections; of two generations side by side while it reloads."""
        assert self.process
        found = set()
        for worker in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if "shutting down" not in " ".join(worker.cmdline()):
                    found.add(worker.pid)
        return found

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=10)


if __name__ == "__main__":
    try:
        at = program()
    except NoNginx as none:
        sys.exit(str(none))
    version = subprocess.run([at, "-v"], capture_output=True, text=True, check=True).stderr.strip()
    print(f"  {version}: {at}")
