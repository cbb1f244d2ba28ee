"""The call centre's desk: Django's admin, which nobody enters without a one-time password (PIPC 2026-9)."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as said
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite

from ansim import audit, desk_auth, staff_sign_in
from ansim.desk_forms import DeskDoor
from ansim.models import Agent
from ansim.record_models import Action, Role


class DeskSite(OTPAdminSite):  # type: ignore[misc] # django-otp has no types
    """Its first page is the customers' desk (`subscriptions.desk`); Django's own list of models stands behind it."""

    login_form = DeskDoor
    login_template = "admin/desk_login.html"
    index_template = "admin/all.html"
    password_change_template = "admin/new_password.html"  # noqa: S105 - a file
    site_header = _("안심 상담 데스크")
    site_title = _("안심 상담 데스크")
    index_title = _("모든 자료")
    enable_nav_sidebar = False
    site_url = None

    def get_urls(self) -> list[Any]:
        everything = path("all/", self.admin_view(self.index), name="all")
        return [everything, *super().get_urls()]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """Every page of the desk goes through here."""
        inner = super().admin_view(view, cacheable)

        def entered(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
            desk_auth.from_allowed_address(request)
            desk_auth.refresh(request)
            return cast(HttpResponse, inner(request, *args, **given))

        return entered

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_permission(request) and desk_auth.sits(request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        desk_auth.from_allowed_address(request)
        answer = cast(HttpResponse, super().login(request, extra_context))
        entered = (
            request.method == "POST" and isinstance(answer, HttpResponseRedirect) and request.user.is_authenticated
        )
        if entered and desk_auth.begin(request.session, cast(Agent, request.user)):
            messages.info(request, said("전에 나가지 않은 화면이 있어서 끝냈습니다."))
        return answer

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        desk_auth.end(request)
        messages.success(request, said("나갔습니다."))
        return HttpResponseRedirect(reverse("admin:login"), status=303)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        agent = cast(Agent, request.user)
        with transaction.atomic():
            answer = cast(HttpResponse, super().password_change(request, extra_context))
            if isinstance(answer, HttpResponseRedirect):
                audit.record(desk_auth.actor(request), Action.GRANT, staff_sign_in.of(agent), what="password")
        return answer

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        shown: dict[str, Any] = super().each_context(request)
        if shown["has_permission"]:
            roles = [str(Role(role).label) for role in cast(Agent, request.user).roles if role in Role.values]
            shown |= {"roles": " · ".join(roles), "seconds_left": desk_auth.left(request)}
        return shown
