"""What finance takes away: the charges of a month as a table."""

import csv
from collections.abc import Iterator
from datetime import date
from typing import Protocol

from subscriptions.models import Charge

HEADER = ("id", "contract", "month", "adjusts", "days", "amount", "because", "made_at", "accepted_at")
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula (OWASP, CSV injection)."""


class Sink(Protocol):
    def write(self, text: str, /) -> object: ...


def write(month: date, out: Sink) -> int:
    """The charges and adjustments that go with the close of that month, as CSV in UTF-8. How many there were."""
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(HEADER)
    number = 0
    for row in _rows(month):
        table.writerow([_safe(cell) if isinstance(cell, str) else cell for cell in row])
        number += 1
    return number


def _rows(month: date) -> Iterator[tuple[str | int, ...]]:
    found = Charge.objects.filter(month=month).select_related("line", "posting").order_by("line_id", "adjusts")
    for charge in found.iterator(chunk_size=1000):
        accepted = charge.posting.accepted_at if charge.posting else None
        yield (
            str(charge.pk),
            charge.line.contract,
            f"{charge.month:%Y-%m}",
            f"{charge.adjusts:%Y-%m}" if charge.adjusts else "",
            charge.days,
            charge.amount,
            " ".join(charge.because),
            charge.made_at.isoformat(),
            accepted.isoformat() if accepted else "",
        )


def _safe(cell: str) -> str:
    """Contracts and event ids are the carrier's words; what could run as a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(RISKY) else cell
