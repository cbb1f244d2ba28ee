"""`manage.py demo …`: handles on the running demo (api.md section 6). Each prints one JSON object with --json."""

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ansim.demo import people, seed
from ansim.lib import phone
from ansim.lib.problem import Refused, Unavailable
from subscriptions import enrolment, leaving, pending
from subscriptions.models import Subscription
from verification.models import GRANTS


class Command(BaseCommand):
    help = "Members, leavers and partners of the demo. Exit code 2: refused, with the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        self._deed(deeds, "seed", self.seed, "what `make run` puts in at first (running it again makes nothing twice)")
        member = self._deed(deeds, "member", self.member, "a member: a new line, or the line of --phone")
        member.add_argument("--phone", help="join this line; for a member: a fresh activation code")
        member.add_argument("--joined-at", type=_moment, help="when it joined, e.g. 2026-05-10T09:00:00+09:00")
        leave = self._deed(deeds, "leave", self.leave, "cancel as the customer does")
        leave.add_argument("contract")
        leave.add_argument("--at", type=_moment, help="when it left, or was taken down (now)")
        leave.add_argument("--desk", action="store_true", help="as the call centre does: it takes effect a day later")
        partner = self._deed(deeds, "partner", self.partner, "a new partner with a test key")
        partner.add_argument("--agency", action="store_true", help="acts for many sites")
        partner.add_argument("--webhook-url", default="", help="default: the world's own sink")
        partner.add_argument("--grants", default=",".join(GRANTS), help="comma-separated fields; default: all")
        partner.add_argument("--limits", default="{}", help="JSON object of limits that differ, times in seconds")

    def _deed(self, deeds: Any, name: str, deed: Callable[..., dict[str, Any]], words: str) -> Any:
        parser = deeds.add_parser(name, help=words)
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.set_defaults(do=deed)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            told = options["do"](options)
        except enrolment.NotEligible as refusal:
            self._tell({"eligible": False, "why_not": refusal.why_not}, options)
            raise SystemExit(2) from refusal
        except enrolment.Unknown as error:
            raise CommandError("The carrier knows no such line.", returncode=2) from error
        except Unavailable as error:
            raise CommandError("The carrier gives no clear answer; is the world running?", returncode=2) from error
        except (Refused, Subscription.DoesNotExist) as error:
            raise CommandError("There is no member with that contract.", returncode=2) from error
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        self._tell(told, options)

    def _tell(self, told: dict[str, Any], options: dict[str, Any]) -> None:
        if options["json"] or options["deed"] == "seed":
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in told.items()))

    def seed(self, options: dict[str, Any]) -> dict[str, Any]:
        return seed.seed()

    def member(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["phone"]:
            return seed.member_of_line(phone.parse(options["phone"]), at=options["joined_at"])
        return seed.member(people.somebody_new(), at=options["joined_at"])

    def leave(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["desk"]:
            change = pending.ask(
                options["contract"], pending.Kind.CANCELLATION, by=None, at=options["at"], reason="demo leave --desk"
            )
            left, leaves_at = change.subscription, change.due_at
        else:
            left, leaves_at = leaving.cancel(options["contract"], reason="customer", at=options["at"]), None
        moments = {"leaves_at": leaves_at, "ended_at": left.ended_at}
        times = {name: moment.isoformat() if moment else None for name, moment in moments.items()}
        return {"contract": options["contract"], "state": left.state, **times, "reason": left.end_reason}

    def partner(self, options: dict[str, Any]) -> dict[str, Any]:
        limits = json.loads(options["limits"])
        if not isinstance(limits, dict):
            raise CommandError("--limits takes a JSON object.", returncode=2)
        grants = [grant.strip() for grant in options["grants"].split(",") if grant.strip()]
        tag = secrets.token_hex(3)
        name = f"인증대행 {tag}" if options["agency"] else f"가게 {tag}"
        return seed.partner(
            name=name, domain=f"{tag}.example", grants=grants, agency=options["agency"],
            webhook_url=options["webhook_url"], limits=limits,
        )  # fmt: skip


def _moment(given: str) -> datetime:
    moment = parse_datetime(given)
    if moment is None:
        raise ValueError(f"{given} is no time")
    return moment if moment.tzinfo else timezone.make_aware(moment)
