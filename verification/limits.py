"""How much and how long (mission.md section 5). A partner may differ by `Partner.limits`; times in seconds."""

from dataclasses import dataclass, fields
from typing import Any

SLOWED = 10  # a slowed partner has the tenth part of its rate


@dataclass(frozen=True)
class Limits:
    """The numbers that one verification lives under."""

    code_ttl: int = 180
    app_ttl: int = 180
    identity_ttl: int = 600
    result_ttl: int = 600
    resend_after: int = 30
    resends: int = 3
    tries: int = 5
    identity_tries: int = 3
    line_wrong_per_hour: int = 10
    line_open: int = 3
    line_per_10min: int = 5
    line_per_day: int = 20
    mismatches_per_hour: int = 10
    """Of one typed number, partner and address; over it right data are refused as well."""
    mismatches_per_number: int = 100
    partner_per_min: int = 600

    @classmethod
    def of(cls, differing: dict[str, Any]) -> "Limits":
        """The defaults with what differs. An unknown name is refused: TypeError."""
        return cls(**differing)

    @property
    def longest(self) -> int:
        """No open state lasts longer."""
        return max(self.code_ttl, self.app_ttl, self.identity_ttl)

    @classmethod
    def names(cls) -> frozenset[str]:
        return frozenset(field.name for field in fields(cls))
