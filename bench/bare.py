"""What the web tier is measured against: bare Django views that do the same writes, without the product around them.

Key look-up, one call to Redis, and the same rows in one transaction: no validation, no identity, no carrier, no limits,
no bells, no signature, no log, no middleware. `ROOT_URLCONF` of `bench.bare_settings`.
"""

import json
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ansim import once
from ansim.lib import fingerprint
from pushes.models import Message
from verification.models import ApiKey, Line, Verification, WebhookDelivery

LATER = timedelta(seconds=50)  # nobody else is to send or end it meanwhile; `bench.beside` removes it before
LIFE = timedelta(minutes=3)
WORDS = "as many words as stand in the text of a message, give or take a few; enough for a receipt, too"


def _key(request: HttpRequest) -> ApiKey:
    secret = request.headers["Authorization"].removeprefix("Bearer ")
    key = ApiKey.objects.select_related("partner").get(fingerprint=fingerprint.of("api-key", secret), revoked_at=None)
    once.store().incr(f"bare:{key.partner_id}")
    return key


@csrf_exempt
def create(request: HttpRequest) -> HttpResponse:
    """The line's row, one verification with its number, the message and the webhook that it owes."""
    key, asked, now = _key(request), json.loads(request.body), timezone.now()
    phone, later = asked["identity"]["phone"], now + LATER
    with transaction.atomic():
        line, _ = Line.objects.update_or_create(
            contract_fingerprint=fingerprint.of("contract", f"bare{phone}"),
            defaults={"serial": F("serial") + 1},
            create_defaults={
                "contract": f"bare{phone}", "phone": phone, "phone_fingerprint": fingerprint.of("phone", phone)
            },
        )  # fmt: skip
        made = Verification.objects.create(
            partner=key.partner, reference=asked["reference"], purpose=asked["purpose"], line=line, line_serial=1,
            site={"name": key.partner.name, "domain": key.partner.domain}, tries_left=5, resends_left=3,
            state="awaiting_code", channel="sms", code_fingerprint=fingerprint.of("code", "259173"), holder=asked,
            created_at=now, matched_at=now, sent_at=now, expires_at=now + LIFE, code_expires_at=now + LIFE,
            region="bare",
            window_fingerprint=uuid.uuid4().hex, idempotency_key=uuid.uuid4().hex, request_hash=uuid.uuid4().hex,
            first_answer=asked,
        )  # fmt: skip
        Message.objects.create(
            channel="sms", kind="sms", about=made.pk, due_at=later, expires_at=later, body={"to": phone, "text": WORDS}
        )
        _owe(made, key, later)
    return JsonResponse({"id": made.pk, "reference": made.reference, "state": made.state}, status=201)


@csrf_exempt
def confirm(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Its end with a receipt, and the webhook that it owes."""
    key, now = _key(request), timezone.now()
    typed = json.loads(request.body)["code"]
    with transaction.atomic():
        ended = Verification.objects.select_for_update().get(pk=pk, partner=key.partner)
        if ended.code_fingerprint == fingerprint.of("code", typed):
            ended.state, ended.ended_at, ended.receipt = "verified", now, WORDS
            ended.save(update_fields=["state", "ended_at", "receipt"])
            _owe(ended, key, now + LATER)
    return JsonResponse({"id": ended.pk, "state": ended.state})


def _owe(verification: Verification, key: ApiKey, due_at: datetime) -> None:
    body = json.dumps({"type": "bare", "data": {"id": str(verification.pk), "state": verification.state}})
    WebhookDelivery.objects.create(
        partner=key.partner,
        verification=verification,
        type=f"bare.{verification.state}",
        body=body,
        due_at=due_at,
        created_at=timezone.now(),
    )


urlpatterns = [path("bare/create", create), path("bare/<uuid:pk>/confirm", confirm)]
