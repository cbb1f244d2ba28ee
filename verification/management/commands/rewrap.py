"""`manage.py rewrap`: puts the newest key of FINGERPRINT_KEY on every stored fingerprint (docs/key-rotation.md)."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError

from ansim import rewrapping
from ansim.lib import sealed
from verification import checkup


class Command(BaseCommand):
    help = (
        "Run by the owner of the tables while web, workers and clock are stopped; says when they may start, and goes "
        "on with the rest beside them. May be interrupted and run again. Exit code 3: somebody else is connected."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--left", action="store_true", help="only count what is not done")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        told: dict[str, Any] = {}
        if not options["left"]:
            told = {"rows": self._without_others() + rewrapping.run_later(self._bar())}
        told["left"] = rewrapping.left()
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        lines = [f"{name}: {count:,} left" for name, count in told["left"].items()]
        self.stdout.write("\n".join(lines) or "모두 새 열쇠로 감쌌습니다. · all of it is under the newest key")

    def _without_others(self) -> int:
        if rewrapping.is_through():
            return 0
        try:
            ours = checkup.chain_is_ours()
        except sealed.Unreadable as error:
            raise CommandError("No key of SEAL_KEYS opens the lines: put it back first.") from error
        if not ours:
            raise CommandError("The lines were not made with these keys: FINGERPRINT_KEY is the new one, then the old.")
        others = rewrapping.others()
        if others:
            raise CommandError(f"Stop web, workers and clock first. Connected: {', '.join(others)}", returncode=3)
        try:
            rows = rewrapping.run(self._bar())
        except ProgrammingError as error:  # the application's role may not
            raise CommandError("Only the owner of the tables may: set DATABASE_URL to the owner's.") from error
        self.stderr.write("\n이제 다시 시작해도 됩니다. · Web, workers and clock may start now, with the new key.")
        return rows

    def _bar(self) -> rewrapping.Progress:
        """Rows done so far, on a terminal; nothing elsewhere."""
        so_far = 0

        def advance(table: str, rows: int) -> None:
            nonlocal so_far
            so_far += rows
            if sys.stderr.isatty():
                self.stderr.write(f"\r{so_far:>12,} {table:<40}", ending="")

        return advance
