"""The owner decides who may verify the line: nobody at all (stop-all), not these partners (blocks), this one once by
SMS (temporary release; mission.md section 4).

Turning protection up is one press; what turns it down takes the app password (invariant 6).
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils import timezone

from ansim.lib.problem import Refused
from pushes.models import Device
from verification import proofs, registration, releases
from verification.ending import end_open
from verification.models import Line, Partner, Release, Verification
from verification.partner_directory import releasable
from verification.states import State


class PasswordNeeded(Exception):
    """Something would be turned down and no password came along."""


class ProofNeeded(Exception):
    """Something would be turned down on the web without a fresh proof by the app."""


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
        _known(wanted, line)
        if wanted.lowers(Controls.of(line)):
            if password is None:
                raise PasswordNeeded
            refusal = registration.try_password(line, password, now=timezone.now())
            if refusal:
                return refusal
        _set(line, wanted)
        return None


def change_proved(line_id: uuid.UUID, turn: Callable[[Controls], Controls], *, proof: uuid.UUID | None) -> None:
    """The same from our own web site, where nobody types the password: what lowers takes a fresh `proof` by the app.

    `turn` says what shall stand. Raises ProofNeeded (also when the proof proves nothing), UnknownPartner.
    """
    with transaction.atomic():
        line = Line.objects.select_for_update(of=("self",)).select_related("device").get(pk=line_id)
        former = Controls.of(line)
        wanted = turn(former)
        _known(wanted, line)
        if wanted.lowers(former) and not (proof and proofs.spend(proof, line=line, purpose="other")):
            raise ProofNeeded
        _set(line, wanted)


def stop_all(line: Line) -> None:
    """Stop-all on, at the customer's word on the telephone, on a line that the caller holds: it turns protection up."""
    _set(line, replace(Controls.of(line), stop_all=True))


def _known(wanted: Controls, line: Line) -> None:
    new = wanted.blocked_partners - set(line.blocked_partners)
    if Partner.objects.filter(pk__in=new).count() != len(new):
        raise UnknownPartner


def release(device: Device, *, partner: uuid.UUID, minutes: int, password: str) -> Release | Refused:
    """A temporary release, by the app and its password and in no other way (S11, invariant 1).

    Returned: `locked`, `wrong_password` (a wrong try is written). Refused: `wrong_state` for a line that is not
    protected now. Raises UnknownPartner.
    """
    with transaction.atomic():
        line = registration.hold_line(device)
        if line.protection != Line.Protection.ON:
            raise Refused("wrong_state")
        chosen = releasable().filter(pk=partner).first()
        if chosen is None:
            raise UnknownPartner
        refusal = registration.try_password(line, password, now=timezone.now())
        if refusal:
            return refusal
        line.save(update_fields=["wrong_passwords"])
        return releases.begin(line, chosen, minutes=minutes)


def _set(line: Line, wanted: Controls) -> None:
    for notice in _news(Controls.of(line), wanted):
        registration.tell(line, notice)
    line.stop_all, line.blocked_partners = wanted.stop_all, sorted(wanted.blocked_partners)
    line.save(update_fields=["stop_all", "blocked_partners", "wrong_passwords"])
    end_open(line, State.FAILED, "line_blocked", now=timezone.now(), only=_stopped(line))


def _news(former: Controls, wanted: Controls) -> Iterable[str]:
    """What the phone is told."""
    if wanted.stop_all != former.stop_all:
        yield "stop_all" if wanted.stop_all else "stop_all_ended"
    if wanted.blocked_partners - former.blocked_partners:
        yield "blocked"
    if former.blocked_partners - wanted.blocked_partners:
        yield "unblocked"


def _stopped(line: Line) -> Iterable[uuid.UUID]:
    open_now = Verification.objects.filter(line=line, ended_at=None)
    if not line.stop_all:
        open_now = open_now.filter(partner__in=line.blocked_partners)
    return list(open_now.values_list("pk", flat=True))
