"""An event of the carrier as it must be written: CloudEvents 1.0 in the JSON format, and our types' data (api.md 3)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from ansim.lib import phone
from ansim.lib.api import Body, Text
from subscriptions.models import CarrierEvent
from verification.identity import CARRIERS

PREFIX = "kr.ansim.line."
AHEAD = timedelta(minutes=5)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,20})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
URI_REFERENCE = re.compile(r"""[!#-;=?-\[\]_a-z~%]+""", re.ASCII)
EXTENSION = re.compile(r"[a-z0-9]+")
JSON_TYPE = re.compile(r"[\w.+-]+/([\w.+-]+\+)?json\s*(;.*)?", re.ASCII | re.IGNORECASE)


class Instant(Text):
    """RFC 3339 with its zone; in UTC afterwards."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not RFC_3339.fullmatch(text):
            raise serializers.ValidationError("a time as in RFC 3339")
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise serializers.ValidationError("no such time") from error


class Phone(Text):
    """A Korean mobile number; as E.164 afterwards."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return phone.parse(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError("a Korean mobile number") from error


class Word(serializers.ChoiceField):
    """One of the agreed words, and a string."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return str(super().to_internal_value(data))


class Nothing(Body):
    pass


class PortedOut(Body):
    to = Word([name for name in CARRIERS if name != "SKT"])


class NumberChanged(Body):
    phone = Phone(max_length=32)


class Handset(Body):
    model = Text(max_length=200)
    os = Word(["android", "ios", "windows_mobile", "other"])
    os_version = Text(max_length=200)
    form = Word(["phone", "tablet"])


class DeviceChanged(Body):
    handset = Handset()


class PlanChanged(Body):
    plan_type = Word(["postpaid", "prepaid", "m2m", "special"])


DATA: dict[str, type[Body]] = {
    "suspended": Nothing,
    "resumed": Nothing,
    "terminated": Nothing,
    "ported_out": PortedOut,
    "owner_changed": Nothing,
    "number_changed": NumberChanged,
    "device_changed": DeviceChanged,
    "plan_changed": PlanChanged,
    "sim_changed": Nothing,
}


class EventForm(Body):
    """`null` is an attribute that is not set, as CloudEvents say. Extension attributes are taken and not kept."""

    specversion = Word(["1.0"])
    id = Text(max_length=255)
    source = Text(max_length=255)  # type: ignore[assignment] # the metaclass takes fields away
    type = Text(max_length=255)
    subject = Text(max_length=200)
    time = Instant()
    datacontenttype = Text(required=False, max_length=255)
    dataschema = Text(required=False, max_length=2000)
    data = serializers.JSONField(required=False)  # type: ignore[assignment] # the same

    def to_internal_value(self, data: Any) -> Any:
        given = {name: value for name, value in data.items() if value is not None}
        extensions = {name: value for name, value in given.items() if name not in self.fields and _extends(name, value)}
        return super().to_internal_value({name: value for name, value in given.items() if name not in extensions})

    def validate_source(self, source: str) -> str:
        if not URI_REFERENCE.fullmatch(source):
            raise serializers.ValidationError("a URI reference")
        return source

    def validate_time(self, time: datetime) -> datetime:
        if time > timezone.now() + AHEAD:
            raise serializers.ValidationError("more than 5 minutes ahead")
        return time

    def validate_datacontenttype(self, media_type: str) -> str:
        if not JSON_TYPE.fullmatch(media_type):
            raise serializers.ValidationError("JSON only")
        return media_type

    def validate(self, event: dict[str, Any]) -> dict[str, Any]:
        """Of a type that we know the data must be as agreed; of others anything is kept."""
        short = event["type"].removeprefix(PREFIX)
        known = event["type"].startswith(PREFIX) and short in DATA
        event["type"] = short if known else CarrierEvent.UNKNOWN + event["type"]
        if known:
            given = event.get("data")
            data = DATA[short](data={} if given is None else given)
            if not data.is_valid():
                raise serializers.ValidationError({"data": data.errors})
            event["data"] = dict(data.validated_data)
        return event


def _extends(name: str, value: Any) -> bool:
    """CloudEvents 1.0, 3.1: names of lower-case letters and digits; values are booleans, integers or strings."""
    return bool(EXTENSION.fullmatch(name)) and isinstance(value, bool | int | str)
