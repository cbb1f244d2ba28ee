"""The call centre's desk: Django's admin, which nobody enters without a one-time password (PIPC 2026-9)."""

from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite


class DeskSite(OTPAdminSite):  # type: ignore[misc] # django-otp has no types
    site_header = _("안심 상담 데스크")
    site_title = _("안심 상담 데스크")
    index_title = _("모든 자료")
