"""What the demo's first page shows: where the shop and the phones are, and who lives there."""

from typing import Any

from django.conf import settings
from django.utils.translation import get_language

from ansim.demo import people


def context() -> dict[str, Any]:
    other = "ko" if get_language() == "en" else "en"
    return {
        "shop_url": f"{settings.WORLD_URL}/shop/",
        "phone_url": f"{settings.WORLD_URL}/phone/",
        "world_url": settings.WORLD_URL,
        "members": [person.shown() for person in people.MEMBERS],
        "lines": [person.shown() for person in people.ELIGIBLE],
        "language_switch": {"url": f"/?lang={other}", "lang": other, "label": dict(settings.LANGUAGES)[other]},
    }
