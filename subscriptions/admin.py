"""The desk's view of what the carrier reported, and what it writes for the site: notices and questions."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ansim.desk_pages import Recorded
from ansim.lib.problem import Refused
from subscriptions import carrier_events
from subscriptions.models import Announcement, CarrierEvent, ConsentDocument, Price, Question
from subscriptions.page_forms import AnnouncementForm, QuestionForm
from subscriptions.terms_forms import ConsentDocumentForm, PriceForm

TIME = {"placeholder": "2026-12-01 09:00", "autocomplete": "off"}


@admin.register(CarrierEvent)
class CarrierEvents(Recorded, admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable when it runs
    """Rows come by the carrier alone. What they hold of a person (contract, number) stays sealed."""

    list_display = ["received_at", "time", "kind", "standing", "source", "event_id"]
    list_filter = ["standing", "type"]
    search_fields = ["=event_id", "=source"]
    search_help_text = _("이벤트 ID 또는 보낸 곳, 전체가 같아야 합니다")
    ordering = ["-received_at"]
    fields = readonly_fields = ("received_at", "time", "kind", "standing", "source", "event_id")
    actions = ["answered"]

    def subjects_of(self, row: CarrierEvent) -> Sequence[str]:
        return [row.contract_fingerprint]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For the action on chosen rows; no row has a form of its own."""
        return obj is None and super().has_change_permission(request)

    @admin.display(description=_("종류"), ordering="type")
    def kind(self, event: CarrierEvent) -> str:
        return str(CarrierEvent.Type(event.type).label) if event.is_known else event.type

    @admin.action(permissions=["change"], description=_("확인했습니다"))
    def answered(self, request: HttpRequest, chosen: QuerySet[CarrierEvent]) -> None:
        for event in chosen:
            try:
                with transaction.atomic():
                    carrier_events.answer(event.pk)
                    self.log_change(request, event, "answered")
            except Refused:
                words = _("%(event)s: 확인이 필요한 이벤트가 아닙니다.")
                self.message_user(request, words % {"event": event.event_id}, messages.ERROR)
            else:
                self.message_user(request, _("%(event)s: 확인했습니다.") % {"event": event.event_id})


class Written(Recorded, admin.ModelAdmin):  # type: ignore[type-arg]
    """What the site shows is taken back (a time to come, a tick less), never deleted: its address was given away."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Announcement)
class Announcements(Written):
    form = AnnouncementForm
    list_display = ["published_at", "title_ko", "title_en"]
    list_display_links = ["title_ko"]
    ordering = ["-published_at"]
    # One field with a label of its own: Django's two have one between them.
    formfield_overrides = {DateTimeField: {"form_class": forms.DateTimeField, "widget": forms.DateTimeInput(TIME)}}


@admin.register(Question)
class Questions(Written):
    form = QuestionForm
    list_display = ["position", "group", "question_ko", "shown"]
    list_display_links = ["question_ko"]
    list_filter = ["group", "shown"]

    def get_readonly_fields(self, request: HttpRequest, obj: Question | None = None) -> list[str]:
        """Its address stays."""
        return ["slug"] if obj else []


class AddedOnly(Written):
    """From a day to come on; what is there is never changed."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Price)
class Prices(AddedOnly):
    form = PriceForm
    list_display = ["starts_on", "won"]
    ordering = ["-starts_on"]


@admin.register(ConsentDocument)
class ConsentDocuments(AddedOnly):
    form = ConsentDocumentForm
    list_display = ["kind", "version", "title_ko", "required", "starts_at"]
    list_filter = ["kind"]
    ordering = ["kind", "-starts_at"]

    def get_fields(self, request: HttpRequest, obj: ConsentDocument | None = None) -> Any:
        """A new one is asked for the day it begins; its version and the rest follow."""
        written = ["title_ko", "summary_ko", "body_ko", "title_en", "summary_en", "body_en"]
        return ["kind", *(["version", "starts_at", "required"] if obj else ["starts_on"]), *written]
