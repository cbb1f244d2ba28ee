"""`manage.py partners …`: what the operator does for one partner. Each prints one JSON object with --json."""

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from verification import partner_access, webhooks
from verification.models import Partner

LONGEST = 30 * 24  # hours; two secrets at a time are for a change, not for ever


class Command(BaseCommand):
    help = (
        "Rotates a partner's webhook secret; enables webhooks again after a 410; adds and disables the people of its "
        "console. Exit code 2: no such partner, or not possible."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        rotate = self._deed(deeds, "rotate-webhook-secret", self.rotate, "a new secret, shown once; the old one stays")
        rotate.add_argument(
            "--keep-hours", type=int, default=24, metavar="H",
            help=f"how long the old secret signs as well, 0 (it leaked) to {LONGEST}; 24",
        )  # fmt: skip
        self._deed(deeds, "enable-webhooks", self.enable, "tell it of later events again")
        add = self._deed(deeds, "add-user", self.add_user, "somebody for its console; password and TOTP secret, once")
        add.add_argument("--email", required=True, help="what they sign in with")
        add.add_argument("--name", default="", help="what the console calls them; default: the e-mail address")
        disable = self._deed(deeds, "disable-user", self.disable_user, "this person never signs in again")
        disable.add_argument("--email", required=True)

    def _deed(self, deeds: Any, name: str, deed: Callable[..., dict[str, Any]], words: str) -> Any:
        parser = deeds.add_parser(name, help=words)
        parser.add_argument("id", type=uuid.UUID, help="the partner's id")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.set_defaults(do=deed)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            partner = Partner.objects.get(pk=options["id"])
        except Partner.DoesNotExist as error:
            raise CommandError("There is no partner with that id.", returncode=2) from error
        try:
            told = {"id": str(partner.pk), "name": partner.name, **options["do"](partner, options)}
        except ValueError as error:
            raise CommandError(f"{error}.", returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in told.items()))

    def rotate(self, partner: Partner, options: dict[str, Any]) -> dict[str, Any]:
        if not 0 <= options["keep_hours"] <= LONGEST:
            raise CommandError(f"--keep-hours takes 0 to {LONGEST}.", returncode=2)
        rotated = webhooks.rotate_secret(partner.pk, keep=timedelta(hours=options["keep_hours"]))
        until = rotated.previous_until.isoformat() if rotated.previous_until else None
        return {"webhook_secret": rotated.secret, "previous_until": until}

    def enable(self, partner: Partner, options: dict[str, Any]) -> dict[str, Any]:
        return {"was_disabled": webhooks.enable(partner.pk), "webhook_url": partner.webhook_url}

    def add_user(self, partner: Partner, options: dict[str, Any]) -> dict[str, Any]:
        return asdict(partner_access.add_user(partner, email=options["email"], name=options["name"]))

    def disable_user(self, partner: Partner, options: dict[str, Any]) -> dict[str, Any]:
        return {"email": options["email"], "was_enabled": partner_access.disable_user(partner, email=options["email"])}
