"""What arrived, written down before anything else happens to it."""

import json
import uuid
from collections.abc import Callable, Iterable
from typing import Literal

from psycopg import sql

from ansim.demo.world.answer import Answer, play
from ansim.demo.world.body import BadInput
from ansim.demo.world.database import Connection, Database, Row
from ansim.demo.world.faults import Mode

Log = Literal["sms", "mails", "pushes", "webhooks"]


class Arrivals:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def play(self, log: Log, row: Row, *, mode: Mode, answer: Answer, there: Callable[[], bool]) -> Answer | None:
        """Writes the request down, then answers as the mode says. None: cut the connection.

        `there` tells whether the caller still listens: who gave up while we were slow was not answered.
        """
        at_once = mode not in (Mode.SLOW, Mode.DROP)
        arrival = await self._record(log, row, answer.status if at_once else None)
        played = await play(mode, answer)
        if not at_once and played and there():
            await self._answered(log, arrival, played.status)
        return played

    async def newest_first(self, log: Log, column: str, value: str | None) -> list[Row]:
        if value and "\x00" in value:
            raise BadInput(f"{column}: holds U+0000")
        where = sql.SQL("") if value is None else sql.SQL("WHERE {} = %(value)s").format(sql.Identifier(column))
        query = sql.SQL("SELECT * FROM {} {} ORDER BY seq DESC").format(_table(log), where)

        async def work(connection: Connection) -> list[Row]:
            cursor = await connection.execute(query, {"value": value})
            return await cursor.fetchall()

        return await self._database.run(work)

    async def clear(self) -> None:
        await self._database.rows("TRUNCATE world.sms, world.mails, world.pushes, world.webhooks, world.charges")

    async def _record(self, log: Log, row: Row, answered: int | None) -> uuid.UUID:
        arrival = uuid.uuid4()
        values = {**row, "id": arrival, "answered": answered}
        # ON CONFLICT: the insert is repeated when PostgreSQL is lost after its commit.
        insert = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (id) DO NOTHING").format(
            _table(log),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        )

        async def work(connection: Connection) -> None:
            await connection.execute(insert, values)

        await self._database.run(work)
        return arrival

    async def _answered(self, log: Log, arrival: uuid.UUID, status: int) -> None:
        update = sql.SQL("UPDATE {} SET answered = %s WHERE id = %s").format(_table(log))

        async def work(connection: Connection) -> None:
            await connection.execute(update, (status, arrival))

        await self._database.run(work)


def headers_text(headers: Iterable[tuple[str, str]]) -> str:
    """Headers as stored: names in lower case; of a credential only its scheme, for the log is there to be read."""
    shown = {name.lower(): value for name, value in headers}
    if "authorization" in shown:
        shown["authorization"] = shown["authorization"].split(" ", 1)[0] + " …"
    return json.dumps(shown).replace("\\u0000", "\\ufffd")


def _table(log: Log) -> sql.Identifier:
    return sql.Identifier("world", log)
