"""Pushes and texts against the simulated world, over real sockets, with the production gateways."""

import socket

import pytest


@pytest.fixture
def pushes(world):
    """What providers were asked to deliver to that phone, newest first."""
    return lambda device: world.get("/world/pushes", params={"token": device.push_token}).raise_for_status().json()


@pytest.fixture
def nobody_home():
    """A port of this machine on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]
