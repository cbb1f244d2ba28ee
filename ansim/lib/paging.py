"""Lists of an API, newest first (api.md, "Common to all doors"): `limit`, and a `cursor` that says where to go on."""

import base64
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

USUAL = "20"


@dataclass(frozen=True)
class Page:
    """What was asked for: so many rows, after the one with that `created_at` and id."""

    limit: int
    after: tuple[datetime, uuid.UUID] | None = None

    def of(self, rows: QuerySet[Any]) -> tuple[Sequence[Any], str | None]:
        """These rows and the cursor to the next ones, if there are any."""
        ordered = rows.order_by("-created_at", "-id")
        if self.after:
            at, pk = self.after
            ordered = ordered.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
        found = list(ordered[: self.limit + 1])
        return found[: self.limit], _cursor(found[self.limit - 1]) if len(found) > self.limit else None


def asked(request: Request, *, known: Sequence[str] = ()) -> Page:
    """`limit` 1 to 100 (20) and `cursor`. They, and a parameter that is not `known`, are refused with `invalid`."""
    query = request.query_params
    errors: dict[str, list[str]] = {name: ["is not known here"] for name in set(query) - {"limit", "cursor", *known}}
    if not re.fullmatch(r"[1-9][0-9]?|100", query.get("limit", USUAL)):
        errors["limit"] = ["1 to 100"]
    after = None
    try:
        after = _position(query["cursor"]) if "cursor" in query else None
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        errors["cursor"] = ["not one of ours"]
    if errors:
        raise ValidationError(errors)
    return Page(int(query.get("limit", USUAL)), after)


def going_on(cursor: str, *, limit: int) -> Page:
    """For a page that people read: without a cursor the first rows. Refused: one that is not ours (ValueError)."""
    try:
        return Page(limit, _position(cursor) if cursor else None)
    except (TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(cursor) from error


def _position(cursor: str) -> tuple[datetime, uuid.UUID]:
    at, pk = json.loads(base64.urlsafe_b64decode(cursor))
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError(at)
    return moment.astimezone(UTC), uuid.UUID(pk)  # refuses times at the ends of the calendar: OverflowError


def _cursor(last: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.created_at.isoformat(), str(last.pk)]).encode()).decode()
