"""What every test may use. The world is the real simulated one, over a real socket (`tests.system` starts it)."""

import os
from pathlib import Path

import httpx
import pytest
from django.db import connection

from tests.browser.chromium import playwright_launch
from tests.logs import Watch


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """The Chromium that `make test` found or installed."""
    return {**browser_type_launch_args, **playwright_launch()}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Between tests every table is emptied, also the record of access: in the tests' own database alone it may be."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ansim_accessrecord DISABLE TRIGGER accessrecord_no_truncate")


@pytest.fixture(scope="session", autouse=True)
def nobody_is_in_the_logs():
    """After the last test: what web, worker, clock, servers and launcher logged during all of them tells of nobody."""
    watch = Watch(Path(os.environ["RUN_DIR"]))
    yield
    assert watch.leaks() == []


@pytest.fixture
def world(world_url):
    """The world's doors for programs, without faults; left so too. Logs are kept: look for your own numbers."""
    with httpx.Client(base_url=world_url, timeout=10) as client:
        yield client
        for target in ("fcm", "apns", "sms", "carrier", "webhook"):
            client.post("/world/faults", json={"target": target, "mode": "ok"}).raise_for_status()


@pytest.fixture
def at_the_desk(settings, tmp_path):
    """A checkpoint of their own, and passwords of staff hashed fast: how slowly is not what is tested."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AUDIT_CHECKPOINT = tmp_path / "audit-checkpoint"


@pytest.fixture
def fail(world):
    """fail("sms", "error", 1): the next call fails so."""

    def order(target, mode, count=None):
        body = {"target": target, "mode": mode} | ({"count": count} if count else {})
        world.post("/world/faults", json=body).raise_for_status()

    return order


@pytest.fixture
def texts(world):
    """The SMS that reached the gateway for that number, newest first."""
    return lambda phone: world.get("/world/sms", params={"to": phone}).raise_for_status().json()
