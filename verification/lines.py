"""Holding a line: the first thing every story does that starts, moves or ends a verification (docs/adr/0003)."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from ansim.lib import fingerprint, rows
from ansim.lib.sealed import seal
from verification.limits import Limits

if TYPE_CHECKING:
    from verification.carrier import LineFacts
    from verification.models import Line

# One statement that makes the line's row or takes the one there is, locks it, and reads what is open on it. A part of
# RETURNING reads the snapshot from before the lock was had: `newest_serial` tells whether somebody was in between, a
# phone that has no platform yet that it was registered meanwhile.
_STANDING = """
    (SELECT max(v.line_serial) FROM verification_verification v WHERE v.line_id = line.id) AS newest_serial,
    (SELECT coalesce(json_agg(json_build_object('id', v.id, 'partner', v.partner_id)), '[]')
       FROM verification_verification v
      WHERE v.line_id = line.id AND v.ended_at IS NULL) AS open,
    (SELECT json_build_array(count(*) FILTER (WHERE v.matched_at > %(ten_minutes_ago)s), count(*))
       FROM verification_verification v
      WHERE v.line_id = line.id AND v.matched_at > %(day_ago)s AND v.matched_at < %(in_a_day)s
        AND v.reason IS DISTINCT FROM 'line_blocked') AS recent,
    (SELECT d.platform FROM pushes_device d WHERE d.id = line.device_id) AS platform,
    (SELECT r.id FROM verification_release r
      WHERE r.line_id = line.id AND r.partner_id = %(partner)s AND r.used_by_id IS NULL AND r.ended_at IS NULL
        AND r.created_at <= %(now)s AND r.expires_at > %(now)s) AS live_release,
    EXISTS (SELECT FROM verification_case c
             WHERE c.line_id = line.id AND c.partner_id = %(partner)s AND c.slowed_until > %(now)s) AS slowed
"""
_TAKE = f"""
    INSERT INTO verification_line AS line
           (id, contract, contract_fingerprint, phone, phone_fingerprint, serial, protection, password,
            wrong_passwords, wrong_numbers_at, stop_all, blocked_partners)
    SELECT %(id)s, %(contract)s, %(contract_fingerprint)s, %(phone)s, %(phone_fingerprint)s, 1, 'off', '', 0,
           ARRAY[]::timestamptz[], false, ARRAY[]::uuid[]
     WHERE %(matched)s
       AND (SELECT count(*) <= %(far)s
                   AND %(near)s >= count(*) FILTER (
                       WHERE m.partner_id = %(partner)s AND m.address_fingerprint = %(address)s)
              FROM verification_mismatch m
             WHERE m.typed_fingerprint = %(typed_fingerprint)s AND m.at > %(hour_ago)s)
    ON CONFLICT (contract_fingerprint) DO UPDATE SET serial = line.serial + 1
    RETURNING {{line}}, {_STANDING}
"""  # noqa: S608 - constants only
_AGAIN = f"SELECT {{line}}, {_STANDING} FROM verification_line line WHERE id = %(id)s"  # noqa: S608 - constants only


@dataclass(frozen=True)
class Asker:
    """Who typed which number where: what mismatches are counted by. `address` may be empty: the partner told none."""

    typed: str
    partner: uuid.UUID
    address: str

    def fingerprints(self) -> dict[str, str]:
        return {
            "typed_fingerprint": fingerprint.of("phone", self.typed),
            "address_fingerprint": fingerprint.of("address", self.address),
        }


@dataclass(frozen=True)
class Standing:
    """A line under lock and what is going on there. `open` maps open verifications to their partners."""

    line: "Line"
    newest_serial: int | None
    open: dict[uuid.UUID, uuid.UUID]
    last_ten_minutes: int
    last_day: int
    platform: str | None
    release: uuid.UUID | None
    """The owner's release for who asks, as it stood when the line was read; `releases.use` decides."""
    slowed: bool
    """The owner said "not me" of who asks, not long ago."""

    @property
    def outdated(self) -> bool:
        """Somebody was in between, or registered the phone meanwhile: this was read before the lock was had."""
        somebody_was_between = self.line.serial > 1 and self.newest_serial != self.line.serial - 1
        return somebody_was_between or (self.line.device_id is not None and self.platform is None)


# For our own stories (joining): what strangers typed elsewhere is no reason against them.
UNLIMITED = Limits(mismatches_per_hour=2**31 - 1, mismatches_per_number=2**31 - 1)


class LineQuerySet(models.QuerySet["Line"]):
    def take(self, facts: "LineFacts") -> Standing:
        """The line of this contract under lock, its row made where there is none. Counts one matched request."""
        standing = self._take(facts, Asker(facts.phone, uuid.UUID(int=0), ""), matched=True, limits=UNLIMITED)
        if standing is None:  # nobody is asking here, so no mismatch stands in the way
            raise RuntimeError("the line was not taken")
        return standing

    def take_if(self, *, matched: bool, facts: "LineFacts | None", asker: Asker, limits: Limits) -> Standing | None:
        """The same for somebody who asks; None for a mismatch, and when there were too many of them.

        The statement is the same whether the number is unknown, the data are wrong or right but refused: no telling
        difference in time (invariant 5).
        """
        return self._take(facts, asker, matched=matched, limits=limits)

    def _take(self, facts: "LineFacts | None", asker: Asker, *, matched: bool, limits: Limits) -> Standing | None:
        now, row_id = timezone.now(), uuid.uuid4()
        contract, phone = (facts.contract, facts.phone) if facts else (row_id.hex, asker.typed)
        fingerprints = asker.fingerprints()
        values: dict[str, Any] = {
            "id": row_id,
            "contract": seal(contract, place=f"verification_line.contract.{row_id}"),
            "contract_fingerprint": fingerprint.of("contract", contract),
            "phone": seal(phone, place=f"verification_line.phone.{row_id}"),
            "phone_fingerprint": fingerprint.of("phone", phone),
            "typed_fingerprint": fingerprints["typed_fingerprint"],
            "partner": asker.partner,
            "address": fingerprints["address_fingerprint"],
            "matched": matched,
            "near": limits.mismatches_per_hour,
            "far": limits.mismatches_per_number,
            "now": now,
            "ten_minutes_ago": now - timedelta(minutes=10),
            "hour_ago": now - timedelta(hours=1),
            "day_ago": now - timedelta(days=1),
            "in_a_day": now + timedelta(days=1),  # what is further ahead was dated by a wrong clock
        }
        standing = self._read(_TAKE, values)
        if standing is not None and standing.outdated:  # now we hold the lock
            standing = self._read(_AGAIN, {**values, "id": standing.line.pk})
        return standing

    def _read(self, statement: str, values: dict[str, Any]) -> Standing | None:
        found = rows.first(_written(self.model, statement), values)
        if found is None:
            return None
        line = rows.read(self.model, found)
        newest_serial, open_ones, (last_ten_minutes, last_day), platform, release, slowed = found
        return Standing(
            line=line,
            newest_serial=newest_serial,
            open={uuid.UUID(one["id"]): uuid.UUID(one["partner"]) for one in open_ones},
            last_ten_minutes=last_ten_minutes,
            last_day=last_day,
            platform=platform,
            release=release,
            slowed=slowed,
        )

    def of_contract(self, contract: str) -> "LineQuerySet":
        return self.filter(contract_fingerprint=fingerprint.of("contract", contract))

    def with_activation(self, code: str, *, now: datetime) -> "LineQuerySet":
        return self.filter(activation_fingerprint=fingerprint.of("activation", code), activation_expires_at__gt=now)


@cache
def _written(model: type["Line"], statement: str) -> str:
    return statement.format(line=rows.columns(model, "line"))
