"""What the web tier is measured against: bare Django views that do the same writes, without the product around them.

Key look-up, one call to Redis, and the rows in one transaction: no validation, no identity, no carrier, no limits, no
sealing, no middleware. `ROOT_URLCONF` of `bench.bare_settings`.
"""

import json
import uuid
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ansim import once
from ansim.lib import fingerprint
from pushes.models import Message
from verification.models import ApiKey, Verification, WebhookDelivery


def _key(request: HttpRequest) -> ApiKey:
    secret = request.headers["Authorization"].removeprefix("Bearer ")
    key = ApiKey.objects.select_related("partner").get(fingerprint=fingerprint.of("api-key", secret), revoked_at=None)
    once.store().incr(f"bare:{key.partner_id}")
    return key


@csrf_exempt
def create(request: HttpRequest) -> HttpResponse:
    """One verification and the message that it owes."""
    key, asked, now = _key(request), json.loads(request.body), timezone.now()
    later = now + timedelta(minutes=3)
    with transaction.atomic():
        made = Verification.objects.create(
            partner=key.partner, reference=asked["reference"], purpose=asked["purpose"],
            site={"name": key.partner.name, "domain": key.partner.domain}, created_at=now, expires_at=later,
            tries_left=5, resends_left=3, window_fingerprint=uuid.uuid4().hex, idempotency_key=uuid.uuid4().hex,
        )  # fmt: skip
        Message.objects.create(
            channel="sms", kind="sms", about=made.pk, due_at=later + timedelta(days=9), expires_at=later, body=None
        )
    return JsonResponse({"id": made.pk, "reference": made.reference, "state": made.state}, status=201)


@csrf_exempt
def confirm(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Its end and the webhook that it owes."""
    key, now = _key(request), timezone.now()
    json.loads(request.body)
    with transaction.atomic():
        ended = Verification.objects.select_for_update().get(pk=pk, partner=key.partner)
        ended.state, ended.reason, ended.ended_at = "expired", "code_not_entered", now
        ended.save(update_fields=["state", "reason", "ended_at"])
        WebhookDelivery.objects.create(
            partner=key.partner, verification=ended, type="bare", body="{}", due_at=now + timedelta(days=9),
            created_at=now,
        )  # fmt: skip
    return JsonResponse({"id": ended.pk, "state": ended.state})


urlpatterns = [path("bare/create", create), path("bare/<uuid:pk>/confirm", confirm)]
