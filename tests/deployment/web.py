"""One web process of the product with settings that differ, as after a restore or in the middle of a rotation."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.deployment.cluster import free_port
from tests.deployment.servers import ROOT


class Web:
    """Starts when it is entered; `address` answers then."""

    def __init__(self, folder: Path, handles: dict, **env: str) -> None:
        self._log, self._port = folder / "web.log", free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._env = {**handles["env"], "PATH": os.environ["PATH"], "RUN_DIR": str(folder), **env}
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Web":
        options = ["--bind", f"127.0.0.1:{self._port}", "--workers", "1", "--threads", "4", "--no-control-socket"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "ansim.wsgi", *options], cwd=ROOT, env=self._env, stdout=log,
                stderr=log,
            )  # fmt: skip
        ends = time.monotonic() + 40
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200:
                    return self
            assert time.monotonic() < ends, self._log.read_text()[-2000:]
            assert self.process.poll() is None, self._log.read_text()[-2000:]
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        assert self.process
        self.process.terminate()
        self.process.wait(timeout=30)
