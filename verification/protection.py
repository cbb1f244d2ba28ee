"""Switching a line's protection. Called from above, in the caller's transaction; who pays is not known here."""

from datetime import date, datetime

from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from verification import registration
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
    former = line.device
    line.protection, line.protection_ended_at = Line.Protection.OFF, at
    line.stop_all, line.blocked_partners = False, []
    line.device, line.password, line.birthdate, line.wrong_passwords = None, "", None, 0
    line.activation_fingerprint = line.activation_expires_at = None
    line.save()
    if former:
        registration.tell(former, "cancelled")


def pause(line: Line) -> None:
    """The carrier suspended the line: no verification at all until it resumes (S6); what is open ends with it."""
    if line.protection == Line.Protection.ON:
        end_open(line, Verification.State.FAILED, "line_changed", now=timezone.now())
        line.protection = Line.Protection.PAUSED
        line.save(update_fields=["protection"])


def resume(line: Line) -> None:
    """The line resumed, and the protection with it."""
    if line.protection == Line.Protection.PAUSED:
        line.protection = Line.Protection.ON
        line.save(update_fields=["protection"])


def hold(contract: str) -> Line:
    """The line of that contract under lock. Refused: `not_found`."""
    line = Line.objects.of_contract(contract).select_for_update(of=("self",)).select_related("device").first()
    if line is None:
        raise Refused("not_found")
    return line
