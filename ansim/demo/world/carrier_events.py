"""What the carrier tells us when a line changes: CloudEvents 1.0, signed as Standard Webhooks (api.md section 3)."""

import json
import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from standardwebhooks.webhooks import Webhook

from ansim.demo.world import times
from ansim.demo.world.lines import Line
from ansim.demo.world.surroundings import Surroundings

SOURCE = "/carrier/simulated"
PREFIX = "kr.ansim.line."
TIMEOUT = ClientTimeout(total=10)
STATUSES = {"suspended": "suspended", "active": "resumed", "terminated": "terminated"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    type: str
    data: dict[str, Any]
    time: str


def changes(before: Line, after: Line, now: datetime) -> list[Event]:
    """The events that tell of the difference. A time that came with the change is when it happened, else it is now."""
    at = times.rfc3339(now)

    def changed(name: str) -> bool:
        return bool(before[name] != after[name])

    def since(name: str) -> str:
        return str(after[name]) if changed(name) else at

    events = []
    if changed("status"):
        events.append(Event(STATUSES[after["status"]], {}, at))
    if changed("carrier") and before["carrier"] == "SKT":
        events.append(Event("ported_out", {"to": after["carrier"]}, at))
    if before["holder"]["ci"] != after["holder"]["ci"]:
        events.append(Event("owner_changed", {}, at))
    if changed("phone"):
        events.append(Event("number_changed", {"phone": after["phone"]}, since("number_changed_at")))
    if changed("handset"):
        events.append(Event("device_changed", {"handset": after["handset"]}, since("device_changed_at")))
    if changed("plan_type"):
        events.append(Event("plan_changed", {"plan_type": after["plan_type"]}, at))
    if changed("sim_changed_at"):
        events.append(Event("sim_changed", {}, after["sim_changed_at"]))
    return events


async def send(
    session: ClientSession, surroundings: Surroundings, contract: str, events: list[Event]
) -> list[dict[str, Any]]:
    """One after the other. `status` is the HTTP status we were answered, null where nobody answered: no retry."""
    return [
        {"type": PREFIX + event.type, "status": await _post(session, surroundings, contract, event)} for event in events
    ]


async def _post(session: ClientSession, surroundings: Surroundings, contract: str, event: Event) -> int | None:
    now, event_id = datetime.now(UTC), str(uuid.uuid4())
    body = json.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": SOURCE,
            "type": PREFIX + event.type,
            "subject": contract,
            "time": event.time,
            "datacontenttype": "application/json",
            "data": event.data,
        }
    )
    headers = {
        "Content-Type": "application/cloudevents+json",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(surroundings.carrier_events_secret).sign(event_id, now, body),
    }
    url = f"{surroundings.base_url}/carrier/v1/events"
    try:
        async with session.post(url, data=body.encode(), headers=headers, timeout=TIMEOUT) as response:
            return response.status
    except (ClientError, TimeoutError) as error:
        log.warning("The event %s was not delivered: %r", event.type, error)
        return None
