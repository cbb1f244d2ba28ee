"""How the world's pages become answers: Django's templates, the language of the reader, a strict CSP."""

from collections.abc import Mapping

from aiohttp import web
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override
from django.utils.translation.trans_real import parse_accept_lang_header

LABELS = dict(settings.LANGUAGES)
COOKIE = "demo_language"


def language(request: web.Request) -> str:
    """`?lang=`, then what was chosen before, then the browser's wish, then Korean."""
    wished = [code.split("-")[0] for code, _ in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]
    for code in (request.query.get("lang"), request.cookies.get(COOKIE), *wished):
        if code in LABELS:
            return str(code)
    return settings.LANGUAGE_CODE


def language_switch(request: web.Request) -> dict[str, str]:
    """The link to the same page in the other language."""
    other = next(code for code in LABELS if code != language(request))
    return {"url": str(request.rel_url.update_query(lang=other)), "lang": other, "label": LABELS[other]}


def page(
    request: web.Request, template: str, context: Mapping[str, object], *, friend: str = "", status: int = 200
) -> web.Response:
    """The page in the reader's language. `friend`: the one other origin it may load scripts from and post forms to."""
    code = language(request)
    with override(code):
        text = render_to_string(template, {**context, "language_switch": language_switch(request)})
    answer = web.Response(text=text, content_type="text/html", status=status)
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' {friend}",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": f"'self' {friend}",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    answer.headers["Content-Security-Policy"] = "; ".join(f"{name} {value.strip()}" for name, value in policy.items())
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"  # the window must find its opener
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    answer.set_cookie(COOKIE, code, samesite="Lax", httponly=True)
    return answer
