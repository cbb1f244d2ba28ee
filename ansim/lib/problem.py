"""What we say when we say no: RFC 9457 problems with the codes that api.md fixes.

Three kinds of no (style.md section 3): the rules refuse (`Refused`), the caller wrote nonsense (a serializer's error),
the outside failed (`unavailable`). Codes are contract, words are not.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
API_PATHS = ("/partner/", "/app/", "/carrier/", "/.well-known/")
LONGEST_ADDRESS = 8_192  # bytes of path and query
RETRY_AFTER = 5  # seconds, where we do not know better

STATUS = {
    "invalid": 400, "malformed": 400, "idempotency_key_missing": 400,
    "unauthenticated": 401, "forbidden": 403, "not_found": 404, "method_not_allowed": 405,
    "closed": 409, "wrong_state": 409, "reference_taken": 409, "idempotency_in_flight": 409,
    "too_large": 413, "uri_too_long": 414, "unsupported_media_type": 415,
    "wrong_code": 422, "wrong_password": 422, "idempotency_mismatch": 422,
    "locked": 423, "too_many_requests": 429, "resend_too_soon": 429, "resends_used_up": 429,
    "internal": 500, "unavailable": 503,
}  # fmt: skip
WORDS = {
    "invalid": "Some fields are not acceptable; `errors` names each.",
    "malformed": "The body is not a JSON object in UTF-8.",
    "idempotency_key_missing": "Send an Idempotency-Key header of 1 to 255 printable characters.",
    "unauthenticated": "The credentials are missing or not accepted.",
    "forbidden": "These credentials may not do that.",
    "not_found": "There is nothing here for these credentials.",
    "method_not_allowed": "This address does not take that method; `Allow` names those it takes.",
    "closed": "The verification has ended.",
    "wrong_state": "That is not possible in the present state.",
    "reference_taken": "This reference was used before; references are unique per partner.",
    "idempotency_in_flight": "The first request with this Idempotency-Key is still at work.",
    "too_large": "The body is over 65,536 bytes.",
    "uri_too_long": "The address is over 8,192 bytes.",
    "unsupported_media_type": "Send the body as application/json.",
    "wrong_code": "That is not the number.",
    "wrong_password": "That is not the password.",
    "idempotency_mismatch": "This Idempotency-Key was used for another request.",
    "locked": "The password is locked after five wrong ones.",
    "too_many_requests": "Too many requests; wait and try again.",
    "resend_too_soon": "Wait a little before asking to send it again.",
    "resends_used_up": "It cannot be sent again.",
    "internal": "Something broke on our side. Quote the x-correlator when you ask us.",
    "unavailable": "We cannot answer right now and nothing was changed; try again.",
}


class Refused(Exception):
    """The rules say no. `code` is one of `STATUS`; `extra` are further members of the problem (as `tries_left`)."""

    def __init__(self, code: str, *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code, self.retry_after, self.extra = code, retry_after, extra


class Unavailable(Refused):
    """Something we depend on is away: fail closed, nothing was changed."""

    def __init__(self, what: str) -> None:
        super().__init__("unavailable", retry_after=RETRY_AFTER)
        self.what = what


def address(code: str) -> str:
    """Where the problem is explained: cause and cure, in words for people."""
    return f"{settings.BASE_URL}/partner/v1/docs/errors/{code}"


def body(code: str, **extra: Any) -> dict[str, Any]:
    status = STATUS[code]
    title = HTTPStatus(status).phrase
    return {"type": address(code), "title": title, "status": status, "detail": WORDS[code], "code": code, **extra}


def response(code: str, **extra: Any) -> HttpResponse:
    """The problem as a plain Django answer, for what happens outside the API views."""
    return JsonResponse(
        body(code, **extra), status=STATUS[code], content_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"}
    )


def invalid(errors: Mapping[str, str]) -> HttpResponse:
    """400 for fields that no serializer saw (headers)."""
    return response(
        "invalid", errors=[{"field": field, "code": "invalid", "message": why} for field, why in errors.items()]
    )


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every refusal of an API door in one shape."""
    code, headers, extra = _told(error)
    headers.setdefault("Cache-Control", "no-store")
    return Response(body(code, **extra), status=STATUS[code], headers=headers, content_type=MEDIA_TYPE)


def _told(error: Exception) -> tuple[str, dict[str, str], dict[str, Any]]:
    match error:
        case Refused():
            return error.code, _wait(error.retry_after), error.extra
        case exceptions.ValidationError():
            return "invalid", {}, {"errors": list(_flat(error.detail))}
        case exceptions.ParseError():
            return "malformed", {}, {}
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return "unauthenticated", {"WWW-Authenticate": str(getattr(error, "auth_header", "Bearer"))}, {}
        case exceptions.MethodNotAllowed():
            return "method_not_allowed", {}, {}
        case exceptions.UnsupportedMediaType():
            return "unsupported_media_type", {}, {}
        case RequestDataTooBig():
            return "too_large", {}, {}
        case exceptions.PermissionDenied():
            return "forbidden", {}, {}
        case _ if database_away(error):
            log.error("database_away", exc_info=error)
            return "unavailable", _wait(RETRY_AFTER), {}
        case _:
            log.error("unforeseen", exc_info=error)
            return "internal", {}, {}


def database_away(error: BaseException) -> bool:
    """Whether the database was not there, or the connection broke. When it breaks just while an answer is read, psycopg
    has no other word than "internal error", and no SQLSTATE, which the server would have given.
    """
    broke_off = isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", None) is None
    return broke_off or isinstance(error, OperationalError | InterfaceError)


def _wait(seconds: int | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _flat(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """A serializer's nested errors as one list with dotted field names."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, path)
    else:
        yield {"field": path, "code": str(getattr(detail, "code", "invalid")), "message": str(detail)}


class Refusals:
    """Middleware: the same shape for what happens before or outside an API view (unknown path, too long an address)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if len(_as_sent(request).encode("utf-8", "surrogateescape")) > LONGEST_ADDRESS:
            return response("uri_too_long")
        answered = self.get_response(request)
        plain = not answered.headers.get("Content-Type", "").startswith((MEDIA_TYPE, "application/json"))
        if request.path.startswith(API_PATHS) and plain and answered.status_code in (400, 404, 500):
            return response({400: "malformed", 404: "not_found", 500: "internal"}[answered.status_code])
        return answered

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The database away under a page: 503 instead of 500, with the words of a person. Everything else is
        logged here, because Django's own line would name the address, which may hold a window's secret.
        """
        if isinstance(error, Http404 | PermissionDenied | SuspiciousOperation):
            return None
        if not database_away(error):
            log.error("unforeseen", exc_info=error)
            return None
        log.error("database_away", exc_info=error)
        return render(request, "503.html", status=503, content_type="text/html")


def _as_sent(request: HttpRequest) -> str:
    """Path and query exactly as they stood in the request line, where the web server tells."""
    return request.META.get("RAW_URI") or request.get_full_path()
