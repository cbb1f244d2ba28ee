"""What partners may send (api.md section 1): the bodies, and what is refused in them."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from ansim.lib import birth, phone
from ansim.lib.api import Body, Text
from verification.identity import CARRIERS
from verification.models import Partner

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
    """Scheme, host and port as they stand: a user, an empty port or a look-alike letter makes it another origin."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not url.isprintable() or " " in url or "\\" in url or not parts.netloc.isascii():
        return None
    return f"{parts.scheme}://{parts.netloc.lower()}"


class Typed(Body):
    code = Text(max_length=6)

    def validate_code(self, typed: str) -> str:
        if not CODE.fullmatch(typed):
            raise ValidationError("six ASCII digits", "invalid")
        return typed
