from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class Ansim(AppConfig):
    """Staff, the record of access and what every app stands on (`ansim.lib`)."""

    name = "ansim"
    verbose_name = _("직원과 기록")
    default = True


class Desk(admin_apps.AdminConfig):
    """Django's admin behind a second factor: the call centre's desk."""

    default_site = "ansim.desk.DeskSite"
    default = False
