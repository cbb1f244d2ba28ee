"""What a partner can see and do about its webhooks (docs/webhooks.md): the delivery log, and deliver one again."""

import re
import uuid
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.urls import path
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ansim.lib import paging
from ansim.lib.problem import Refused
from verification import webhooks
from verification.models import WebhookAttempt, WebhookDelivery
from verification.partner_door import PartnerDoor

SHOWN_ATTEMPTS = 20
WEBHOOK_ID = re.compile(r"msg_[0-9a-f]{32}")


def shown(delivery: WebhookDelivery) -> dict[str, Any]:
    """`next_attempt_at` is null once it is delivered or given up; `log` has the newest attempts first, for 30 days."""
    owed = delivery.state == WebhookDelivery.State.OWED
    return {
        "id": delivery.webhook_id,
        "type": delivery.type,
        "verification": str(delivery.verification_id),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at,
        "delivered_at": delivery.delivered_at,
        "next_attempt_at": delivery.due_at if owed else None,
        "log": [
            {"at": attempt.at, "status": attempt.status, "error": attempt.error or None, "ms": attempt.ms}
            for attempt in delivery.newest  # type: ignore[attr-defined] # brought by `mine`
        ],
    }


class WebhookDoor(PartnerDoor):
    def mine(self) -> QuerySet[WebhookDelivery]:  # type: ignore[override] # this door's rows are deliveries
        newest = Prefetch("log", WebhookAttempt.objects.order_by("-at", "-id")[:SHOWN_ATTEMPTS], to_attr="newest")
        return WebhookDelivery.objects.filter(partner=self.key.partner_id).prefetch_related(newest)


class Deliveries(WebhookDoor):
    """GET: what was to be told, newest first; `verification` and `state` narrow it down."""

    def get(self, request: Request) -> Response:
        page = paging.asked(request, known=("verification", "state"))
        deliveries, following = page.of(self.mine().filter(**_narrowed(request)))
        return Response({"items": [shown(delivery) for delivery in deliveries], "next_cursor": following})


def _narrowed(request: Request) -> dict[str, Any]:
    narrowed: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    if "verification" in request.query_params:
        try:
            narrowed["verification"] = uuid.UUID(request.query_params["verification"])
        except ValueError:
            errors["verification"] = ["not the id of a verification"]
    if "state" in request.query_params:
        narrowed["state"] = request.query_params["state"]
        if narrowed["state"] not in WebhookDelivery.State.values:
            errors["state"] = [f"one of {', '.join(WebhookDelivery.State.values)}"]
    if errors:
        raise ValidationError(errors)
    return narrowed


class Replay(WebhookDoor):
    """POST: deliver it again, under the same webhook-id. 202: it is on its way, the log will tell."""

    def post(self, request: Request, webhook_id: str) -> Response:
        self.no_body()
        if not WEBHOOK_ID.fullmatch(webhook_id):
            raise Refused("not_found")
        pk = uuid.UUID(webhook_id.removeprefix("msg_"))
        try:
            webhooks.replay(pk=pk, partner=self.key.partner_id)
        except WebhookDelivery.DoesNotExist as error:
            raise Refused("not_found") from error
        return Response(shown(self.mine().get(pk=pk)), status=202)


urlpatterns = [
    path("webhook-deliveries", Deliveries.as_view(), name="partner-webhook-deliveries"),
    path("webhook-deliveries/<str:webhook_id>/replay", Replay.as_view(), name="partner-webhook-replay"),
]
