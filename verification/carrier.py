"""The look-up at the carrier (api.md section 3). The only file that knows the carrier's API.

Whatever is not a clear answer within `CARRIER_TIMEOUT` seconds is "unavailable": we never guess about a line.
"""

import json
import logging
import time
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import timezone

from ansim.lib.calls import Caller
from ansim.lib.circuit import Circuit
from ansim.lib.metrics import outcome
from ansim.lib.problem import Unavailable
from ansim.lib.times import APART
from ansim.lib.transfers import Answer, Broken
from verification import metrics

log = logging.getLogger(__name__)
NOBODY = "+821000000000"
OK, NOT_FOUND = 200, 404
TOLD_FOR = 300  # seconds that what the carrier said of the time is worth something
# Twenty failures in a row: for two seconds nobody waits for the carrier. Short, because each refusal is a customer's.
circuit = Circuit(failures=20, within=10, pause=2)


@dataclass(frozen=True)
class _ToldTime:
    """The `Date` of an answer (RFC 9110, section 6.6.1), and when it came by the clock that nobody sets."""

    date: str
    at: float


_told_time: _ToldTime | None = None


@dataclass(frozen=True)
class Holder:
    name: str
    birthdate: date
    gender: str
    foreigner: bool
    ci: str


@dataclass(frozen=True)
class Handset:
    model: str
    os: str
    os_version: str
    form: str


@dataclass(frozen=True)
class LineFacts:
    """What the carrier says of a line at this moment. `phone` is E.164."""

    phone: str
    contract: str
    carrier: str
    status: str
    owner_type: str
    user_is_owner: bool
    holder: Holder
    plan_type: str
    handset: Handset
    sim_changed_at: str | None
    device_changed_at: str | None
    number_changed_at: str | None
    asked_at: datetime | None = None
    """When we asked: what happened later is not in it. None for facts that nobody had to ask for."""

    @property
    def may_be_verified(self) -> bool:
        """Carrier, plan, age and phone decide about joining only (api.md section 1)."""
        return self.status == "active" and self.owner_type == "individual" and self.user_is_owner


@cache
def _caller() -> Caller:
    token = f"Authorization: Bearer {settings.CARRIER_TOKEN}"
    return Caller(token, "Content-Type: application/json", connect_seconds=1.0)


def look_up(phone: str) -> LineFacts | None:
    """The line behind an E.164 number; None when there is none. Raises `Unavailable` for anything unclear.

    Never kept for later: what the carrier says of a line is good for one decision (invariant 7). Each call leaves one
    line in the log, without the number, and counts in the metrics.
    """
    asked_at, began = timezone.now(), time.monotonic()
    if not circuit.lets_through():
        _note("circuit open", began)
        raise Unavailable("carrier")
    failure = "broke off"  # whatever leaves this block otherwise, the circuit hears of it
    try:
        answer = _asked(phone)
        if answer.status not in (OK, NOT_FOUND):
            failure = f"status {answer.status}"
            raise Unavailable("carrier")
        facts = _read(phone, json.loads(answer.body), asked_at) if answer.status == OK else None
        failure = ""
    except Broken as error:
        failure = error.code
        raise Unavailable("carrier") from error
    except (KeyError, TypeError, ValueError) as error:
        failure = "not the agreed shape"
        raise Unavailable("carrier") from error
    finally:
        circuit.failed() if failure else circuit.succeeded()
        _note(failure, began)
    return facts


def probe() -> str:
    """Asks about a number that nobody has. Why the answer is not the agreed one; empty when it is."""
    try:
        status = _asked(NOBODY).status
    except Broken as error:
        return error.code
    return "" if status in (OK, NOT_FOUND) else f"status {status}"


def clock_ahead() -> float | None:
    """Seconds that the carrier's clock is ahead of this host's, to the second, by the last answer to this process.

    The one clock that we see and do not set: PostgreSQL and Redis may stand on the host that is wrong. None where no
    answer came lately, or none with a time.
    """
    told, since = _told_time, 0.0
    if told is None or (since := time.monotonic() - told.at) > TOLD_FOR:
        return None
    try:
        there = parsedate_to_datetime(told.date).timestamp()
    except ValueError:
        return None
    return there + 0.5 + since - time.time()


def agrees_on_the_time() -> bool:
    """False where its clock and ours are further apart than clocks may be; one that tells no time does not object."""
    ahead = clock_ahead()
    return ahead is None or abs(ahead) < APART.total_seconds()


def _note(failure: str, began: float) -> None:
    seconds = time.monotonic() - began
    metrics.LOOK_UP_SECONDS.labels(outcome(failure)).observe(seconds)
    took = round(seconds * 1000, 1)
    if failure:
        log.error("carrier_look_up_failed", extra={"why": failure, "ms": took, "circuit": circuit.state})
    else:
        log.info("carrier_look_up", extra={"ms": took, "circuit": circuit.state})


def _asked(phone: str) -> Answer:
    question = json.dumps({"phone": phone}).encode()
    answer = _caller().ask(f"{settings.CARRIER_URL}/lines/look-up", question, seconds=settings.CARRIER_TIMEOUT)
    global _told_time
    _told_time = _ToldTime(answer.headers.get("date", ""), time.monotonic())
    return answer


def _read(phone: str, said: Any, asked_at: datetime) -> LineFacts:
    holder, handset = said["holder"], said["handset"]
    return LineFacts(
        phone=phone,
        contract=_text(said["contract"]),
        carrier=_text(said["carrier"]),
        status=_one_of(said["status"], "active", "suspended", "terminated"),
        owner_type=_one_of(said["owner_type"], "individual", "corporate"),
        user_is_owner=_flag(said["user_is_owner"]),
        holder=Holder(
            name=_text(holder["name"]),
            birthdate=date.fromisoformat(holder["birthdate"]),
            gender=_one_of(holder["gender"], "M", "F"),
            foreigner=_flag(holder["foreigner"]),
            ci=_text(holder["ci"]),
        ),
        plan_type=_one_of(said["plan_type"], "postpaid", "prepaid", "m2m", "special"),
        handset=Handset(
            model=_text(handset["model"]),
            os=_one_of(handset["os"], "android", "ios", "windows_mobile", "other"),
            os_version=_text(handset["os_version"]),
            form=_one_of(handset["form"], "phone", "tablet"),
        ),
        sim_changed_at=_instant(said.get("sim_changed_at")),
        device_changed_at=_instant(said.get("device_changed_at")),
        number_changed_at=_instant(said.get("number_changed_at")),
        asked_at=asked_at,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:
        raise ValueError("text expected")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false expected")
    return value


def _one_of(value: Any, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError("an agreed word expected")
    return str(value)


def _instant(value: Any) -> str | None:
    if value is None:
        return None
    if datetime.fromisoformat(_text(value)).tzinfo is None:
        raise ValueError("a time with its zone expected")
    return str(value)
