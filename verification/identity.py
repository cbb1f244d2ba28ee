"""What a person claims to be, and whether the carrier says the same (api.md, "Who may be verified")."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansim.lib import birth
from ansim.lib.times import instant
from verification.carrier import LineFacts
from verification.models import Line

CARRIERS = ("SKT", "KT", "LGU", "SKT_MVNO", "KT_MVNO", "LGU_MVNO")


@dataclass(frozen=True)
class Identity:
    """As typed. `birthdate` YYMMDD, `phone` E.164; `carrier` and `name` are checked when given."""

    birthdate: str
    gender_digit: str
    phone: str
    carrier: str | None = None
    name: str | None = None

    def matches(self, facts: LineFacts | None) -> bool:
        """True when the line exists, may be verified and every given word agrees: no more is told."""
        if facts is None:
            return False
        holder = facts.holder
        born = birth.born_on(self.birthdate, self.gender_digit)
        same_person = (born, birth.gender(self.gender_digit), self.gender_digit in birth.FOREIGN) == (
            holder.birthdate,
            holder.gender,
            holder.foreigner,
        )
        same_name = self.name is None or _folded(self.name) == _folded(holder.name)
        same_carrier = self.carrier is None or self.carrier == facts.carrier
        return facts.may_be_verified and same_person and same_name and same_carrier


def _folded(name: str) -> str:
    """NFC, without case and blanks."""
    return "".join(unicodedata.normalize("NFC", name).casefold().split())


def kept(facts: LineFacts, line: Line) -> dict[str, Any]:
    """What is sealed with the verification until the partner had time to read it."""
    holder = facts.holder
    return {
        "name": holder.name,
        "birthdate": holder.birthdate.isoformat(),
        "gender": holder.gender,
        "foreigner": holder.foreigner,
        "phone": facts.phone,
        "carrier": facts.carrier,
        "ci": holder.ci,
        "risk": {
            "sim_changed_at": _later(facts.sim_changed_at, line.sim_changed_at),
            "device_changed_at": _later(facts.device_changed_at, line.device_changed_at),
            "number_changed_at": _later(facts.number_changed_at, line.number_changed_at),
            "protection_ended_at": instant(line.protection_ended_at),
        },
    }


def _later(looked_up: str | None, reported: datetime | None) -> str | None:
    """Look-up and events come by different ways at the carrier: whichever knows of the later change is right."""
    if looked_up is None or (reported and datetime.fromisoformat(looked_up) < reported):
        return instant(reported)
    return looked_up
