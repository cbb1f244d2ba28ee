import json
import uuid
from pathlib import Path

import pytest

from tests.client.fixtures import bookshop, town, world
from tests.client.raw import exchange

__all__ = ["bookshop", "town", "world"]


@pytest.fixture(scope="module")
def logged(town):
    """logged(): what the web program wrote since this module began."""
    log = next(Path(log) for log in town.handles()["logs"] if Path(log).name == "web.log")
    before = log.stat().st_size

    def since():
        with log.open("rb") as file:
            file.seek(before)
            return file.read().decode(errors="replace")

    return since


@pytest.fixture(scope="module", autouse=True)
def _nothing_broke(logged):
    """Whatever a test of this module sends: the web program's log tells of no breakdown."""
    yield
    signs = ('"status": 5', '"unforeseen"', "Error handling request")
    assert [
        line for line in logged().splitlines() if line.startswith("Traceback") or any(sign in line for sign in signs)
    ] == []


@pytest.fixture(scope="session")
def call(town, bookshop):
    """call("POST", "/partner/v1/…", body): as the bookshop, byte for byte. A dict goes as JSON; None drops a header."""

    def send(method, target, body=b"", **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {bookshop.entry['key']}", "Idempotency-Key": uuid.uuid4().hex}
        given |= {"Content-Type": "application/json"} if raw else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return exchange(
            town.base_url,
            method,
            target,
            body=raw,
            headers={name: value for name, value in given.items() if value is not None},
        )

    return send


@pytest.fixture(scope="session")
def create(call):
    """create(body): POST a verification."""
    return lambda body, **headers: call("POST", "/partner/v1/verifications", body, **headers)


@pytest.fixture(scope="session")
def mina(town):
    """A member with the app."""
    return town.member()


@pytest.fixture(scope="session")
def signed(town, mina):
    """signed("PUT", "/app/v1/…", body, phone=…): with that phone's proof (Mina's), byte for byte."""

    def send(method, target, body=b"", *, phone=mina, origin="127.0.0.1", kid=None, headers=None, **claims):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Authorization": phone.proof(method, target, raw, kid=kid, **claims)}
        given |= {"Content-Type": "application/json"} if raw else {}
        given |= headers or {}
        given = {name: value for name, value in given.items() if value is not None}
        return exchange(town.base_url, method, target, body=raw, headers=given, origin=origin)

    return send
