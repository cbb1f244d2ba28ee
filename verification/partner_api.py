"""What a partner can do (api.md section 1): create, read, list, confirm, resend, cancel."""

import base64
import hashlib
import ipaddress
import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ansim import once, rates
from ansim.lib import birth, phone, signing
from ansim.lib.api import Body, Door, Text
from ansim.lib.problem import Refused
from verification import flow, idempotency, results
from verification.ending import Outcome
from verification.identity import CARRIERS, Identity
from verification.limits import SLOWED, Limits
from verification.models import ApiKey, Partner, Verification
from verification.partner_auth import PartnerKey

PURPOSES = ("join", "login", "find_id", "find_password", "change", "payment", "adult_check", "other")
CODE = re.compile(r"[0-9]{6}")


class Person(Body):
    """`identity`: what the partner was told by the person."""

    carrier = serializers.ChoiceField(CARRIERS, required=False)
    name = Text(max_length=100, required=False)
    birthdate = Text(max_length=6)
    gender_digit = Text(max_length=1)
    phone = Text(max_length=30)

    def validate_phone(self, typed: str) -> str:
        try:
            return phone.parse(typed)
        except ValueError as error:
            raise ValidationError("not a Korean mobile number", "invalid") from error

    def validate_gender_digit(self, typed: str) -> str:
        if typed not in birth.CENTURIES:
            raise ValidationError("one digit, 0 to 9", "invalid")
        return typed

    def validate_birthdate(self, typed: str) -> str:
        if not CODE.fullmatch(typed):
            raise ValidationError("six digits, YYMMDD", "invalid")
        return typed

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            birth.born_on(attrs["birthdate"], attrs["gender_digit"])
        except ValueError as error:
            raise ValidationError({"birthdate": ["no such day, or a day to come"]}, "invalid") from error
        return attrs


class SiteChoice(Body):
    domain = Text(max_length=253)


class Ask(Body):
    """POST /verifications."""

    reference = Text(max_length=64)
    purpose = serializers.ChoiceField(PURPOSES)
    site = SiteChoice(required=False)
    identity = Person(required=False)
    return_url = Text(max_length=2000, required=False)
    client_ip = Text(max_length=45, required=False)

    def validate_site(self, chosen: dict[str, str]) -> dict[str, str]:
        partner: Partner = self.context["partner"]
        known = {site["domain"]: site for site in partner.sites} if partner.is_agency else {}
        if chosen["domain"] not in known:
            raise ValidationError({"domain": ["not one of your registered sites"]}, "invalid")
        return {**known[chosen["domain"]], "agency": partner.name}

    def validate_return_url(self, url: str) -> str:
        if _origin(url) not in self.context["partner"].return_origins:
            raise ValidationError("its origin is not registered with you", "invalid")
        return url

    def validate_client_ip(self, address: str) -> str:
        try:
            return str(ipaddress.ip_address(address))
        except ValueError as error:
            raise ValidationError("not an IP address", "invalid") from error


def _origin(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.username or parts.password or not url.isprintable() or " " in url or "\\" in url:
        return None
    return f"{parts.scheme}://{parts.hostname}{port}"


def region(address: str) -> str:
    """What the owner is shown of where it came from: the network, not the address."""
    if not address:
        return ""
    parts = address.split(".") if "." in address else address.split(":")[:3]
    return ".".join([*parts[:3], "*"]) if "." in address else ":".join([*parts, "*"])


class Typed(Body):
    code = Text(max_length=6)

    def validate_code(self, typed: str) -> str:
        if not CODE.fullmatch(typed):
            raise ValidationError("six ASCII digits", "invalid")
        return typed


class PartnerDoor(Door):
    authentication_classes = [PartnerKey]

    @property
    def key(self) -> ApiKey:
        return cast(ApiKey, self.request.auth)

    passage: rates.Passage | None = None

    def check_throttles(self, request: Request) -> None:
        """The partner's own rate, over all its keys; a partner whose SMS are rarely completed has a tenth of it."""
        partner = self.key.partner
        limit = Limits.of(partner.limits).partner_per_min
        if partner.slowed_until and partner.slowed_until > timezone.now():
            limit = max(1, limit // SLOWED)
        self.passage = rates.take(rates.Rule(f"partner:{partner.pk}", limit), claim=self.claim(request))
        if not self.passage.allowed:
            raise Refused("too_many_requests", retry_after=self.passage.wait)

    def claim(self, request: Request) -> str | None:
        """What this request claims for itself while it is at work, if anything."""
        return None

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        for name, value in self.passage.headers().items() if self.passage else ():
            response.headers.setdefault(name, value)
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[return-value]

    def held(self, verification_id: uuid.UUID) -> dict[str, Any]:
        return {"pk": verification_id, "partner": self.key.partner_id}

    def mine(self) -> QuerySet[Verification]:
        return Verification.objects.select_related("partner").filter(partner=self.key.partner_id)

    def told(self, outcome: Outcome) -> Response:
        return Response(results.shown(outcome.or_refuse().verification))


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
            region=region(asked.get("client_ip", "")),
            address=asked.get("client_ip", ""),
            livemode=self.key.live,
            idempotency_key=key,
            request_hash=request_hash,
        )

    def get(self, request: Request) -> Response:
        limit, cursor = _page(request)
        found = self.mine().order_by("-created_at", "-id")
        if "reference" in request.query_params:
            found = found.filter(reference=request.query_params["reference"])
        if cursor:
            at, pk = cursor
            found = found.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
        page = list(found[: limit + 1])
        following = _cursor(page[limit - 1]) if len(page) > limit else None
        return Response(
            {"items": [results.shown(one, personal=False) for one in page[:limit]], "next_cursor": following}
        )


def _answer(started: flow.Started) -> dict[str, Any]:
    """The 201: the one answer with the window's secret."""
    return {**results.shown(started.verification), "window_url": f"{settings.BASE_URL}/window/{started.window_secret}"}


def _page(request: Request) -> tuple[int, tuple[datetime, uuid.UUID] | None]:
    """`limit` 1 to 100 (20) and where to go on. Anything else, and an unknown parameter, is `invalid`."""
    errors: dict[str, list[str]] = {
        name: ["is not known here"] for name in set(request.query_params) - {"reference", "limit", "cursor"}
    }
    given, cursor = request.query_params.get("limit", "20"), None
    if not re.fullmatch(r"[1-9][0-9]?|100", given):
        errors["limit"] = ["1 to 100"]
    if not 1 <= len(request.query_params.get("reference", "-")) <= 64 or "\0" in request.query_params.get(
        "reference", ""
    ):
        errors["reference"] = ["1 to 64 characters"]
    if "cursor" in request.query_params:
        try:
            at, pk = json.loads(base64.urlsafe_b64decode(request.query_params["cursor"]))
            cursor = (datetime.fromisoformat(at).astimezone(UTC), uuid.UUID(pk))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            errors["cursor"] = ["not one of ours"]
    if errors:
        raise ValidationError(errors)
    return int(given), cursor


def _cursor(last: Verification) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.created_at.isoformat(), str(last.pk)]).encode()).decode()


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
