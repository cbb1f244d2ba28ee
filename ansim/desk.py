"""The call centre's desk: Django's admin, which nobody enters without a one-time password (PIPC 2026-9)."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminAuthenticationForm, OTPAdminSite
from django_otp.plugins.otp_totp.models import TOTPDevice


class DeskDoor(OTPAdminAuthenticationForm):  # type: ignore[misc] # django-otp has no types
    """Name, password and one-time code in one form: staff have one authenticator, so there is none to choose."""

    def _chosen_device(self, user: Any) -> TOTPDevice | None:
        return TOTPDevice.objects.filter(user=user, confirmed=True).select_for_update().first()


class DeskSite(OTPAdminSite):  # type: ignore[misc] # django-otp has no types
    login_form = DeskDoor
    login_template = "admin/desk_login.html"
    site_header = _("안심 상담 데스크")
    site_title = _("안심 상담 데스크")
    index_title = _("모든 자료")
