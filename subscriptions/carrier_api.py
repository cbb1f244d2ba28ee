"""What the carrier tells us (api.md section 3): one address, CloudEvents, signed."""

from contextlib import suppress

from django.urls import path
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ansim.lib.api import Door
from ansim.lib.strict_json import StrictJson
from subscriptions import carrier_events
from subscriptions.carrier_auth import CarrierSignature
from subscriptions.carrier_events import Report
from subscriptions.carrier_forms import EventForm


class CloudEvent(StrictJson):
    media_type = "application/cloudevents+json"


class Events(Door):
    """POST: 202 once it is kept. A repeat, whatever its body, is thanked for and does nothing."""

    authentication_classes = [CarrierSignature]
    parser_classes = [CloudEvent]

    def post(self, request: Request) -> Response:
        try:
            event = self.body(EventForm)
        except ValidationError:
            if not _repeated(request):
                raise
        else:
            carrier_events.take(
                Report(event["source"], event["id"], event["type"], event["subject"], event["time"], event.get("data"))
            )
        return Response({"accepted": True}, status=202)


def _repeated(request: Request) -> bool:
    """Refused as it is written, but under a name that we know: that one was taken long ago."""
    with suppress(ValidationError):  # what no text can hold was never kept
        given = dict(request.data)
        source, event_id = given.get("source"), given.get("id")
        return isinstance(source, str) and isinstance(event_id, str) and carrier_events.is_repeat(source, event_id)
    return False


urlpatterns = [path("events", Events.as_view(), name="carrier-events")]
