"""`manage.py reconcile`: compare every active subscription with the carrier, repair what differs (issue 5)."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ansim.lib.problem import Unavailable
from subscriptions import reconciliation
from subscriptions.reconciliation import Tally

WIDTH = 40


class Command(BaseCommand):
    help = "Asks the carrier about every member's line, goes on where it was broken off. Exit code 1: carrier away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be found, change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        self.total, self.done = reconciliation.to_check(), 0
        self.watched = sys.stderr.isatty() and not options["json"]
        try:
            if options["dry_run"]:
                tally = reconciliation.rehearse(seen=self._seen)
            else:
                tally = reconciliation.run(seen=self._seen)
        except Unavailable as error:
            raise CommandError("The carrier gives no clear answer. The next run goes on from here.") from error
        except reconciliation.AtWork as error:
            raise CommandError("Another run is at work at this moment.", returncode=2) from error
        finally:
            if self.watched and self.done:
                sys.stderr.write("\n")
        self.stdout.write(json.dumps(_told(tally, options)) if options["json"] else _words(tally, options))

    def _seen(self, count: int) -> None:
        self.done += count
        if self.watched:
            filled = WIDTH * min(self.done, self.total) // max(self.total, 1)
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {self.done}/{self.total}")
            sys.stderr.flush()


def _told(tally: Tally, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "dry_run": options["dry_run"],
        "finished": tally.finished,
        "checked": tally.checked,
        "repaired": tally.repaired,
        "reported": tally.reported,
        "findings": [
            {"subscription": str(one.subscription), "type": one.report.type, "repaired": one.repaired}
            for one in tally.found
        ],
    }


def _words(tally: Tally, options: dict[str, Any]) -> str:
    lines = [f"{one.subscription}: {one.report.type}" for one in tally.found]
    verb = "would be repaired" if options["dry_run"] else "repaired"
    return "\n".join([*lines, f"{tally.checked} checked, {tally.repaired} {verb}, {tally.reported} for the desk"])
