"""The owner decides who may verify the line: nobody at all (stop-all), or not these partners (mission.md section 4).

Turning protection up is one press; what turns it down takes the app password (invariant 6).
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from ansim.lib.problem import Refused
from pushes.models import Device
from verification import registration
from verification.ending import end_open
from verification.models import Line, Partner, Verification
from verification.states import State


class PasswordNeeded(Exception):
    """Something would be turned down and no password came along."""


class UnknownPartner(Exception):
    """One of the ids is no partner's."""


@dataclass(frozen=True)
class Controls:
    stop_all: bool
    blocked_partners: frozenset[uuid.UUID]

    @classmethod
    def of(cls, line: Line) -> "Controls":
        return cls(line.stop_all, frozenset(line.blocked_partners))

    def lowers(self, former: "Controls") -> bool:
        """True when somebody may verify the line that might not before."""
        return (former.stop_all and not self.stop_all) or bool(former.blocked_partners - self.blocked_partners)


def change(device: Device, *, wanted: Controls, password: str | None) -> Refused | None:
    """Set both; open verifications that are stopped by it end (`line_blocked`).

    Returned: `locked`, `wrong_password` (a wrong try is written). Raises PasswordNeeded, UnknownPartner.
    """
    with transaction.atomic():
        line = registration.hold_line(device)
        new = wanted.blocked_partners - set(line.blocked_partners)
        if Partner.objects.filter(pk__in=new).count() != len(new):
            raise UnknownPartner
        if wanted.lowers(Controls.of(line)):
            if password is None:
                raise PasswordNeeded
            refusal = registration.try_password(line, password, now=timezone.now())
            if refusal:
                return refusal
        line.stop_all, line.blocked_partners = wanted.stop_all, sorted(wanted.blocked_partners)
        line.save(update_fields=["stop_all", "blocked_partners", "wrong_passwords"])
        end_open(line, State.FAILED, "line_blocked", now=timezone.now(), only=_stopped(line))
        return None


def _stopped(line: Line) -> Iterable[uuid.UUID]:
    open_now = Verification.objects.filter(line=line, ended_at=None)
    if not line.stop_all:
        open_now = open_now.filter(partner__in=line.blocked_partners)
    return list(open_now.values_list("pk", flat=True))
