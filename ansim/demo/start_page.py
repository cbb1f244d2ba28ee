"""The demo's first page, /demo: where the shop and the phones are, and who lives there."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from ansim.demo import people
from ansim.lib import languages


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """`?lang=` changes the language, also for the shop's window."""
    language = request.GET.get("lang")
    if language not in dict(settings.LANGUAGES):
        return render(request, "demo/start.html", _context())
    translation.activate(language)
    response = render(request, "demo/start.html", _context())
    languages.remember(response, language)
    return response


def _context() -> dict[str, Any]:
    other = "ko" if translation.get_language() == "en" else "en"
    return {
        "shop_url": f"{settings.WORLD_URL}/shop/",
        "phone_url": f"{settings.WORLD_URL}/phone/",
        "world_url": settings.WORLD_URL,
        "members": [person.shown() for person in people.MEMBERS],
        "lines": [person.shown() for person in people.ELIGIBLE],
        "language_switch": {"url": f"/demo?lang={other}", "lang": other, "label": dict(settings.LANGUAGES)[other]},
    }
