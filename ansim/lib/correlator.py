"""Every answer echoes `x-correlator`, every log line carries it, and each request is logged once: without its query,
its body or a window's secret (api.md, common to all doors)."""

import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

from ansim.lib import metrics, problem

HEADER = "x-correlator"
_AS_SENT = "HTTP_X_CORRELATOR"  # `request.headers` would put together all of them, for this one
ALLOWED = re.compile(r"[a-zA-Z0-9_:;./<>{}-]{1,256}")
SECRET_PATH = re.compile(r"/window/+(?!at/)[^/]+")
TELLING = re.compile(r"[^\x21-\x7e]|[0-9](?:[ .()+_-]*[0-9]){5}")  # words of people, or as many digits as a birth date
PHONE = re.compile(r"(?:82|0)1[016789][.:_-]?[0-9]{3,4}[.:_-]?[0-9]{4}")  # a partner's correlator may be one
ID = re.compile(
    r"(?:[a-z]+_)?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|20[0-9]{2}-[01][0-9]", re.IGNORECASE
)  # or a month
_current: ContextVar[str] = ContextVar("correlator", default="")
log = logging.getLogger("ansim.requests")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = metrics.histogram("request_seconds", "Requests, by route and status.", "route", "method", "status")
_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class Correlator:
    """Middleware: takes or makes the correlator, refuses one that is malformed (400), logs the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began, given = time.perf_counter(), request.META.get(_AS_SENT, "")
        sound = ALLOWED.fullmatch(given)
        correlator = given if sound else str(uuid.uuid4())
        token = _current.set(PHONE.sub("[…]", correlator))
        try:
            if given and not sound:
                response = problem.invalid({HEADER: "must match [a-zA-Z0-9_:;./<>{}-]{1,256}"})
            else:
                response = self.get_response(request)
            response[HEADER] = correlator
            took = time.perf_counter() - began
            _measure(request, response.status_code, took)
            path = _shown(request.path)
            about = {"method": request.method, "path": path, "status": response.status_code}
            log.info("request", extra={**about, "ms": round(took * 1000, 1)})
        finally:
            _current.reset(token)
        return response


def _shown(path: str) -> str:
    """What a log may say of a path: ids of ours, and no number or name, wherever somebody put one."""
    plain = SECRET_PATH.sub("/window/[secret]", path)
    if not TELLING.search(plain):
        return plain
    parts = (part if ID.fullmatch(part) or not TELLING.search(part) else "[…]" for part in plain.split("/"))
    return "/".join(parts)


def _measure(request: HttpRequest, status: int, took: float) -> None:
    """Under the name of its route: a path holds ids and secrets, and there would be no end of them."""
    found = request.resolver_match
    method = request.method if request.method in METHODS else "other"
    SECONDS.labels(found.view_name or found.route if found else "none", method, status).observe(took)


def current() -> str:
    """The correlator of what is going on in this thread, as logs show it; empty where nothing is."""
    return _current.get()


@contextmanager
def carrying(correlator: str) -> Iterator[None]:
    """For work that a request left behind: its log lines carry the request's correlator."""
    token = _current.set(correlator)
    try:
        yield
    finally:
        _current.reset(token)


def take_up(correlator: str) -> None:
    """Until the end of what is `carrying` one, another's: for who works for one request after the other."""
    _current.set(correlator)


class LogLine(logging.Formatter):
    """One JSON object a line: what happened, where, the correlator and what the caller of the logger added."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if _current.get():
            line["correlator"] = _current.get()
        line.update({name: value for name, value in record.__dict__.items() if name not in _PLAIN})
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = list(_where(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False, default=str)


def _where(error: BaseException) -> Iterator[str]:
    """What kind of error it was and where, and the same of its causes; never its words, which quote what was wrong."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _where(cause)
    yield from (f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__))
    yield f"{type(error).__module__}.{type(error).__qualname__} {getattr(error, 'sqlstate', None) or ''}".rstrip()
