"""Addresses of the customers' pages, in the language of the page that links to them."""

from typing import Any

from django import template
from django.conf import settings
from django.utils.translation import get_language

from ansim.lib.languages import of_the_site, path_in

register = template.Library()


@register.simple_tag
def page(path: str) -> str:
    """`{% page "/faq" %}`: /faq, on an English page /en/faq."""
    return path_in(get_language() or settings.LANGUAGE_CODE, path)


@register.simple_tag(takes_context=True)
def here(context: Any) -> dict[str, Any]:
    """The present page's addresses: {path, canonical, ko, en: all three absolute; switch: {url, lang, label}; demo}.

    Those of the first page where the present one is none of the site's (404.html) or not known (500.html).
    """
    request = context.get("request")
    path, sent = (request.path, request.get_full_path()) if request and of_the_site(request) else ("/", "/")
    plain, other = path_in("ko", path).rstrip("/") or "/", "ko" if get_language() == "en" else "en"
    return {
        "path": plain,
        "canonical": f"{settings.BASE_URL}{path_in(get_language() or settings.LANGUAGE_CODE, plain)}",
        "demo": settings.DEMO,
        **{language: f"{settings.BASE_URL}{path_in(language, plain)}" for language in ("ko", "en")},
        "switch": {"url": path_in(other, sent), "lang": other, "label": dict(settings.LANGUAGES)[other]},
    }


@register.simple_tag
def absolute(path: str) -> str:
    """With our host before it, for what other machines read (og:image)."""
    return path if "://" in path else f"{settings.BASE_URL}{path}"
