from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class Ansim(AppConfig):
    """Staff, the record of access and what every app stands on (`ansim.lib`)."""

    name = "ansim"
    default = True


class Desk(admin_apps.AdminConfig):
    """Django's admin behind a second factor: the call centre's desk."""

    default_site = "ansim.desk.DeskSite"
    default = False
