"""What the desk's pages have in common: whoever opens one is on record before it is made (mission.md, invariant 8)."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from ansim import audit
from ansim.models import Agent
from ansim.record_models import Action


class Recorded:
    """For a ModelAdmin: lists, searches, opened rows and changes go on record, and so do rows that were refused.

    `what` is the model's name and what was done with it; never a value or what was searched for.
    """

    deed = Action.CHANGE
    """What a change of such a row counts as."""

    def subjects_of(self, row: Any) -> Sequence[str]:
        """Whose data a row is: keyed fingerprints."""
        return ()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET":
            self._record(request, Action.SEARCH if request.GET.get("q") else Action.LOOK, "list")
        return cast(HttpResponse, super().changelist_view(request, extra_context))  # type: ignore[misc] # of a mixin

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page: Any = super()
        row = page.get_object(request, unquote(object_id))
        allowed = row is not None and page.has_view_or_change_permission(request, row)
        self._record(request, Action.LOOK if allowed else Action.REFUSED, "row", row)
        return cast(HttpResponse, page.change_view(request, object_id, form_url, extra_context))

    def log_addition(self, request: HttpRequest, row: Model, message: Any) -> Any:
        self._record(request, self.deed, "add", row)
        return super().log_addition(request, row, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, row: Model, message: Any) -> Any:
        self._record(request, self.deed, message if isinstance(message, str) else "change", row)
        return super().log_change(request, row, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            self._record(request, self.deed, "delete", row)
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def _record(self, request: HttpRequest, action: Action, how: str, row: Any = None) -> None:
        model: str = self.opts.model_name  # type: ignore[attr-defined]
        who = audit.staff(cast(Agent, request.user), address=request.META["REMOTE_ADDR"])
        subjects = self.subjects_of(row) if row is not None else ()
        with transaction.atomic():
            audit.record(who, action, *subjects, what=f"{model}.{how}"[:64])
