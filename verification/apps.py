from django.apps import AppConfig


class Verification(AppConfig):
    """The product: is this you, right now?"""

    name = "verification"

    def ready(self) -> None:
        from verification import checks  # noqa: F401 - registers them; models must be there first
