"""PostgreSQL and the Redis-protocol server: the person's own where addresses are given, else ours."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from ansim.demo.stack import database, postgres, redis_server
from ansim.demo.stack.console import CannotRun, Console
from ansim.demo.stack.environment import RunDir
from ansim.demo.stack.postgres import Postgres
from ansim.demo.stack.redis_server import RedisServer
from ansim.demo.stack.supervisor import Child, Supervisor

NAMES = ("redis", "postgres")


@dataclass(frozen=True)
class Addresses:
    """Where the data are: for who migrates, for the system, and for programs that only read."""

    owner_url: str
    database_url: str
    reader_url: str
    redis_url: str


def start(run_dir: RunDir, env: dict[str, str], *, supervisor: Supervisor, console: Console) -> Addresses:
    """Starts what is ours of the two servers, waits for both, makes the database and its reader."""
    redis_url = os.environ.get("REDIS_URL") or _start_redis(run_dir, env, supervisor)
    owner_url = os.environ.get("DATABASE_URL")
    if owner_url:
        admin_url = owner_url
        postgres.await_answer(owner_url, seconds=10)
        console.step("DATABASE_URL의 PostgreSQL", "the PostgreSQL of DATABASE_URL")
    else:
        admin_url = _start_postgres(run_dir, env, supervisor, console)
        owner_url = database.create(admin_url, owner_password=env["OWNER_PASSWORD"])
    reader_url = database.open_for_reading(owner_url, admin_url=admin_url, reader_password=env["READER_PASSWORD"])
    database_url = database.open_for_application(owner_url, admin_url=admin_url, password=env["APPLICATION_PASSWORD"])
    _await_redis(redis_url, supervisor)
    console.step("Redis 프로토콜 서버 준비", "the Redis-protocol server answers")
    return Addresses(owner_url, database_url, reader_url, redis_url)


def _start_postgres(run_dir: RunDir, env: dict[str, str], supervisor: Supervisor, console: Console) -> str:
    server = Postgres(run_dir.path, port=int(env["POSTGRES_PORT"]), password=env["POSTGRES_PASSWORD"])
    if server.prepare():
        console.step("PostgreSQL 데이터 폴더 생성", "PostgreSQL's data folder is made")
    supervisor.start(
        Child(
            "postgres",
            server.command(),
            env=postgres.program_environment(),
            log=run_dir.log / "postgres.log",
            answers=server.answers,
            user=server.user,
            stop_with=postgres.STOP,
            last_word=postgres.STOP,
            tries=8,  # after a kill -9 it refuses for some seconds: "shared memory block still in use"
        )
    )
    supervisor.await_ready("postgres", seconds=60)
    console.step("PostgreSQL 준비", "PostgreSQL answers")
    return server.admin_url


def _start_redis(run_dir: RunDir, env: dict[str, str], supervisor: Supervisor) -> str:
    server = RedisServer(run_dir.path / "redis", port=int(env["REDIS_PORT"]), password=env["REDIS_PASSWORD"])
    server.prepare()
    supervisor.start(
        Child(
            "redis",
            server.command(),
            env={"PATH": os.environ.get("PATH", os.defpath)},
            log=run_dir.log / "redis.log",
            answers=server.answers,
            cwd=Path("/"),
            stop_with=redis_server.STOP,
            last_word=redis_server.STOP,
        )
    )
    return server.url


def _await_redis(url: str, supervisor: Supervisor) -> None:
    supervisor.await_ready("redis", seconds=30)
    deadline = time.monotonic() + 10
    while not redis_server.answers(url):
        if time.monotonic() > deadline:
            raise CannotRun("REDIS_URL의 서버가 대답하지 않습니다.", "The server of REDIS_URL does not answer.")
        time.sleep(0.3)
