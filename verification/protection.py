"""Switching a line's protection. Called from above, in the caller's transaction; who pays is not known here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from verification import owner_mail, registration, releases
from verification.carrier import LineFacts
from verification.ending import end_open
from verification.models import Line, Verification


def turn_on(facts: LineFacts, *, birthdate: date) -> Line:
    """From this commit on the line's number never goes by SMS: what is open by SMS ends with it (`line_changed`)."""
    line = Line.objects.take(facts).line
    end_open(line, Verification.State.FAILED, "line_changed", now=timezone.now())
    line.protection, line.birthdate = Line.Protection.ON, birthdate.isoformat()
    # A line without protection is known by its contract; its number may have changed since it was first asked about.
    line.phone, line.phone_fingerprint = facts.phone, fingerprint.of("phone", facts.phone)
    line.save(update_fields=["protection", "birthdate", "phone", "phone_fingerprint"])
    return line


def turn_off(line: Line, *, at: datetime) -> None:
    """The service ended: the phone's registration and password are gone, what is open ends (`line_changed`)."""
    end_open(line, Verification.State.FAILED, "line_changed", now=timezone.now())
    releases.end_all(line)
    former = line.device
    line.protection, line.protection_ended_at = Line.Protection.OFF, at
    line.stop_all, line.blocked_partners = False, []
    line.device, line.password, line.birthdate, line.wrong_passwords = None, "", None, 0
    line.activation_fingerprint = line.activation_expires_at = None
    line.save()
    registration.tell(line, "cancelled", phone=former)
    owner_mail.forget(line)


def pause(line: Line) -> None:
    """The carrier suspended the line: no verification at all until it resumes (S6); what is open ends with it."""
    if line.protection == Line.Protection.ON:
        end_open(line, Verification.State.FAILED, "line_changed", now=timezone.now())
        releases.end_all(line)
        line.protection = Line.Protection.PAUSED
        line.save(update_fields=["protection"])


def resume(line: Line) -> None:
    """The line resumed, and the protection with it."""
    if line.protection == Line.Protection.PAUSED:
        line.protection = Line.Protection.ON
        line.save(update_fields=["protection"])


def revoke(line: Line, *, reason: str = "line_changed", notice: str = "device_changed") -> None:
    """Another phone than the registered one (S8), or a lost one: it can do nothing more, and is told. The protection
    stays. `reason` is how what is open ends.

    The password stays as well: with it the owner registers the new phone without the call centre.
    """
    former = line.device
    if former is None:
        return
    end_open(line, Verification.State.FAILED, reason, now=timezone.now())
    releases.end_all(line)
    line.device = None
    line.save(update_fields=["device"])
    registration.tell(line, notice, phone=former)


def disturb(line: Line, *, began_before: datetime) -> None:
    """The carrier reported a change, protected or not: what had begun ends, and older look-ups count no more."""
    began = Verification.objects.filter(line=line, ended_at=None, created_at__lte=began_before)
    end_open(
        line, Verification.State.FAILED, "line_changed", now=timezone.now(), only=began.values_list("pk", flat=True)
    )
    releases.end_all(line)
    line.disturbed_at = max(began_before, line.disturbed_at or began_before)
    line.save(update_fields=["disturbed_at"])


@dataclass(frozen=True)
class Learned:
    """What the carrier's reports say of a line, all of them taken together. None: nothing was reported."""

    phone: str | None
    owner_since: datetime | None
    protection_ended_at: datetime | None
    sim_changed_at: datetime | None
    device_changed_at: datetime | None
    number_changed_at: datetime | None


def learn(line: Line, learned: Learned) -> None:
    """Keep it with a line that the caller holds: the number for people to see, the times as risk of later results."""
    said: dict[str, Any] = {name: value for name, value in vars(learned).items() if value is not None}
    if "phone" in said:
        said["phone_fingerprint"] = fingerprint.of("phone", said["phone"])
    changed = [name for name, value in said.items() if getattr(line, name) != value]
    for name in changed:
        setattr(line, name, said[name])
    if changed:
        line.save(update_fields=changed)


def hold(contract: str) -> Line:
    """The line of that contract under lock. Refused: `not_found`."""
    line = Line.objects.of_contract(contract).select_for_update(of=("self",)).select_related("device").first()
    if line is None:
        raise Refused("not_found")
    return line
