"""Ports of this machine's loopback."""

import random
import socket
import time

from ansim.demo.stack.console import CannotRun

# Below the range from which Linux takes the ports of outgoing connections: a restarted server finds its port free.
OURS = range(20_000, 32_000)
PATIENCE = 3.0  # seconds


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now; ports that merely wait in TIME_WAIT are free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def kept_or_free(kept: str | None, *, taken: set[int]) -> int:
    """The port of the last run if it is still free, else another free one; never one of `taken`, to which it is added.

    What a killed run left behind is given a moment to go: it may still be writing its data down.
    """
    wanted = [int(kept)] if kept else []
    deadline = time.monotonic() + PATIENCE
    while kept and not is_free(int(kept)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for port in (*wanted, *random.sample(OURS, 200)):
        if port not in taken and is_free(port):
            taken.add(port)
            return port
    raise CannotRun("빈 포트를 찾지 못했습니다.", "No free port was found between 20000 and 32000.")


def demand(name: str, port: int) -> None:
    """Refuses (exit 2) when the port is busy; waits for what a killed run left behind."""
    deadline = time.monotonic() + PATIENCE
    while not is_free(port):
        if time.monotonic() > deadline:
            raise CannotRun(
                f"{port}번 포트를 다른 프로그램이 쓰고 있습니다. 다른 포트를 고르세요: make run {name}={port + 10}",
                f"Port {port} is in use by another program. Choose another one: make run {name}={port + 10}",
                status=2,
            )
        time.sleep(0.2)
