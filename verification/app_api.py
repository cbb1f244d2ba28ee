"""What the app on the phone can do (api.md section 2). Every call is signed by the phone's own key."""

import re
import uuid
from typing import Any

from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ansim.lib import masking, proof, signing
from ansim.lib.api import Body, Door, Text
from ansim.lib.times import instant
from verification import controls, registration, unlocking
from verification.app_auth import NewPhone, PhoneDoor, checked
from verification.models import Line, Verification

SIX_DIGITS = re.compile(r"[0-9]{6}")
VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6}){0,3}")
OLDEST = {"android": (2, 3), "ios": (6, 0)}  # S4


class Key(serializers.JSONField):
    """A public P-256 JWK."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        try:
            proof.public_key(data)
        except ValueError as error:
            raise ValidationError("not a public P-256 JWK on the curve", "invalid") from error
        return proof.bare(data)


class Password(Text):
    """Six ASCII digits; anything else is no try."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=6, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not SIX_DIGITS.fullmatch(value):
            raise ValidationError("six digits", "invalid")
        return value


class Version(Text):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=32, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not VERSION.fullmatch(value):
            raise ValidationError("digits and dots", "invalid")
        return value


def supported(platform: str, os_version: str) -> bool:
    """S4: Android 2.3 or later, iOS 6.0 or later."""
    return tuple(int(part) for part in f"{os_version}.0".split(".")[:2]) >= OLDEST[platform]


class Registration(Body):
    activation_code = Text(max_length=64)
    platform = serializers.ChoiceField(tuple(OLDEST))
    os_version = Version()
    model = Text(max_length=64)
    app_version = Text(max_length=32)
    push_token = Text(max_length=4096)
    signing_key = Key()
    sealing_key = Key()
    password = Password()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not supported(attrs["platform"], attrs["os_version"]):
            raise ValidationError({"os_version": ["this phone is not supported"]}, "unsupported")
        if re.match(r"ipad", attrs["model"], re.IGNORECASE):
            raise ValidationError({"model": ["tablets are not supported"]}, "unsupported")
        if attrs["signing_key"] == attrs["sealing_key"]:
            raise ValidationError({"sealing_key": ["must be another key than signing_key"]}, "invalid")
        return attrs


class Changes(Body):
    """PUT device: what the app brings news of."""

    push_token = Text(max_length=4096)
    os_version = Version()
    app_version = Text(max_length=32)


class Unlocking(Body):
    password = Password()


class Denial(Body):
    reason = serializers.ChoiceField(("not_me", "cancel"))


class NewPassword(Body):
    current = Password()
    new = Password()


class Devices(Door):
    """POST: this phone becomes the line's one device."""

    authentication_classes = [NewPhone]

    def post(self, request: Request) -> Response:
        given = self.body(Registration)
        token = str(request.auth)
        if proof.signer(token) != proof.thumbprint(given["signing_key"]):
            raise AuthenticationFailed
        checked(request, token, given["signing_key"])
        code, password = given.pop("activation_code"), given.pop("password")
        phone = registration.Phone(**given)
        try:
            device, line = registration.register(
                code, phone=phone, password=password, address=request.META["REMOTE_ADDR"]
            )
        except registration.Weak as error:
            raise _weak("password") from error
        answer = {"device_id": str(device.pk), "jwks": signing.key_set(), "phone": masking.phone(line.phone)}
        return Response(answer, status=201)


def _weak(field: str) -> ValidationError:
    return ValidationError({field: [serializers.ErrorDetail("too easy to guess", "weak")]})


class DeviceDoor(PhoneDoor):
    """PUT: a new push token, a newer system or app."""

    def put(self, request: Request) -> Response:
        given, device = self.body(Changes), self.device
        if not supported(device.platform, given["os_version"]):
            raise ValidationError({"os_version": ["this phone is not supported"]}, "unsupported")
        for name, value in given.items():
            setattr(device, name, value)
        device.seen_at = timezone.now()
        device.save(update_fields=[*given, "seen_at"])
        return Response({"device_id": str(device.pk), "phone": masking.phone(self.line.phone)})


class Remove(PhoneDoor):
    """POST: take the app off this line; the line stays protected."""

    def post(self, request: Request) -> Response:
        password = self.body(Unlocking)["password"]
        refusal = registration.remove(self.device, password=password)
        if refusal:
            raise refusal
        return Response(status=204)


class PasswordDoor(PhoneDoor):
    """POST: another app password."""

    def post(self, request: Request) -> Response:
        given = self.body(NewPassword)
        try:
            refusal = registration.change_password(self.device, **given)
        except registration.Weak as error:
            raise _weak("new") from error
        if refusal:
            raise refusal
        return Response(status=204)


class Controlling(Body):
    stop_all = serializers.BooleanField()
    blocked_partners = serializers.ListField(child=serializers.UUIDField(), max_length=1000)
    password = Password(required=False)

    def validate_stop_all(self, given: bool) -> bool:
        if not isinstance(self.initial_data["stop_all"], bool):
            raise ValidationError("true or false", "invalid")
        return given


class ControlsDoor(PhoneDoor):
    """GET and PUT: stop-all and blocked partners; the password is needed for what turns protection down."""

    def get(self, request: Request) -> Response:
        return Response(_controls(self.line))

    def put(self, request: Request) -> Response:
        given = self.body(Controlling)
        wanted = controls.Controls(given["stop_all"], frozenset(given["blocked_partners"]))
        try:
            refusal = controls.change(self.device, wanted=wanted, password=given.get("password"))
        except controls.PasswordNeeded as error:
            raise ValidationError({"password": ["needed to turn protection down"]}, "required") from error
        except controls.UnknownPartner as error:
            raise ValidationError({"blocked_partners": ["not a partner"]}, "invalid") from error
        if refusal:
            raise refusal
        self.line.refresh_from_db()
        return Response(_controls(self.line))


def _controls(line: Line) -> dict[str, Any]:
    return {"stop_all": line.stop_all, "blocked_partners": [str(partner) for partner in line.blocked_partners]}


class Waiting(PhoneDoor):
    """GET: what waits for the owner."""

    def get(self, request: Request) -> Response:
        items = [_waiting(verification) for verification in unlocking.waiting(self.line)]
        return Response({"items": items, "next_cursor": None})


class Unlock(PhoneDoor):
    """POST: the app password; the answer is the number, sealed for this phone."""

    def post(self, request: Request, verification_id: uuid.UUID) -> Response:
        password = self.body(Unlocking)["password"]
        outcome = unlocking.unlock(verification_id, device=self.device, password=password).or_refuse()
        return Response({"envelope": outcome.envelope})


class Deny(PhoneDoor):
    """POST: not me, or not now."""

    def post(self, request: Request, verification_id: uuid.UUID) -> Response:
        reason = self.body(Denial)["reason"]
        outcome = unlocking.deny(verification_id, device=self.device, reason=reason).or_refuse()
        return Response({"state": outcome.verification.state, "reason": outcome.verification.reason})


class History(PhoneDoor):
    """GET: S9, and beside it what came later and was never opened."""

    def get(self, request: Request) -> Response:
        opened, not_opened = unlocking.history(self.line)
        return Response(
            {
                "items": [_past(one) for one in opened],
                "next_cursor": None,
                "not_opened": [_past(one) for one in not_opened],
            }
        )


def _partner(verification: Verification) -> dict[str, str]:
    return {
        "id": str(verification.partner_id),
        "name": verification.site["name"],
        "domain": verification.site["domain"],
    }


def _waiting(verification: Verification) -> dict[str, Any]:
    return {
        "id": str(verification.pk),
        "partner": _partner(verification),
        "purpose": verification.purpose,
        "region": verification.region or None,
        "match_number": verification.match_number,
        "created_at": instant(verification.created_at),
        "expires_at": instant(verification.expires_at),
        "state": verification.state,
    }


def _past(verification: Verification) -> dict[str, Any]:
    receipt = {"receipt": verification.receipt} if verification.receipt else {}
    return {
        "id": str(verification.pk),
        "partner": _partner(verification),
        "purpose": verification.purpose,
        "created_at": instant(verification.created_at),
        "ended_at": instant(verification.ended_at),
        "state": verification.state,
        "reason": verification.reason,
        "opened": verification.opened_at is not None,
        **receipt,
    }


urlpatterns = [
    path("devices", Devices.as_view(), name="app-devices"),
    path("device", DeviceDoor.as_view(), name="app-device"),
    path("device/remove", Remove.as_view(), name="app-device-remove"),
    path("password", PasswordDoor.as_view(), name="app-password"),
    path("controls", ControlsDoor.as_view(), name="app-controls"),
    path("verifications", Waiting.as_view(), name="app-verifications"),
    path("verifications/<uuid:verification_id>/unlock", Unlock.as_view(), name="app-unlock"),
    path("verifications/<uuid:verification_id>/deny", Deny.as_view(), name="app-deny"),
    path("history", History.as_view(), name="app-history"),
]
