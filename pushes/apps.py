from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Pushes(AppConfig):
    """What we owe to a phone and how it gets there."""

    name = "pushes"
    verbose_name = _("휴대폰과 발송")

    def ready(self) -> None:
        from pushes import checks  # noqa: F401 - registers them; models must be there first
