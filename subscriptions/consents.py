"""What a customer agrees to when joining, in which version; withdrawing what is optional (mission.md section 7).

Rows are never changed (the database refuses it): whoever withdraws gets a new row. Of several, the newest counts.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ansim.lib.problem import Refused
from subscriptions.models import Consent, ConsentDocument, Subscription
from verification import protection

Kind = ConsentDocument.Kind
REQUIRED = {Kind.TERMS, Kind.COLLECT, Kind.SHARE}
ASKED = (Kind.TERMS, Kind.COLLECT, Kind.SHARE, Kind.MARKETING)


@dataclass(frozen=True)
class Agreement:
    """What somebody ticked: ids of documents, where and when."""

    documents: frozenset[uuid.UUID]
    channel: Consent.Channel
    at: datetime


class Outdated(Exception):
    """A required document is missing from the agreement, or a newer version began after it was ticked: ask again."""


def asked_now() -> list[ConsentDocument]:
    """The versions in force of what is asked when joining: the required ones first, as they are read."""
    begun = ConsentDocument.objects.filter(kind__in=ASKED, starts_at__lte=timezone.now())
    newest = begun.order_by("kind", "-starts_at", "-version").distinct("kind")
    return sorted(newest, key=lambda document: (not document.required, ASKED.index(Kind(document.kind))))


def required_now() -> Agreement:
    """For those whom the demo joins: what they have to agree to, and nothing else."""
    required = frozenset(document.pk for document in asked_now() if document.required)
    return Agreement(required, Consent.Channel.DEMO, timezone.now())


def record(subscription: Subscription, agreement: Agreement) -> None:
    """Write down what was agreed to, in the transaction that joins. Raises Outdated."""
    asked = asked_now()
    required = {document.pk for document in asked if document.required}
    if agreement.channel != Consent.Channel.DEMO and not {document.kind for document in asked} >= REQUIRED:
        raise Outdated  # without its documents the service takes nobody in
    if not required <= agreement.documents <= {document.pk for document in asked}:
        raise Outdated
    Consent.objects.bulk_create(
        Consent(subscription=subscription, document=document, agreed=True, at=agreement.at, channel=agreement.channel)
        for document in asked
        if document.pk in agreement.documents
    )


def standing(subscription: Subscription) -> list[Consent]:
    """The newest row of each document that was ever agreed to, in the order in which they were asked."""
    rows = subscription.consents.select_related("document").order_by("document", "-at", "-id").distinct("document")
    return sorted(rows, key=lambda row: (ASKED.index(Kind(row.document.kind)), row.document.version))


def withdraw(subscription: Subscription, document_id: uuid.UUID, *, channel: Consent.Channel) -> Consent:
    """Agreeing to something optional ends now; twice is once. Refused: `not_found` for what does not stand.

    Refused `wrong_state` for what is required: without it there is no service, so the customer cancels instead.
    """
    with transaction.atomic():
        protection.hold(subscription.line.contract)
        rows = subscription.consents.select_related("document").filter(document=document_id)
        newest = rows.order_by("-at", "-id").first()
        if newest is None:
            raise Refused("not_found")
        if newest.document.required:
            raise Refused("wrong_state")
        if not newest.agreed:
            return newest
        return Consent.objects.create(
            subscription=subscription, document=newest.document, agreed=False, at=timezone.now(), channel=channel
        )


def agree(subscription: Subscription, documents: Collection[uuid.UUID], *, channel: Consent.Channel) -> None:
    """Agree again to optional ones in force. Refused: `not_found` for any other document."""
    offered = {document.pk: document for document in asked_now() if not document.required}
    if not set(documents) <= set(offered):
        raise Refused("not_found")
    with transaction.atomic():
        protection.hold(subscription.line.contract)
        stand = {row.document_id for row in standing(subscription) if row.agreed}
        Consent.objects.bulk_create(
            Consent(subscription=subscription, document=offered[pk], agreed=True, at=timezone.now(), channel=channel)
            for pk in documents
            if pk not in stand
        )
