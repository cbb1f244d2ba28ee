"""Holding a line: the first thing every story does that starts, moves or ends a verification (docs/adr/0003)."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.sealed import seal
from verification.carrier import LineFacts

if TYPE_CHECKING:
    from verification.models import Line

# One statement that makes the line's row or takes the one there is, locks it, and reads what is open on it. A part of
# RETURNING reads the snapshot from before the lock was had: `newest_serial` tells whether somebody was in between, a
# phone that has no platform yet that it was registered meanwhile.
_STANDING = """
    (SELECT max(v.line_serial) FROM verification_verification v WHERE v.line_id = line.id) AS newest_serial,
    (SELECT coalesce(json_agg(json_build_object('id', v.id, 'partner', v.partner_id)), '[]')
       FROM verification_verification v
      WHERE v.line_id = line.id AND v.ended_at IS NULL) AS open,
    (SELECT json_build_array(count(*) FILTER (WHERE v.created_at > %(ten_minutes_ago)s), count(*))
       FROM verification_verification v
      WHERE v.line_id = line.id AND v.created_at > %(day_ago)s AND v.reason IS DISTINCT FROM 'line_blocked') AS recent,
    (SELECT d.platform FROM pushes_device d WHERE d.id = line.device_id) AS platform
"""
_TAKE = f"""
    INSERT INTO verification_line AS line
           (id, contract, contract_fingerprint, phone, phone_fingerprint, serial, protection, password,
            wrong_passwords, wrong_numbers_at)
    VALUES (%(id)s, %(contract)s, %(contract_fingerprint)s, %(phone)s, %(phone_fingerprint)s, 1, 'off', '', 0, '{{}}')
    ON CONFLICT (contract_fingerprint) DO UPDATE SET serial = line.serial + 1
    RETURNING line.*, {_STANDING}
"""  # noqa: S608 - constants only
_AGAIN = f"SELECT line.*, {_STANDING} FROM verification_line line WHERE id = %(id)s"  # noqa: S608 - constants only


@dataclass(frozen=True)
class Standing:
    """A line under lock and what is going on there. `open` maps open verifications to their partners."""

    line: "Line"
    open: dict[uuid.UUID, uuid.UUID]
    last_ten_minutes: int
    last_day: int
    platform: str | None


class LineQuerySet(models.QuerySet["Line"]):
    def take(self, facts: LineFacts) -> Standing:
        """The line of this contract under lock, its row made where there is none. Counts one matched request."""
        now, row_id = timezone.now(), uuid.uuid4()
        values: dict[str, Any] = {
            "id": row_id,
            "contract": seal(facts.contract, place=f"verification_line.contract.{row_id}"),
            "contract_fingerprint": fingerprint.of("contract", facts.contract),
            "phone": seal(facts.phone, place=f"verification_line.phone.{row_id}"),
            "phone_fingerprint": fingerprint.of("phone", facts.phone),
            "ten_minutes_ago": now - timedelta(minutes=10),
            "day_ago": now - timedelta(days=1),
        }
        line: Any = self.raw(_TAKE, values)[0]
        somebody_was_between = line.serial > 1 and line.newest_serial != line.serial - 1
        phone_is_newer = line.device_id is not None and line.platform is None
        if somebody_was_between or phone_is_newer:  # now we hold the lock
            line = self.raw(_AGAIN, {**values, "id": line.pk})[0]
        return Standing(
            line=line,
            open={uuid.UUID(found["id"]): uuid.UUID(found["partner"]) for found in line.open},
            last_ten_minutes=line.recent[0],
            last_day=line.recent[1],
            platform=line.platform,
        )

    def of_contract(self, contract: str) -> "LineQuerySet":
        return self.filter(contract_fingerprint=fingerprint.of("contract", contract))

    def with_activation(self, code: str, *, now: datetime) -> "LineQuerySet":
        return self.filter(activation_fingerprint=fingerprint.of("activation", code), activation_expires_at__gt=now)
