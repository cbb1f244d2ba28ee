"""The desk's view of staff and roles: who may do what, and each change of it on record (kept 3 years: PIPC 2026-9)."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.admin import TOTPDevice

from ansim import staff, staff_sign_in
from ansim.desk_auth import actor
from ansim.desk_pages import Recorded
from ansim.lib import fingerprint
from ansim.models import Agent
from ansim.record_models import Action, Role
from ansim.staff_forms import Account

admin.site.unregister(Group)
admin.site.unregister(TOTPDevice)  # nobody reads anybody's key; a new one comes with a new enrolment


@admin.register(Group)
class Roles(Recorded, GroupAdmin):
    deed = Action.GRANT

    def subjects_of(self, row: Group) -> Sequence[str]:
        return [fingerprint.of("role", row.name)]


@admin.register(Agent)
class Agents(Recorded, admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable when it runs
    """Accounts are made here, invited by a code, shut out, and never removed: the record names them for years."""

    deed = Action.GRANT
    form = Account
    list_display = ["username", "first_name", "role", "is_active", "last_login"]
    list_filter = ["is_active", "groups"]
    search_fields = ["=username"]
    search_help_text = _("아이디")
    ordering = ["username"]
    change_form_template = "admin/agent.html"

    def subjects_of(self, row: Agent) -> Sequence[str]:
        return [staff_sign_in.of(row)] if row.pk else []

    @admin.display(description=_("역할"))
    def role(self, agent: Agent) -> str:
        return ", ".join(str(Role(role).label) if role in Role.values else role for role in agent.roles)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **given: Any) -> Any:
        made = super().get_form(request, obj, change=change, **given)
        return type("AccountBy", (made,), {"by": cast(Agent, request.user)})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("username",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        by, given = actor(request), form.cleaned_data
        obj.is_staff = True
        if given["phone"]:
            obj.own_phone = given["phone"]
        if not change:
            obj.set_unusable_password()
            obj.save()
        else:
            obj.save(update_fields=["first_name", "own_phone"])
            if "is_active" in form.changed_data:
                staff.let_in(obj, by=by) if obj.is_active else staff.shut_out(obj, by=by)
        staff.set_roles(obj, given["chosen"], by=by)

    def response_add(self, request: HttpRequest, obj: Agent, post_url_continue: str | None = None) -> Any:
        """Next is the enrolment code."""
        return HttpResponseRedirect(reverse("desk-invite", args=[obj.pk]), status=303)
