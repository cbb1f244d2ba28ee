from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Subscriptions(AppConfig):
    """The business: who joined, what they pay, what the carrier reports; the web site; the desk's customers."""

    name = "subscriptions"
    verbose_name = _("가입과 요금")
