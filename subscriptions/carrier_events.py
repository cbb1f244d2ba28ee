"""What the carrier reports, and what it does (mission.md S6, S8, invariants 7 and 9; api.md section 3).

An event is a fact: it is kept once, and `lifecycle` concludes from all facts together what stands, so that no order of
arrival matters. What it does to what is open at this moment, and who is told, happens once, when it is taken.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from pushes import delivery
from subscriptions import lifecycle, sms
from subscriptions.models import CarrierEvent, Subscription
from verification import protection, registration
from verification.models import Line

Type, Standing = CarrierEvent.Type, CarrierEvent.Standing
# After these the number is nobody's, or somebody else's: no word about the former owner's service goes there.
NO_LONGER_THEIRS = (Type.TERMINATED, Type.OWNER_CHANGED, Type.NOT_INDIVIDUAL, Type.NOT_OWN_NAME)
BATCH = 500


@dataclass(frozen=True)
class Report:
    """One event as it was told. `type` as `CarrierEvent.type` has it; `data` was checked where the type is known."""

    source: str
    event_id: str
    type: str
    contract: str
    time: datetime
    data: dict[str, Any] | None = None


def take(report: Report) -> bool:
    """Keep it and let it work, in one transaction. False for a repeat (same source and id): nothing happens then.

    A contract or a type that we do not know leaves it stuck, for the desk to see.
    """
    with transaction.atomic():
        line = _line(report.contract)
        known = line is not None and report.type in Type.values
        row = CarrierEvent(
            source=report.source, event_id=report.event_id, type=report.type, contract=report.contract,
            contract_fingerprint=fingerprint.of("contract", report.contract), time=report.time, data=report.data,
            standing=Standing.WITHOUT_EFFECT if known else Standing.STUCK,
        )  # fmt: skip
        if not _keep(row):
            return False
        if line is not None and known:
            _work(row, line)
        return True


def is_repeat(source: str, event_id: str) -> bool:
    return CarrierEvent.objects.filter(source=source, event_id=event_id).exists()


def take_up() -> int:
    """What came before its contract was known to us, and is known by now (the clock calls): how many.

    Joining concludes from them as well; this is for an event and a joining that were written at the same instant.
    """
    lines = Line.objects.filter(contract_fingerprint=OuterRef("contract_fingerprint"))
    waiting = CarrierEvent.objects.filter(Exists(lines), standing=Standing.STUCK, type__in=Type.values)
    chosen = list(waiting.order_by("received_at")[:BATCH])
    for row in chosen:
        with transaction.atomic():
            line = _line(row.contract)
            stuck = CarrierEvent.objects.filter(pk=row.pk, standing=Standing.STUCK)
            if line is not None and stuck.update(standing=Standing.WITHOUT_EFFECT):
                _work(row, line)
    return len(chosen)


def answer(event_id: uuid.UUID) -> None:
    """Somebody at the desk looked at a stuck one. Refused: `wrong_state` where it is not stuck."""
    stuck = CarrierEvent.objects.filter(pk=event_id, standing=Standing.STUCK)
    if not stuck.update(standing=Standing.ANSWERED):
        raise Refused("wrong_state")


def _line(contract: str) -> Line | None:
    try:
        return protection.hold(contract)
    except Refused:
        return None


def _keep(row: CarrierEvent) -> bool:
    """The unique constraint decides between two deliveries at the same instant."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") != "carrierevent_once":
            raise
        return False
    return True


def _work(row: CarrierEvent, line: Line) -> None:
    """The line is held. What concerns only the time before the present customer joined changes nothing."""
    member = line.subscriptions.filter(state=Subscription.State.ACTIVE).first()
    concerns = member is None or lifecycle.as_event(row).follows(member.joined_at)
    before = (line.protection, line.device_id, line.sim_changed_at, line.number_changed_at)
    had_app = line.device_id is not None
    if concerns and row.type != Type.RESUMED:
        protection.disturb(line, began_before=row.received_at)
    lifecycle.conclude(line)
    after = (line.protection, line.device_id, line.sim_changed_at, line.number_changed_at)
    if member and concerns and after != before:
        _tell(line, _news(row, before[0], line), row, had_app=had_app)


def _news(row: CarrierEvent, former: str, line: Line) -> str:
    """The one thing that the customer should know, as a notice is called."""
    if line.protection != former:
        return {"off": "cancelled", "paused": "suspended", "on": "resumed"}[line.protection]
    return row.type


def _tell(line: Line, news: str, row: CarrierEvent, *, had_app: bool) -> None:
    """By the app where it is, and by e-mail. By SMS in words where it never was, or stayed behind on another phone.

    What took the app away told that phone itself, and the mail (`protection`).
    """
    if line.device or not (had_app or news == "cancelled"):
        registration.tell(line, news)
    if line.device is None and (not had_app or row.type == Type.DEVICE_CHANGED) and row.type not in NO_LONGER_THEIRS:
        text = delivery.text(
            line.phone, sms.TEXTS[news], verification=None, until=timezone.now() + delivery.NOTICE_LIFE
        )
        text.save(force_insert=True)
        delivery.ring(text)
