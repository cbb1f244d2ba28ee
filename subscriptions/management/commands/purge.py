"""`manage.py purge [--dry-run] [--json]`: remove what is kept long enough now, as the clock does each night."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ansim import retention
from subscriptions import purging

WIDTH = 40


class Command(BaseCommand):
    help = (
        "Removes what was kept as long as the retention rules say, batch by batch; may be stopped and started again "
        "at any time. The record of access is cut by `manage.py audit cut`. Exit code 3: another purge is at work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would go")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = purging.waiting() if options["dry_run"] or sys.stderr.isatty() else {}
        if options["dry_run"]:
            self._tell(counts, dry_run=True, as_json=options["json"])
            return
        purge = retention.run(purging.SORTS, progress=self._bar(sum(counts.values())))
        if purge is None:
            raise CommandError("Another purge is at work.", returncode=3)
        self._tell(purge.removed, dry_run=False, as_json=options["json"])

    def _tell(self, rows: dict[str, int], *, dry_run: bool, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"dry_run": dry_run, "rows": rows}))
            return
        self.stdout.write("\n".join(f"{name}: {count}" for name, count in rows.items()))

    def _bar(self, total: int) -> Any:
        """A progress bar on a terminal, nothing elsewhere."""
        if not sys.stderr.isatty():
            return lambda name, rows: None
        so_far = 0

        def advance(name: str, rows: int) -> None:
            nonlocal so_far
            so_far += rows
            filled = "#" * round(min(so_far / max(total, 1), 1) * WIDTH)
            self.stderr.write(f"\r[{filled:<{WIDTH}}] {so_far:,}/{total:,} {name:<20}", ending="")

        return advance
