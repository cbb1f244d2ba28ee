"""The app on the phone: activation, registering, its password and its lock (mission.md S5; api.md section 2)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.problem import Refused
from pushes import delivery
from pushes.models import Device
from verification import codes, releases
from verification.ending import end_open
from verification.models import Line, Verification, WrongActivation
from verification.owner_notices import tell as tell
from verification.states import Channel, State

ACTIVATION_LIFE = timedelta(minutes=10)
WRONG_ACTIVATIONS = 10  # an hour from one address
HOUR = timedelta(hours=1)


class Weak(Exception):
    """A password that a thief tries first."""


@dataclass(frozen=True)
class Phone:
    """What the app says of itself. The keys are public JWKs, checked by the door."""

    platform: str
    os_version: str
    model: str
    app_version: str
    push_token: str
    signing_key: dict[str, Any]
    sealing_key: dict[str, Any]


def issue_activation(line: Line, *, life: timedelta = ACTIVATION_LIFE) -> str:
    """A new code for a line the caller holds; any older one is void. Returned once, kept as a fingerprint."""
    code = codes.activation()
    line.activation_fingerprint = fingerprint.of("activation", code)
    line.activation_expires_at = timezone.now() + life
    line.save(update_fields=["activation_fingerprint", "activation_expires_at"])
    return code


def register(activation_code: str, *, phone: Phone, password: str, address: str) -> tuple[Device, Line]:
    """Make this phone the line's one device. The older phone is told and can do nothing more; a lock ends.

    Refused: `not_found` (wrong, used or old code), `too_many_requests` (ten wrong ones in an hour from that address).
    Raises `Weak`; then the code is not used up.
    """
    refusal = _guessed_too_often(address)
    if refusal:
        raise refusal
    with transaction.atomic():
        now = timezone.now()
        held = Line.objects.with_activation(codes.activation_as_typed(activation_code), now=now).select_for_update(
            of=("self",)
        )
        line = held.exclude(protection=Line.Protection.OFF).select_related("device").first()
        if line is not None:
            return _take_over(line, phone, password), line
    _count_wrong(address)
    raise Refused("not_found")


def _take_over(line: Line, phone: Phone, password: str) -> Device:
    if codes.weak_password(password, phone=line.phone, birthdate=_birthdate(line)):
        raise Weak
    releases.end_all(line)
    former, is_first = line.device, not line.password
    device = Device.objects.create(
        platform=phone.platform, os_version=phone.os_version, model=phone.model, app_version=phone.app_version,
        push_token=phone.push_token, signing_key=phone.signing_key, sealing_key=phone.sealing_key,
    )  # fmt: skip
    line.device, line.wrong_passwords = device, 0
    line.password = codes.password_hash(password, line=line.pk)
    line.activation_fingerprint = line.activation_expires_at = None
    line.save(
        update_fields=["device", "wrong_passwords", "password", "activation_fingerprint", "activation_expires_at"]
    )
    if former:
        _end_what_only_it_can_open(line)
        delivery.tell(former, "replaced")
    if not is_first:  # who has the old phone and the mail is warned; the first one is where its owner stands
        tell(line, "registered")
    return device


def _end_what_only_it_can_open(line: Line) -> None:
    """A number that is out was sealed for the former phone; what still waits is for the new one to unlock."""
    sealed = Verification.objects.filter(line=line, ended_at=None, state=State.AWAITING_CODE, channel=Channel.APP)
    ids = list(sealed.values_list("pk", flat=True))
    end_open(line, State.FAILED, "line_changed", now=timezone.now(), only=ids)


def _birthdate(line: Line) -> date | None:
    return date.fromisoformat(line.birthdate) if line.birthdate else None


def _guessed_too_often(address: str) -> Refused | None:
    """Guessing codes: ten wrong in an hour from one address close it for every code, right ones too."""
    wrong = WrongActivation.objects.filter(
        address_fingerprint=fingerprint.of("address", address), at__gt=timezone.now() - HOUR
    )
    times = list(wrong.order_by("-at").values_list("at", flat=True)[:WRONG_ACTIVATIONS])
    if len(times) < WRONG_ACTIVATIONS:
        return None
    return Refused("too_many_requests", retry_after=max(1, int((times[-1] + HOUR - timezone.now()).total_seconds())))


def _count_wrong(address: str) -> None:
    WrongActivation.objects.create(address_fingerprint=fingerprint.of("address", address), at=timezone.now())


def try_password(line: Line, password: str, *, now: datetime) -> Refused | None:
    """One counter for every call that takes the password, on a line the caller holds; the right one resets it.

    Returns the refusal, because a wrong try must be written: `locked`, or `wrong_password` with `tries_left`. The fifth
    wrong one locks and ends what is open (`app_locked`). A reset (`wrong_passwords`) is for the caller to write.
    """
    if line.wrong_passwords >= settings.PASSWORD_TRIES:
        return Refused("locked")
    if codes.right_password(password, line.password, line=line.pk):
        line.wrong_passwords = 0
        if codes.former_pepper(line.password):
            line.password = codes.password_hash(password, line=line.pk)
            line.save(update_fields=["password"])
        return None
    line.wrong_passwords += 1
    line.save(update_fields=["wrong_passwords"])
    if line.wrong_passwords >= settings.PASSWORD_TRIES:
        end_open(line, Verification.State.FAILED, "app_locked", now=now)
        releases.end_all(line, by=releases.End.LOCKED)
        tell(line, "locked")
    return Refused("wrong_password", tries_left=settings.PASSWORD_TRIES - line.wrong_passwords)


def hold_line(device: Device) -> Line:
    """The line of this phone under lock. Refused `not_found` when another phone took its place a moment ago."""
    line = Line.objects.select_for_update(of=("self",)).select_related("device").filter(device=device).first()
    if line is None:
        raise Refused("not_found")
    return line


def change_password(device: Device, *, current: str, new: str) -> Refused | None:
    """Refused: `locked`, `wrong_password`. Raises `Weak` for the new one."""
    with transaction.atomic():
        line = hold_line(device)
        refusal = try_password(line, current, now=timezone.now())
        if refusal is None:
            if codes.weak_password(new, phone=line.phone, birthdate=_birthdate(line)):
                raise Weak
            line.password = codes.password_hash(new, line=line.pk)
            line.save(update_fields=["password", "wrong_passwords"])
            tell(line, "password_changed")
        return refusal


def remove(device: Device, *, password: str) -> Refused | None:
    """Take the app off the line. The line stays protected: no app, no verification, and never an SMS (S5)."""
    with transaction.atomic():
        now, line = timezone.now(), hold_line(device)
        refusal = try_password(line, password, now=now)
        if refusal is None:
            end_open(line, Verification.State.FAILED, "app_not_registered", now=now)
            releases.end_all(line)
            line.device = None  # its password stays: with it the owner registers the app again without the call centre
            line.save(update_fields=["device", "wrong_passwords"])
            tell(line, "removed", phone=device)
        return refusal
