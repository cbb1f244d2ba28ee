"""The world's memory: schema `world` in the same PostgreSQL, made by the world itself: it is no part of the product."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ansim.demo.world.surroundings import Unfit

Row = dict[str, Any]
Connection = AsyncConnection[Row]
Result = TypeVar("Result")

APPLICATION = "world"  # what PostgreSQL calls our connections: a benchmark tells them from the product's
START_PATIENCE = 30.0  # seconds for PostgreSQL to come up beside us
RESTART_PATIENCE = 10.0  # seconds a request waits while PostgreSQL is restarted under us

# `seq` orders what arrived; `answered` is the HTTP status sent back, null when the connection was cut.
SCHEMA = """
CREATE SCHEMA IF NOT EXISTS world;
CREATE TABLE IF NOT EXISTS world.sms (
    seq bigint GENERATED ALWAYS AS IDENTITY, id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    "to" text, "from" text, text text, answered integer);
CREATE INDEX IF NOT EXISTS sms_to ON world.sms ("to", seq);
CREATE TABLE IF NOT EXISTS world.mails (
    seq bigint GENERATED ALWAYS AS IDENTITY, id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    "to" text, "from" text, subject text, text text, answered integer);
CREATE INDEX IF NOT EXISTS mails_to ON world.mails ("to", seq);
CREATE TABLE IF NOT EXISTS world.pushes (
    seq bigint GENERATED ALWAYS AS IDENTITY, id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    provider text NOT NULL, token text, headers text NOT NULL, body text NOT NULL, answered integer);
CREATE INDEX IF NOT EXISTS pushes_token ON world.pushes (token, seq);
CREATE TABLE IF NOT EXISTS world.webhooks (
    seq bigint GENERATED ALWAYS AS IDENTITY, id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    partner text NOT NULL, headers text NOT NULL, body text NOT NULL, answered integer);
CREATE INDEX IF NOT EXISTS webhooks_partner ON world.webhooks (partner, seq);
CREATE TABLE IF NOT EXISTS world.charges (
    seq bigint GENERATED ALWAYS AS IDENTITY, id text PRIMARY KEY, month text NOT NULL, contract text NOT NULL,
    amount bigint NOT NULL, days integer NOT NULL, adjusts text, posts integer NOT NULL, accepted boolean NOT NULL);
CREATE SEQUENCE IF NOT EXISTS world.phone_taken;
CREATE TABLE IF NOT EXISTS world.lines (
    seq bigint GENERATED ALWAYS AS IDENTITY, contract text PRIMARY KEY, phone text NOT NULL,
    phone_taken bigint NOT NULL DEFAULT nextval('world.phone_taken'), line json NOT NULL);
CREATE INDEX IF NOT EXISTS lines_phone ON world.lines (phone);
"""


class Database:
    """Every piece of work is run whole, again and again while PostgreSQL is away: it must be safe to repeat."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> Self:
        pool = AsyncConnectionPool[Connection](
            url,
            connection_class=AsyncConnection[Row],
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "connect_timeout": 5,
                "application_name": APPLICATION,
            },
            min_size=1,
            max_size=8,
            timeout=RESTART_PATIENCE,
            open=False,
        )
        await pool.open()
        database = cls(pool)
        try:
            await database.run(_create, patience=START_PATIENCE)
        except (OperationalError, PoolTimeout) as error:
            await pool.close()
            raise Unfit(f"no PostgreSQL at DATABASE_URL for {START_PATIENCE:.0f} s: {error}") from error
        return database

    async def close(self) -> None:
        await self._pool.close()

    async def run(
        self, work: Callable[[Connection], Awaitable[Result]], *, patience: float = RESTART_PATIENCE
    ) -> Result:
        """Runs the work on one connection (autocommit); repeats it on a lost one until patience (seconds) ends."""
        give_up_at = time.monotonic() + patience
        while True:
            try:
                async with self._pool.connection() as connection:
                    return await work(connection)
            except (OperationalError, PoolTimeout):
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(0.2)

    async def rows(self, sql: str, values: dict[str, Any] | None = None) -> list[Row]:
        async def work(connection: Connection) -> list[Row]:
            cursor = await connection.execute(sql.encode(), values)
            return await cursor.fetchall() if cursor.description else []

        return await self.run(work)


async def _create(connection: Connection) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('world'))")  # IF NOT EXISTS alone races
        await connection.execute(SCHEMA)
