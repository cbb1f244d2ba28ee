"""Who calls the app's doors: the one registered phone of a line, by its own signature (api.md section 2)."""

import uuid
from contextlib import suppress
from functools import cache
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ansim import once
from ansim.lib import proof, rows
from ansim.lib.api import Door
from pushes.models import Device
from verification.models import Line


def _target(request: Request) -> str:
    """Path and query exactly as sent; the web server keeps them, the path we route by is decoded."""
    return str(request.META.get("RAW_URI") or request.get_full_path())


def brought(request: Request) -> proof.Proof:
    """The proof that came with the request, not checked yet."""
    try:
        return proof.brought(request.META.get("HTTP_AUTHORIZATION", ""))
    except proof.BadProof as error:
        raise AuthenticationFailed from error


def checked(request: Request, given: proof.Proof, jwk: Any) -> None:
    try:
        key = proof.public_key(jwk)
        use = proof.check(
            given, key=key, method=str(request.method), target=_target(request), body=lambda: request._request.body
        )
    except proof.BadProof as error:
        raise AuthenticationFailed from error
    if not once.spend(f"proof:{use}", seconds=proof.COUNTS_ONCE_FOR):
        raise AuthenticationFailed


class PhoneProof(BaseAuthentication):
    """Sets `request.auth` to the Line whose one registered phone signed this call; all else is 401."""

    def authenticate(self, request: Request) -> tuple[None, Line]:
        given = brought(request)
        try:
            device_id = uuid.UUID(given.signer)
        except ValueError as error:
            raise AuthenticationFailed from error
        found = rows.first(_statement(), {"device": device_id})
        if found is None:
            raise AuthenticationFailed
        line, device = rows.read(Line, found), rows.read(Device, found)
        checked(request, given, device.signing_key)
        line.device = device
        return None, line

    def authenticate_header(self, request: Request) -> str:
        return "Proof"


@cache
def _statement() -> str:
    """Written out as in `partner_auth`."""
    return f"""
        SELECT {rows.columns(Line, "line")}, {rows.columns(Device, "device")}
          FROM verification_line line
          JOIN pushes_device device ON device.id = line.device_id
         WHERE line.device_id = %(device)s
    """  # noqa: S608 - names of columns, from our own models


class NewPhone(BaseAuthentication):
    """Registration: there is no device yet, so the proof is checked against the key in the body (by the view)."""

    def authenticate(self, request: Request) -> tuple[None, proof.Proof]:
        given = brought(request)
        with suppress(RequestDataTooBig):  # kept for the proof; too large a body is refused in its turn
            _ = request._request.body
        return None, given

    def authenticate_header(self, request: Request) -> str:
        return "Proof"


class PhoneDoor(Door):
    authentication_classes = [PhoneProof]

    @property
    def line(self) -> Line:
        return cast(Line, self.request.auth)

    @property
    def device(self) -> Device:
        assert self.line.device is not None  # noqa: S101 - PhoneProof lets no other in
        return self.line.device
