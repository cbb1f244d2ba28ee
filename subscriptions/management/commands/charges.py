"""`manage.py charges 2026-10 --csv`: the charges of a closed month, for finance."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Q, Sum

from subscriptions import billing, finance
from subscriptions.models import Charge


class Command(BaseCommand):
    help = "The charges that go with the close of a month: sums, or with --csv one row each. Exit code 2: not closed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=billing.month, help="e.g. 2026-10")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--csv", action="store_true", help="one row for each charge and adjustment")
        form.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        charges = Charge.objects.filter(month=options["month"])
        if not charges.exists():
            raise CommandError("Nothing was charged with the close of that month.", returncode=2)
        if options["csv"]:
            finance.write(options["month"], self.stdout)
            return
        own, owed = Q(adjusts=None), Q(posting__accepted_at=None, posting__isnull=False)
        told = charges.aggregate(
            charges=Count("pk", filter=own & ~Q(amount=0)),
            adjustments=Count("pk", filter=~own),
            amount=Sum("amount"),
            owed=Count("pk", filter=owed),
        )
        told = {"month": f"{options['month']:%Y-%m}", **told}
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in told.items()))
