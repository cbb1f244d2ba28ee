"""The desk's view of partners and of what they were told. Read only, but for actions that call stories."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ansim.desk_pages import Recorded
from ansim.lib import fingerprint, masking
from ansim.lib.problem import Refused
from verification import case_words, webhooks
from verification.models import Case, Line, Partner, WebhookAttempt, WebhookDelivery
from verification.partner_desk_forms import PartnerForm


class ReadOnly:
    """For admins whose rows come and go by the stories alone."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For actions on chosen rows; no row has a form of its own."""
        return obj is None and bool(super().has_change_permission(request))  # type: ignore[misc] # of a mixin


class Attempts(ReadOnly, admin.TabularInline):  # type: ignore[type-arg] # not subscriptable when it runs
    model = WebhookAttempt
    fields = readonly_fields = ("at", "status", "error", "ms")
    ordering = ["-at", "-id"]


@admin.register(WebhookDelivery)
class Deliveries(Recorded, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["webhook_id", "partner_name", "type", "state", "attempts", "last_error", "created_at", "due_at"]
    list_filter = ["state", "type"]
    list_select_related = ["partner"]
    search_fields = ["=id", "=verification__id", "=partner__id", "partner__name"]
    search_help_text = _("웹훅, 인증, 이용 사이트의 ID 또는 이용 사이트 이름")
    ordering = ["-created_at"]
    fields = readonly_fields = (
        "webhook_id", "partner_name", "verification_id", "type", "state", "attempts", "last_error", "created_at",
        "due_at", "delivered_at",
    )  # fmt: skip
    inlines = [Attempts]
    actions = ["deliver_again"]

    def subjects_of(self, row: WebhookDelivery) -> Sequence[str]:
        """The customer about whom the partner was told; before the identity matched there is none."""
        line = Line.objects.filter(verifications__webhooks=row).first()
        return [line.contract_fingerprint] if line else []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery], search_term: str
    ) -> tuple[QuerySet[WebhookDelivery], bool]:
        """Also by the webhook-id as partners know it."""
        word = search_term.strip().removeprefix("msg_")
        with suppress(ValueError):
            word = str(uuid.UUID(word))
        return super().get_search_results(request, queryset, word)

    @admin.display(description=_("이용 사이트"), ordering="partner__name")
    def partner_name(self, delivery: WebhookDelivery) -> str:
        return delivery.partner.name

    @admin.action(permissions=["change"], description=_("다시 전달합니다"))
    def deliver_again(self, request: HttpRequest, chosen: QuerySet[WebhookDelivery]) -> None:
        for delivery in chosen:
            try:
                with transaction.atomic():
                    webhooks.replay(pk=delivery.pk)
                    self.log_change(request, delivery, "deliver_again")
            except Refused:
                words = _("%(webhook)s: 이용 사이트의 웹훅 주소가 없거나 꺼져 있습니다.")
                self.message_user(request, words % {"webhook": delivery.webhook_id}, messages.ERROR)
            else:
                self.message_user(request, _("%(webhook)s: 다시 전달합니다.") % {"webhook": delivery.webhook_id})


@admin.register(Case)
class Cases(Recorded, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What owners reported. The facts name no person; whose line it is stands masked."""

    list_display = ["opened_at", "kind", "partner_name", "masked_phone", "closed_at"]
    list_filter = ["kind", ("closed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["partner", "line"]
    search_fields = ["=id", "=verification__id", "=partner__id"]
    search_help_text = _("상담할 일, 인증, 이용 사이트의 ID")
    ordering = ["-opened_at"]
    fields = readonly_fields = (
        "opened_at", "kind", "partner_name", "masked_phone", "verification_id", "slowed_until", "what_happened",
        "closed_at",
    )  # fmt: skip

    def subjects_of(self, row: Case) -> Sequence[str]:
        return [row.line.contract_fingerprint]

    @admin.display(description=_("이용 사이트"), ordering="partner__name")
    def partner_name(self, case: Case) -> str:
        return case.partner.name

    @admin.display(description=_("휴대폰 번호"))
    def masked_phone(self, case: Case) -> str:
        return masking.phone(case.line.phone)

    @admin.display(description=_("있었던 일"))
    def what_happened(self, case: Case) -> str:
        return format_html_join("\n", "<div>{}: {}</div>", case_words.facts(case))


@admin.register(Partner)
class Partners(Recorded, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Whose contract it is, partner managers write here; the rest partners set themselves."""

    form = PartnerForm
    change_form_template = "admin/partner.html"
    list_display = ["name", "domain", "webhook_url", "webhook_disabled_at"]
    list_filter = [("webhook_disabled_at", admin.EmptyFieldListFilter)]
    search_fields = ["=id", "name", "domain"]
    ordering = ["name"]
    contract = ("name", "domain", "is_agency", "grants")
    readonly_fields = (
        "partner_id", "sites", "return_origins", "webhook_url", "webhook_disabled_at", "previous_webhook_secret_until",
        "limits", "created_at",
    )  # fmt: skip
    actions = ["enable_webhooks"]

    @admin.display(description=_("이용 사이트 ID"))
    def partner_id(self, partner: Partner) -> str:
        return str(partner.pk)

    def get_fields(self, request: HttpRequest, obj: Partner | None = None) -> tuple[str, ...]:
        return (*self.contract, *self.readonly_fields) if obj else self.contract

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("verification.add_partner")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) or self.has_add_permission(request)

    def subjects_of(self, row: Partner) -> Sequence[str]:
        return [fingerprint.of("partner", str(row.pk))]

    @admin.action(permissions=["change"], description=_("꺼진 웹훅을 다시 켭니다"))
    def enable_webhooks(self, request: HttpRequest, chosen: QuerySet[Partner]) -> None:
        with transaction.atomic():
            enabled = [partner for partner in chosen if webhooks.enable(partner.pk)]
            for partner in enabled:
                self.log_change(request, partner, "enable_webhooks")
        words = ngettext(
            "이용 사이트 %(count)d곳의 웹훅을 켰습니다.", "이용 사이트 %(count)d곳의 웹훅을 켰습니다.", len(enabled)
        )
        self.message_user(request, words % {"count": len(enabled)})
