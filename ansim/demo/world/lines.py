"""The carrier's customers: every line of the world, keyed by contract."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from ansim.demo.world import times
from ansim.demo.world.body import BadInput
from ansim.demo.world.database import Connection, Database
from ansim.lib import phone

Line = dict[str, Any]  # the look-up answer (api.md section 3) plus `phone`
Check = Callable[[str, Any], Any]

# Non-terminated contracts first, then whoever took the number last: a terminated line keeps its number until then.
BY_PHONE = """
SELECT line FROM world.lines WHERE phone = %(phone)s
ORDER BY (line ->> 'status' = 'terminated'), phone_taken DESC LIMIT 1
"""
PUT = """
INSERT INTO world.lines (contract, phone, line) VALUES (%(contract)s, %(phone)s, %(line)s)
ON CONFLICT (contract) DO UPDATE SET line = excluded.line, phone = excluded.phone,
    phone_taken = CASE WHEN lines.phone = excluded.phone THEN lines.phone_taken ELSE excluded.phone_taken END
"""


class Lines:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_phone(self, number: str) -> Line | None:
        """Whose line has this E.164 number now."""
        rows = await self._database.rows(BY_PHONE, {"phone": number})
        return rows[0]["line"] if rows else None

    async def all(self) -> list[Line]:
        return [row["line"] for row in await self._database.rows("SELECT line FROM world.lines ORDER BY seq DESC")]

    async def put(self, given: dict[str, Any]) -> tuple[Line | None, Line]:
        """The line before and after. What is left out stays as it is; a new line gets a sensible person's.

        Refused (BadInput): an unknown member or value; the words name it.
        """
        wanted = _checked("", given, MEMBERS)
        if "contract" not in wanted:
            raise BadInput("contract: is missing")
        return await self._database.run(partial(_put, wanted))


async def _put(wanted: dict[str, Any], connection: Connection) -> tuple[Line | None, Line]:
    contract = wanted["contract"]
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (contract,))
        cursor = await connection.execute("SELECT line FROM world.lines WHERE contract = %s", (contract,))
        row = await cursor.fetchone()
        before = row["line"] if row else None
        after = merged(before or somebody(contract), wanted)
        await connection.execute(PUT, {"contract": contract, "phone": after["phone"], "line": json.dumps(after)})
    return before, after


def somebody(contract: str) -> Line:
    """A grown-up on an ordinary SKT line with an Android phone, who may join. The CI is synthetic, one per contract."""
    long_ago = "2020-01-01T00:00:00Z"
    return {
        "contract": contract,
        "phone": f"+8210{secrets.randbelow(90_000_000) + 10_000_000}",
        "carrier": "SKT",
        "status": "active",
        "owner_type": "individual",
        "user_is_owner": True,
        "holder": {
            "name": "홍길동",
            "birthdate": "1990-01-01",
            "gender": "M",
            "foreigner": False,
            "ci": base64.b64encode(hashlib.sha512(f"synthetic CI of {contract}".encode()).digest()).decode(),
        },
        "plan_type": "postpaid",
        "handset": {"model": "SM-S931N", "os": "android", "os_version": "16", "form": "phone"},
        "sim_changed_at": long_ago,
        "device_changed_at": long_ago,
        "number_changed_at": long_ago,
    }


def merged(before: Line, wanted: dict[str, Any]) -> Line:
    """`holder` and `handset` are merged member by member too."""
    nested: dict[str, Any] = {
        name: {**before[name], **wanted[name]} for name in ("holder", "handset") if name in wanted
    }
    return {**before, **wanted, **nested}


def _checked(where: str, given: dict[str, Any], members: dict[str, Check]) -> dict[str, Any]:
    if unknown := given.keys() - members.keys():
        raise BadInput(f"{where}{min(unknown)}: unknown")
    return {name: members[name](f"{where}{name}", value) for name, value in given.items()}


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise BadInput(f"{field}: a text of 1 to 200 characters")
    return value


def _boolean(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadInput(f"{field}: true or false")
    return value


def _one_of(words: str) -> Check:
    def check(field: str, value: Any) -> Any:
        if value not in words.split():
            raise BadInput(f"{field}: one of {', '.join(words.split())}")
        return value

    return check


def _phone(field: str, value: Any) -> str:
    try:
        return phone.parse(_text(field, value))
    except ValueError as error:
        raise BadInput(f"{field}: {error}") from error


def _date(field: str, value: Any) -> str:
    try:
        return date.fromisoformat(_text(field, value)).isoformat()
    except ValueError as error:
        raise BadInput(f"{field}: a date as 1990-01-31") from error


def _time(field: str, value: Any) -> str:
    try:
        return times.rfc3339(times.parse(_text(field, value)))
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{field}: a time as 2026-11-23T04:00:00Z") from error


def _object(members: dict[str, Check]) -> Check:
    def check(field: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise BadInput(f"{field}: an object")
        return _checked(f"{field}.", value, members)

    return check


HOLDER: dict[str, Check] = {
    "name": _text,
    "birthdate": _date,
    "gender": _one_of("M F"),
    "foreigner": _boolean,
    "ci": _text,
}
HANDSET: dict[str, Check] = {
    "model": _text,
    "os": _one_of("android ios windows_mobile other"),
    "os_version": _text,
    "form": _one_of("phone tablet"),
}
MEMBERS: dict[str, Check] = {
    "contract": _text,
    "phone": _phone,
    "carrier": _one_of("SKT KT LGU SKT_MVNO KT_MVNO LGU_MVNO"),
    "status": _one_of("active suspended terminated"),
    "owner_type": _one_of("individual corporate"),
    "user_is_owner": _boolean,
    "holder": _object(HOLDER),
    "plan_type": _one_of("postpaid prepaid m2m special"),
    "handset": _object(HANDSET),
    "sim_changed_at": _time,
    "device_changed_at": _time,
    "number_changed_at": _time,
}
