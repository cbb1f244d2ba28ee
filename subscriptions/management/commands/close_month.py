"""`manage.py close_month 2026-10`: closes a month that is over and posts its charges to the carrier."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscriptions import billing, charges, closing
from subscriptions.closing import Closed

PATIENCE = 3  # tries to post before it is left to the clock
WIDTH = 40


class Command(BaseCommand):
    help = (
        "Closes a month (any that is over, in any order; again: changes nothing) and posts the charges. What the "
        "carrier does not accept now stays owed: the clock goes on posting it. Exit code 2: the month is not over."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=billing.month, help="e.g. 2026-10")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = closing.close(
                options["month"], progress=self._bar("closing", lambda: closing.left(options["month"]))
            )
        except closing.NotOver as error:
            raise CommandError("That month is not over in Seoul.", returncode=2) from error
        self._post()
        self._tell(done, owed=charges.owed(), as_json=options["json"])

    def _post(self) -> None:
        """Until nothing is owed, also what the clock holds right now; or until the carrier refused a few times."""
        ends = time.monotonic() + charges.LEASE.total_seconds()
        progress = self._bar("posting", charges.owed)
        for _ in range(PATIENCE):
            while charges.post_owed(seconds=3600, at_once=True, progress=progress):
                if not charges.owed() or time.monotonic() > ends:
                    return
                time.sleep(0.1)
            time.sleep(0.5)

    def _tell(self, done: Closed, *, owed: int, as_json: bool) -> None:
        told = {**asdict(done), "month": f"{done.month:%Y-%m}", "owed": owed}
        del told["finished"]
        if as_json:
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write("\n".join(f"{name}: {value}" for name, value in told.items()))
        if owed:
            self.stderr.write(f"The carrier has not accepted {owed} charges yet; the clock tries again by itself.")

    def _bar(self, words: str, count: Callable[[], int]) -> Callable[[int], None]:
        """A progress bar on a terminal, nothing elsewhere. `count` says how much there is, asked once."""
        if not sys.stderr.isatty():
            return lambda done: None
        total, so_far = count(), 0

        def advance(done: int) -> None:
            nonlocal so_far
            so_far += done
            part = min(so_far / max(total, 1), 1)
            filled = "#" * round(part * WIDTH)
            end = "\n" if so_far >= total else ""
            self.stderr.write(f"\r{words} [{filled:<{WIDTH}}] {so_far:,}/{total:,}", ending=end)

        return advance
