"""`manage.py bill <contract> 2026-10`: what a month of a line costs and why, before the close and after it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscriptions import billing, statements
from verification.models import Line


class Command(BaseCommand):
    help = (
        "The bill of one month: `amount` is the month's own charge (before the close: as it will be if the service "
        "goes on as it stands), `total` the charge with the adjustments that put it right. An adjustment without an "
        "id goes to the carrier with the next close. Exit code 2: no such contract."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("contract", help="the carrier's contract id")
        parser.add_argument("month", type=billing.month, help="e.g. 2026-10")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        line = Line.objects.of_contract(options["contract"]).first()
        if line is None:
            raise CommandError("There is no line with that contract.", returncode=2)
        told = _told(statements.of(line, options["month"]))
        told = {"contract": options["contract"], **told}
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(_text(told))


def _told(statement: statements.Statement) -> dict[str, Any]:
    return {
        "month": f"{statement.month:%Y-%m}",
        "closed": statement.closed,
        "amount": statement.amount,
        "days": [{"date": day.on.isoformat(), "because": list(day.because)} for day in statement.present.charged],
        "adjustments": [
            {
                "id": str(row.pk) if row.posting_id else None,
                "amount": row.amount,
                "days": row.days,
                "because": row.because,
            }
            for row in statement.adjustments
        ],
        "total": statement.total,
    }


def _text(told: dict[str, Any]) -> str:
    days = [f"  {day['date']}  {', '.join(day['because'])}" for day in told["days"]]
    adjustments = [
        f"adjustment: {row['amount']} won, {row['days']} days, because of {', '.join(row['because'])}"
        for row in told["adjustments"]
    ]
    standing = "closed" if told["closed"] else "estimate"
    first = f"{told['contract']} {told['month']} ({standing}): {told['amount']} won for {len(days)} days"
    return "\n".join([first, *days, *adjustments, f"total: {told['total']} won"])
