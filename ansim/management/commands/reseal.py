"""`manage.py reseal`: what a former key of SEAL_KEYS sealed is sealed by the first one (docs/key-rotation.md)."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ansim import resealing
from ansim.lib import sealed


class Command(BaseCommand):
    help = (
        "Seals everything again by the first key of SEAL_KEYS, beside the traffic. May be interrupted and run again. "
        "Exit code 1: a value that no key opens."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        done = []
        for field in resealing.columns():
            try:
                done.append(resealing.reseal(field, progress=self._progress))
            except sealed.Unreadable as error:
                raise CommandError(
                    f"{error}: no key of SEAL_KEYS opens it. Nothing of this batch was changed."
                ) from error
        told: dict[str, Any] = {
            "key": sealed.newest(),
            "columns": [asdict(column) for column in done if column.resealed or column.left],
        }
        told["former_keys_needed"] = any(column.left for column in done)
        self.stdout.write(json.dumps(told) if options["json"] else _words(told))

    def _progress(self, rows: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(".", ending="")


def _words(told: dict[str, Any]) -> str:
    lines = [f"{one['name']}: {one['resealed']:,} resealed, {one['left']:,} left" for one in told["columns"]]
    lines += [f"key · 열쇠: {told['key']}"]
    if told["former_keys_needed"]:
        lines += [
            "더할 수만 있는 표가 있어 옛 열쇠를 아직 지우지 마십시오.",
            "What is append-only stays as it was sealed: keep the former keys in SEAL_KEYS.",
        ]
    return "\n".join(lines)
