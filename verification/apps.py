from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Verification(AppConfig):
    """The product: is this you, right now?"""

    name = "verification"
    verbose_name = _("본인확인과 이용 사이트")

    def ready(self) -> None:
        from verification import checks  # noqa: F401 - registers them; models must be there first
