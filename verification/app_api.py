"""What the app on the phone can do (api.md section 2). Every call is signed by the phone's own key."""

import uuid
from typing import Any, cast

from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ansim.lib import masking, proof, signing
from ansim.lib.api import Door
from ansim.lib.times import instant
from verification import registration, unlocking
from verification.app_auth import NewPhone, PhoneDoor, checked
from verification.app_forms import Changes, Denial, NewPassword, Registration, Unlocking, supported
from verification.models import Verification


class Devices(Door):
    """POST: this phone becomes the line's one device."""

    authentication_classes = [NewPhone]

    def post(self, request: Request) -> Response:
        given = self.body(Registration)
        its_proof = cast(proof.Proof, request.auth)
        if its_proof.signer != proof.thumbprint(given["signing_key"]):
            raise AuthenticationFailed
        checked(request, its_proof, given["signing_key"])
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
        outcome = unlocking.deny(verification_id, device=self.device, reason=reason)
        outcome.or_refuse()
        answer: dict[str, Any] = {"state": outcome.verification.state, "reason": outcome.verification.reason}
        if outcome.reported:
            answer |= {
                "slowed_until": instant(outcome.reported.slowed_until),
                "offer_stop_all": outcome.reported.offer_stop_all,
            }
        return Response(answer)


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
        "channel": verification.channel,
        "released": verification.released,
        "opened": verification.opened_at is not None,
        **receipt,
    }


urlpatterns = [
    path("devices", Devices.as_view(), name="app-devices"),
    path("device", DeviceDoor.as_view(), name="app-device"),
    path("device/remove", Remove.as_view(), name="app-device-remove"),
    path("password", PasswordDoor.as_view(), name="app-password"),
    path("verifications", Waiting.as_view(), name="app-verifications"),
    path("verifications/<uuid:verification_id>/unlock", Unlock.as_view(), name="app-unlock"),
    path("verifications/<uuid:verification_id>/deny", Deny.as_view(), name="app-deny"),
    path("history", History.as_view(), name="app-history"),
]
