"""What every address of the partner API shares: the key, the partner's rate, and only its own verifications."""

import uuid
from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ansim import rates
from ansim.lib.api import Door
from ansim.lib.problem import Refused
from verification import results
from verification.ending import Outcome
from verification.limits import SLOWED, Limits
from verification.models import ApiKey, Verification
from verification.partner_auth import PartnerKey


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

    def held(self, verification_id: uuid.UUID) -> dict[str, uuid.UUID]:
        return {"pk": verification_id, "partner_id": self.key.partner_id}

    def mine(self) -> QuerySet[Verification]:
        return Verification.objects.select_related("partner").filter(partner=self.key.partner_id)

    def told(self, outcome: Outcome) -> Response:
        return Response(results.shown(outcome.or_refuse().verification))
