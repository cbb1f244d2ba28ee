"""Wire tests: the vendors' own clients, over real sockets, against a simulated world of their own.

The running system's world hears its worker too, whose late webhooks would take the faults ordered here. So this world
stands beside it: the same keys, ports and a database of its own.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from signal import SIGTERM
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import pytest
from django.conf import settings

from ansim.demo.stack import environment, leash, ports

DATABASE = "ansim_wire"
STARTUP = 30.0  # seconds


@pytest.fixture(scope="package")
def world_url():
    """Where the world of the wire tests answers."""
    with tempfile.TemporaryDirectory(prefix="ansim-wire-") as folder, pytest.MonkeyPatch.context() as patched:
        taken: set[int] = set()
        world, apple, mail = (ports.kept_or_free(None, taken=taken) for _ in range(3))
        url = f"http://127.0.0.1:{world}"
        account = Path(folder) / "google.json"
        account.write_text(
            json.dumps(json.loads(Path(settings.FCM_CREDENTIALS).read_text()) | {"token_uri": f"{url}/google/token"})
        )
        here = {
            "WORLD_URL": url, "FCM_URL": f"{url}/fcm", "SMS_URL": f"{url}/sms-gateway", "CARRIER_URL": f"{url}/carrier",
            "FCM_CREDENTIALS": str(account),
        }  # fmt: skip
        for name, value in {**here, "APNS_PORT": apple, "EMAIL_PORT": mail}.items():
            patched.setattr(settings, name, value)
        more = {"WORLD_PORT": str(world), "APNS_PORT": str(apple), "SMTP_PORT": str(mail)}
        env = {**os.environ, **here, **more, "DATABASE_URL": _database_of_its_own()}
        log = Path(folder) / "world.log"
        command = [sys.executable, "-m", "ansim.demo.world"]
        process = leash.start(command, env=env, log=log, cwd=environment.ROOT, last_word=SIGTERM)
        try:
            _await(url, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=10)


def _database_of_its_own():
    owner = os.environ["DATABASE_URL"]
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    return urlunsplit(urlsplit(owner)._replace(path=f"/{DATABASE}"))


def _await(url, log):
    deadline = time.monotonic() + STARTUP
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/livez").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the world does not answer:\n{log.read_text()}")


@pytest.fixture
def world(world_url):
    """The world's doors for programs, with empty logs and no fault; left so too."""
    with httpx.Client(base_url=world_url, timeout=10) as client:
        client.post("/world/reset").raise_for_status()
        yield client
        client.post("/world/reset").raise_for_status()
