"""What the app sends (api.md section 2): the bodies of its calls, and what is refused in them."""

import re
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from ansim.lib import proof
from ansim.lib.api import Body, Text

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


class Controlling(Body):
    stop_all = serializers.BooleanField()
    blocked_partners = serializers.ListField(child=serializers.UUIDField(), max_length=1000)
    password = Password(required=False)

    def validate_stop_all(self, given: bool) -> bool:
        if not isinstance(self.initial_data["stop_all"], bool):
            raise ValidationError("true or false", "invalid")
        return given


class Looking(Body):
    """The query of GET partners."""

    q = Text(max_length=64, allow_blank=True)


class Releasing(Body):
    password = Password()
    partner_id = serializers.UUIDField()
    minutes = serializers.IntegerField(min_value=1, max_value=10)

    def validate_minutes(self, given: int) -> int:
        if type(self.initial_data["minutes"]) is not int:
            raise ValidationError("a whole number", "invalid")
        return given
