"""`manage.py audit list|verify|cut|rekey`: read the record of access, prove it untouched, end what is old, new key."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, transaction

from ansim import audit, audit_cut, checkpoint
from ansim.lib import fingerprint, keyed
from ansim.lib.times import instant
from ansim.models import AccessRecord
from ansim.record_models import Action

LIST = "accessrecord.list"


class Command(BaseCommand):
    help = (
        "The record of access: who looked at a customer's data; whether all of it is as it was written (else exit 1)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        listing = deeds.add_parser("list", help="every record about one customer, newest first")
        listing.add_argument("--subject", required=True, metavar="CONTRACT")
        listing.set_defaults(do=self.list)
        verify = deeds.add_parser("verify", help="look for rows that were changed, removed or put in")
        verify.set_defaults(do=self.verify)
        cut = deeds.add_parser("cut", help="remove what was kept for as long as the rule says, as the tables' owner")
        cut.add_argument("--dry-run", action="store_true", help="only count what would go")
        cut.set_defaults(do=self.cut)
        rekey = deeds.add_parser("rekey", help="make the record with the first key of AUDIT_KEY from here on")
        rekey.set_defaults(do=self.rekey)
        for parser_of_deed in (listing, verify, cut, rekey):
            parser_of_deed.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        options["do"](options)

    def list(self, options: dict[str, Any]) -> None:
        """On record itself, before anything is shown. Who only read this list stands in the record at the desk."""
        with transaction.atomic():
            subject = fingerprint.of("contract", options["subject"])
            audit.record(audit.COMMAND, Action.LOOK, subject, what=LIST)
        rows = [row for row in audit.of_contract(options["subject"]) if row.what != LIST]
        items = [_shown(row, options["subject"]) for row in rows]
        if options["json"]:
            self.stdout.write(json.dumps({"items": items}, ensure_ascii=False))
            return
        for item in items:
            self.stdout.write("  ".join(str(item[name] or "-") for name in ("at", "actor", "from", "action", "reason")))

    def cut(self, options: dict[str, Any]) -> None:
        try:
            rows = audit_cut.old() if options["dry_run"] else audit_cut.cut(by=audit.COMMAND)
        except ProgrammingError as error:  # the application's role may not
            raise CommandError("Only the owner of the tables may cut: set DATABASE_URL to the owner's.") from error
        self.stdout.write(json.dumps({"rows": rows, "dry_run": options["dry_run"]}) if options["json"] else str(rows))

    def rekey(self, options: dict[str, Any]) -> None:
        try:
            key = audit.rekey(by=audit.COMMAND)
        except (ValueError, keyed.Missing) as error:
            raise CommandError(f"{error or 'AUDIT_KEY lacks the key that the record is made with'}") from error
        said = f"이제부터 {key} 열쇠로 잇습니다. · made with {key} from here on; keep the former one"
        self.stdout.write(json.dumps({"key": key}) if options["json"] else said)

    def verify(self, options: dict[str, Any]) -> None:
        try:
            found = audit.verify(self._progress if sys.stderr.isatty() else _silent)
        except checkpoint.Unreadable as error:
            raise CommandError(
                f"{error} cannot be read, so the record's end cannot be proved.", returncode=1
            ) from error
        told = {
            "ok": found.broken is None, "count": found.count, "checkpoint": found.checkpoint,
            "broken": found.broken, "why": found.why or None,
        }  # fmt: skip
        if options["json"]:
            self.stdout.write(json.dumps(told))
        elif found.broken is None:
            self.stdout.write(f"기록 {found.count}건이 쓴 그대로입니다. · all {found.count} records are as written")
        else:
            self.stdout.write(f"{found.broken}번 기록부터 다릅니다. · broken from record {found.broken}: {found.why}")
        if found.broken is not None:
            raise SystemExit(1)

    def _progress(self, done: int, of: int) -> None:
        bar = "#" * (30 * done // of)
        self.stderr.write(f"\r[{bar:30}] {done:,} / {of:,}", ending="")


def _silent(done: int, of: int) -> None:
    """Nobody watches."""


def _shown(row: AccessRecord, contract: str) -> dict[str, Any]:
    return {
        "at": instant(row.at), "actor": row.actor, "role": row.role, "from": row.address or None, "subject": contract,
        "action": row.action, "what": row.what, "reason": row.reason or None,
    }  # fmt: skip
