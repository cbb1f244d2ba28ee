"""`manage.py eligibility <phone>`: may this line join, and if not, why not (all reasons)."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ansim.lib import phone
from ansim.lib.problem import Unavailable
from subscriptions import enrolment


class Command(BaseCommand):
    help = "Says whether a line may join, with every reason why not (S4, S7). Exit code 2: no such line, or no answer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("phone", help="a Korean mobile number, in any usual form")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _, reasons = enrolment.verdict(phone.parse(options["phone"]))
        except ValueError as error:
            raise CommandError("That is no Korean mobile number.", returncode=2) from error
        except enrolment.Unknown as error:
            raise CommandError("The carrier knows no such line.", returncode=2) from error
        except Unavailable as error:
            raise CommandError("The carrier gives no clear answer; try again in a moment.", returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps({"eligible": not reasons, "why_not": reasons}))
        else:
            self.stdout.write("may join" if not reasons else f"may not join: {', '.join(reasons)}")
