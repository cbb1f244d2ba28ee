from django.apps import AppConfig


class Pushes(AppConfig):
    """What we owe to a phone and how it gets there."""

    name = "pushes"

    def ready(self) -> None:
        from pushes import checks  # noqa: F401 - registers them; models must be there first
