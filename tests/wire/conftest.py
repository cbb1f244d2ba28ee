"""Wire tests: the vendors' own clients, over real sockets, against the simulated world."""

import httpx
import pytest


@pytest.fixture
def world(world_url):
    """The world's doors for programs, with empty logs and no fault; left so too."""
    with httpx.Client(base_url=world_url, timeout=10) as client:
        client.post("/world/reset").raise_for_status()
        yield client
        client.post("/world/reset").raise_for_status()


@pytest.fixture
def fail(world):
    """fail("sms", "error", 1): the next call fails so."""

    def order(target, mode, count=None):
        body = {"target": target, "mode": mode} | ({"count": count} if count else {})
        world.post("/world/faults", json=body).raise_for_status()

    return order
