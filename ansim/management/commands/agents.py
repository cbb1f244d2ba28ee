"""`manage.py agents …`: the accounts of staff, for those at a shell of ours; everything is on record as "command"."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ansim import audit, staff
from ansim.models import Agent
from ansim.roles import PERMISSIONS


class Command(BaseCommand):
    help = "Staff: set-up (the roles' permissions), add, invite (an enrolment code), roles, off, list."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        parsers = {name: deeds.add_parser(name) for name in ("set-up", "list", "add", "roles", "invite", "off")}
        for deed in parsers.values():
            deed.add_argument("--json", action="store_true", help="one JSON object, as always")
        for name in ("add", "roles", "invite", "off"):
            parsers[name].add_argument("username")
        for name in ("add", "roles"):
            parsers[name].add_argument("roles", nargs="+", choices=[str(role) for role in PERMISSIONS])

    def handle(self, *args: Any, deed: str, **given: Any) -> None:
        staff.set_up_roles()
        if deed == "list":
            found = Agent.objects.order_by("username")
            self._say(items=[{"username": one.username, "roles": one.roles, "active": one.is_active} for one in found])
        elif deed == "add":
            if Agent.objects.filter(username=given["username"]).exists():
                raise CommandError("there is such an account already")
            agent = Agent(username=given["username"], is_staff=True)
            agent.set_unusable_password()
            agent.save()
            staff.set_roles(agent, given["roles"], by=audit.COMMAND)
            self._invite(agent)
        elif deed != "set-up":
            self._change(deed, **given)
        else:
            self._say(roles=sorted(PERMISSIONS))

    def _change(self, deed: str, username: str, **given: Any) -> None:
        agent = Agent.objects.filter(username=username).first()
        if agent is None:
            raise CommandError("there is no such account")
        if deed == "invite":
            self._invite(agent)
        elif deed == "roles":
            staff.set_roles(agent, given["roles"], by=audit.COMMAND)
            self._say(username=agent.username, roles=sorted(given["roles"]))
        else:
            staff.shut_out(agent, by=audit.COMMAND)
            self._say(username=agent.username, active=False)

    def _invite(self, agent: Agent) -> None:
        self._say(username=agent.username, enrolment_code=staff.invite(agent, by=audit.COMMAND))

    def _say(self, **told: Any) -> None:
        self.stdout.write(json.dumps(told, ensure_ascii=False))
