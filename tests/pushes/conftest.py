"""Pushes and texts against the simulated world, over real sockets, with the production gateways."""

import socket

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


@pytest.fixture
def pushes(world):
    """What providers were asked to deliver to that phone, newest first."""
    return lambda device: world.get("/world/pushes", params={"token": device.push_token}).raise_for_status().json()


@pytest.fixture
def texts(world):
    """The SMS that reached the gateway for that number, newest first."""
    return lambda phone: world.get("/world/sms", params={"to": phone}).raise_for_status().json()


@pytest.fixture
def nobody_home():
    """A port of this machine on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]
