"""`manage.py doctor`: what is wrong with this system, and what to do about it (docs/operations.md)."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from ansim import checkup as ground
from ansim.lib.health import Check, Finding, Level, bad
from pushes import checkup as pushes
from subscriptions import checkup, health
from verification import checkup as verification

CHECKS: dict[str, Check] = {
    "settings": ground.configuration,
    "keys": ground.keys,
    "database": ground.database,
    "role": ground.role,
    "sealed": ground.sealed_rows,
    "fingerprints": verification.fingerprints,
    "record": ground.record,
    "redis": ground.redis_server,
    "worker": ground.worker,
    "disk": ground.disk,
    "carrier": verification.look_ups,
    "fcm": pushes.google,
    "apns": pushes.apple,
    "sms": pushes.sms_gateway,
    "mail": pushes.mail_server,
}
COLOURS = {Level.OK: "SUCCESS", Level.WARN: "WARNING", Level.BAD: "ERROR"}
WORDS = {Level.OK: "좋음", Level.WARN: "살핌", Level.BAD: "나쁨"}


class Command(BaseCommand):
    help = "Looks at everything this system needs and says what to do. Exit status 1: something does not work."
    requires_system_checks = ()  # it tells what they would stop at

    def add_arguments(self, parser: CommandParser) -> None:
        names = [*CHECKS, *checkup.NAMES]
        parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=" ".join(names))
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, only: list[str], **options: Any) -> None:
        found = []
        for name, finding in _examined(only, self._watch if sys.stderr.isatty() else _silent):
            found.append((name, finding))
            if not options["json"]:
                self._tell(name, finding)
        whole = all(finding.level is not Level.BAD for _name, finding in found)
        if options["json"]:
            told = [_told(name, finding) for name, finding in found]
            self.stdout.write(json.dumps({"ok": whole, "findings": told}, ensure_ascii=False))
        if not whole:
            raise SystemExit(1)

    def _tell(self, name: str, finding: Finding) -> None:
        words = f"{WORDS[finding.level]} · {finding.level.value:5}"
        coloured = getattr(self.style, COLOURS[finding.level])(words)
        told = _told(name, finding)
        self.stdout.write(f"{coloured}{name:14} {told['said']['ko']} · {told['said']['en']}")
        if finding.advice:
            self.stdout.write(f"{'':27} {told['advice']['ko']}\n{'':27} {told['advice']['en']}")

    def _watch(self, name: str) -> None:
        self.stderr.write(f"{name} …\r", ending="")


def _silent(name: str) -> None:
    """Nobody watches."""


def _examined(only: list[str], watch: Any) -> Iterator[tuple[str, Finding]]:
    for name in (name for name in CHECKS if name in only):
        watch(name)
        yield name, _safe(CHECKS[name])
    if set(checkup.NAMES) & set(only):
        watch("health")
        yield from _standing(only)


def _standing(only: list[str]) -> Iterator[tuple[str, Finding]]:
    try:
        standing = health.standing()
    except DatabaseError as error:
        yield "database", _broke(error)
        return
    yield from ((name, finding) for name, finding in checkup.of(standing) if name in only)


def _safe(check: Check) -> Finding:
    try:
        return check()
    except Exception as error:  # a check that breaks has found something, whatever it is
        return _broke(error)


def _broke(error: Exception) -> Finding:
    said = format_lazy(_("살펴볼 수 없습니다({why})."), why=type(error).__name__)
    return bad(said, _("앞의 항목을 먼저 고치고 다시 실행하십시오. 그대로면 로그를 보십시오."))


def _told(name: str, finding: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "level": str(finding.level), "said": {}, "advice": {}}
    for language in ("ko", "en"):
        with override(language):
            told["said"][language], told["advice"][language] = str(finding.said), str(finding.advice)
    return told
