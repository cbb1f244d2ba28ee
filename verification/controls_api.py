"""What the owner decides in the app (api.md section 2): stop-all, blocked partners, temporary releases."""

import uuid
from typing import Any

from django.urls import path
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ansim.lib.problem import Refused
from ansim.lib.times import instant
from verification import controls, partner_directory, releases
from verification.app_auth import PhoneDoor
from verification.app_forms import Controlling, Looking, Releasing
from verification.models import Line, Release


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


class PartnersDoor(PhoneDoor):
    """GET `?q=`: partners by a part of their registered name or domain, or by id; an agency also by its sites."""

    def get(self, request: Request) -> Response:
        asked = {name: request.query_params.getlist(name)[-1] for name in request.query_params}
        found = partner_directory.search(Looking().checked(asked, {})["q"])
        return Response({"items": [_found(one) for one in found], "next_cursor": None})


def _found(found: partner_directory.Found) -> dict[str, Any]:
    partner = found.partner
    sites = {"sites": found.sites} if partner.is_agency else {}
    return {"id": str(partner.pk), "name": partner.name, "domain": partner.domain, **sites}


class Releases(PhoneDoor):
    """GET: what is released, and what was used within a day. POST: release one partner, once, for some minutes."""

    def get(self, request: Request) -> Response:
        return Response({"items": [_release(one) for one in releases.listed(self.line)], "next_cursor": None})

    def post(self, request: Request) -> Response:
        given = self.body(Releasing)
        try:
            made = controls.release(
                self.device, partner=given["partner_id"], minutes=given["minutes"], password=given["password"]
            )
        except controls.UnknownPartner as error:
            raise ValidationError({"partner_id": ["not a partner"]}, "invalid") from error
        if isinstance(made, Refused):
            raise made
        return Response(_release(made), status=201)


class ReleaseDoor(PhoneDoor):
    """DELETE: end it before its time; one press."""

    def delete(self, request: Request, release_id: uuid.UUID) -> Response:
        self.no_body()
        releases.withdraw(release_id, line=self.line)
        return Response(status=204)


def _release(release: Release) -> dict[str, Any]:
    return {
        "id": str(release.pk),
        "partner_id": str(release.partner_id),
        "expires_at": instant(release.expires_at),
        "used_at": instant(release.used_at),
    }


urlpatterns = [
    path("controls", ControlsDoor.as_view(), name="app-controls"),
    path("partners", PartnersDoor.as_view(), name="app-partners"),
    path("releases", Releases.as_view(), name="app-releases"),
    path("releases/<uuid:release_id>", ReleaseDoor.as_view(), name="app-release"),
]
