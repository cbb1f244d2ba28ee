"""The site speaks Korean at its plain addresses and English below /en/; everything else speaks as the browser asks.

The customers' pages are those that `ansim.urls` puts into `i18n_patterns`: there the address alone decides. Windows,
consoles, documentation and the desk keep to the language cookie, then to Accept-Language. A page of the site leaves
its language in the cookie where the browser would not have asked for it, so that the window opened from there agrees.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.urls import LocalePrefixPattern, URLPattern, URLResolver, get_resolver
from django.utils import translation

PREFIX = "/en"
YEAR = 31_536_000  # seconds


def path_in(language: str, path: str) -> str:
    """The same page of the site in that language: `/faq` is `/en/faq` in English, and back."""
    plain = path.removeprefix(PREFIX) if path == PREFIX or path.startswith(f"{PREFIX}/") else path
    return f"{PREFIX}{plain}" if language == "en" else plain or "/"


class Languages(LocaleMiddleware):
    """Django's own, which would speak Korean wherever an address has no prefix."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not of_the_site(request):
            request.LANGUAGE_CODE = translation.get_language_from_request(request)
            translation.activate(request.LANGUAGE_CODE)
        return None

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        spoken = translation.get_language() or settings.LANGUAGE_CODE
        if of_the_site(request) and translation.get_language_from_request(request) != spoken:
            remember(response, spoken)
        return super().process_response(request, response)


def of_the_site(request: HttpRequest) -> bool:
    """Whether the address is one of the customers' pages, which there are in both languages."""
    return request.resolver_match is not None and request.resolver_match.func in _pages()


def remember(response: HttpResponse, language: str) -> None:
    """What is not the site speaks this language to the browser from now on."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax"
    )


@cache
def _pages() -> frozenset[Callable[..., Any]]:
    """The views of the site, as the table of doors has them."""
    site = [entry for entry in get_resolver().url_patterns if isinstance(entry.pattern, LocalePrefixPattern)]
    return frozenset(view for entry in site for view in _views(entry))


def _views(entry: URLPattern | URLResolver) -> Iterator[Callable[..., Any]]:
    if isinstance(entry, URLPattern):
        yield entry.callback
    else:
        for inner in entry.url_patterns:
            yield from _views(inner)
