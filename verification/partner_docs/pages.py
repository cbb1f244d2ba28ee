"""The pages a partner's developer reads: the guide, a page for each error code, the signature tester, openapi.json."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from ansim.lib import problem
from verification.partner_docs import contents, flows, reference, tester
from verification.partner_docs.document import document
from verification.partner_docs.errors import ERRORS
from verification.partner_docs.operations import OPERATIONS

EXAMPLES = settings.ROOT / "docs" / "examples"
FIVE_MINUTES = 300  # seconds


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1; `?lang=ko` for Korean descriptions. Programs get English, whatever their library accepts."""
    language = request.GET.get("lang", "en")
    raw = _raw(language if language in dict(settings.LANGUAGES) else "en")
    response = HttpResponse(raw, content_type="application/json")
    patch_cache_control(response, public=True, max_age=FIVE_MINUTES)
    return response


@cache
def _raw(language: str) -> bytes:
    return json.dumps(document(language), ensure_ascii=False).encode()


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """All on one page: start, flow, states, operations, errors, webhooks, receipts, duties, limits, changes."""
    return _page(request, "docs/guide.html", _guide)


def _guide() -> dict[str, Any]:
    language = translation.get_language() or "ko"
    return {
        "roads": flows.roads(),
        "states": list(contents.states()),
        "operations": list(reference.operations(language)),
        "schemas": list(reference.schemas(language)),
        "errors": [(problem.STATUS[code], code, explained) for code, explained in ERRORS.items()],
        "limits": contents.limits(),
        "ladder": contents.ladder(),
        "scenes": list(contents.scenes()),
        "examples": {name.replace(".", "_"): _example(name) for name in sorted(_example_names())},
    }


def _example_names() -> list[str]:
    return [file.name for file in EXAMPLES.iterdir() if file.suffix in {".sh", ".py", ".mjs"}]


@cache
def _example(name: str) -> str:
    return (EXAMPLES / name).read_text(encoding="utf-8")


@require_safe
def error(request: HttpRequest, code: str) -> HttpResponse:
    """Cause and cure of one code: where a problem's `type` points."""
    if code not in ERRORS:
        raise Http404
    return _page(request, "docs/error.html", lambda: _error(code))


def _error(code: str) -> dict[str, Any]:
    from_partner = [row for row in OPERATIONS.values() if code in row.all_codes]
    return {
        "code": code,
        "status": problem.STATUS[code],
        "explained": ERRORS[code],
        "operations": from_partner,
        "example": problem.body(code),
    }


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_tester(request: HttpRequest) -> HttpResponse:
    """Paste a secret, headers and body: right or wrong. Nothing is stored, nothing is logged."""

    def context() -> dict[str, Any]:
        form = tester.Pasted(request.POST or None)
        verdict = tester.judge(form.cleaned_data) if form.is_bound and form.is_valid() else None
        return {"form": form, "verdict": verdict}

    response = _page(request, "docs/webhook_tester.html", context)
    patch_cache_control(response, no_store=True)
    return response


def _page(request: HttpRequest, template: str, context: Any) -> HttpResponse:
    """In the language of `?lang=`, which is remembered; else in the reader's."""
    chosen = request.GET.get("lang")
    language = chosen if chosen in dict(settings.LANGUAGES) else translation.get_language() or "ko"
    other = "en" if language == "ko" else "ko"
    switch = {"url": f"{request.path}?lang={other}", "lang": other, "label": dict(settings.LANGUAGES)[other]}
    shared = {
        "language_switch": switch,
        "base_url": settings.BASE_URL,
        "world_url": settings.WORLD_URL if settings.DEMO else "",
    }
    with translation.override(language):
        response = render(request, template, {**shared, **context()})
    response["Content-Language"] = language
    if chosen == language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, secure=settings.SECURE, httponly=True, samesite="Lax"
        )
    return response


urlpatterns = [
    path("openapi.json", openapi, name="partner-openapi"),
    path("docs", guide, name="partner-docs"),
    path("docs/errors/<slug:code>", error, name="partner-docs-error"),
    path("docs/webhook-tester", webhook_tester, name="partner-docs-webhook-tester"),
]
