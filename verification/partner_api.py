"""What a partner can do (api.md section 1): create, read, list, confirm, resend, cancel."""

import hashlib
import json
import uuid
from typing import Any

from django.conf import settings
from django.urls import path
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ansim import once
from ansim.lib import paging, signing
from ansim.lib.api import Door
from ansim.lib.problem import Refused
from verification import flow, idempotency, regions, results
from verification.ending import Outcome
from verification.identity import Identity
from verification.models import Verification
from verification.partner_door import PartnerDoor
from verification.partner_forms import Ask, Typed


class Verifications(PartnerDoor):
    """POST: ask whether somebody is who they say. GET: the list, newest first."""

    def claim(self, request: Request) -> str | None:
        return idempotency.claim_of(self.key, request) if request.method == "POST" else None

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        if self.passage and self.passage.claimed and response.status_code != 201:
            once.release(str(idempotency.claim_of(self.key, request)))  # only a 201 is kept: the rest may be retried
        return super().finalize_response(request, response, *args, **kwargs)

    def post(self, request: Request) -> Response:
        asked = self.body(Ask, partner=self.key.partner)
        key = idempotency.key_of(request)
        request_hash = idempotency.hash_of(request)
        ask = self._ask(asked, key, request_hash)

        def work() -> dict[str, Any]:
            started = flow.start(ask, partner=self.key.partner, answer=_answer)
            return dict(started.verification.first_answer)

        answer, repeated = idempotency.once_only(
            self.key, key, request_hash, work, first=bool(self.passage and self.passage.claimed)
        )
        return Response(answer, status=201, headers={"Idempotent-Replayed": "true"} if repeated else None)

    def _ask(self, asked: dict[str, Any], key: str, request_hash: str) -> flow.Ask:
        partner = self.key.partner
        return flow.Ask(
            reference=asked["reference"],
            purpose=asked["purpose"],
            site=asked.get("site") or {"name": partner.name, "domain": partner.domain},
            identity=Identity(**asked["identity"]) if "identity" in asked else None,
            return_url=asked.get("return_url", ""),
            region=regions.shown(asked.get("client_ip", "")),
            address=asked.get("client_ip", ""),
            livemode=self.key.live,
            idempotency_key=key,
            request_hash=request_hash,
        )

    def get(self, request: Request) -> Response:
        page = paging.asked(request, known=["reference"])
        found = self.mine()
        if "reference" in request.query_params:
            found = found.filter(reference=_reference(request.query_params["reference"]))
        items, following = page.of(found)
        return Response({"items": [results.shown(one, personal=False) for one in items], "next_cursor": following})


def _reference(asked: str) -> str:
    if not 1 <= len(asked) <= 64 or "\0" in asked:
        raise ValidationError({"reference": ["1 to 64 characters"]})
    return asked


def _answer(started: flow.Started) -> dict[str, Any]:
    """The 201: the one answer with the window's secret."""
    return {**results.shown(started.verification), "window_url": f"{settings.BASE_URL}/window/{started.window_secret}"}


class One(PartnerDoor):
    """GET: where it stands; the result while it may be read."""

    def get(self, request: Request, verification_id: uuid.UUID) -> Response:
        verification = self._now(verification_id)
        shown = results.shown(verification)
        etag = f'"{hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        wanted = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
        if etag in wanted or "*" in wanted:
            return Response(status=304, headers=headers)
        return Response(shown, headers=headers)

    def _now(self, verification_id: uuid.UUID) -> Verification:
        """As it is at this moment: what the clock has not got to yet is done here."""
        verification = self._find(verification_id)
        if verification.is_open and verification.expires_at <= timezone.now():
            flow.expire(verification.pk)
            verification = self._find(verification_id)
        results.erase_if_due(verification, now=timezone.now())
        return verification

    def _find(self, verification_id: uuid.UUID) -> Verification:
        try:
            return self.mine().get(pk=verification_id)
        except Verification.DoesNotExist as error:
            raise Refused("not_found") from error


class Confirm(PartnerDoor):
    """POST: the number as the person typed it."""

    def post(self, request: Request, verification_id: uuid.UUID) -> Response:
        code = self.body(Typed)["code"]
        return self.told(_found(lambda: flow.confirm(code=code, **self.held(verification_id))))


class Resend(PartnerDoor):
    """POST: the same SMS, or the wake-up, again."""

    def post(self, request: Request, verification_id: uuid.UUID) -> Response:
        self.no_body()
        return self.told(_found(lambda: flow.resend(**self.held(verification_id))))


class Cancel(PartnerDoor):
    """POST: the partner no longer wants to know."""

    def post(self, request: Request, verification_id: uuid.UUID) -> Response:
        self.no_body()
        return self.told(_found(lambda: flow.cancel(reason="cancelled_by_partner", **self.held(verification_id))))


def _found(story: Any) -> Outcome:
    """Another partner's verification is not there for this one."""
    try:
        outcome: Outcome = story()
    except Verification.DoesNotExist as error:
        raise Refused("not_found") from error
    return outcome


class KeySet(Door):
    """GET: the public keys of our signatures, for anybody."""

    authentication_classes = []
    permission_classes = []

    def get(self, request: Request) -> Response:
        return Response(signing.key_set(), headers={"Cache-Control": "public, max-age=300"})


urlpatterns = [
    path("verifications", Verifications.as_view(), name="partner-verifications"),
    path("verifications/<uuid:verification_id>", One.as_view(), name="partner-verification"),
    path("verifications/<uuid:verification_id>/confirm", Confirm.as_view(), name="partner-confirm"),
    path("verifications/<uuid:verification_id>/resend", Resend.as_view(), name="partner-resend"),
    path("verifications/<uuid:verification_id>/cancel", Cancel.as_view(), name="partner-cancel"),
]
