"""Every answer echoes `x-correlator`, every log line carries it, and each request is logged once: without its query,
its body or a window's secret (api.md, common to all doors)."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

from ansim.lib import problem

HEADER = "x-correlator"
ALLOWED = re.compile(r"[a-zA-Z0-9_:;./<>{}-]{1,256}")
SECRET_PATH = re.compile(r"/window/+(?!at/)[^/]+")
_current: ContextVar[str] = ContextVar("correlator", default="")
log = logging.getLogger("ansim.requests")
_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class Correlator:
    """Middleware: takes or makes the correlator, refuses one that is malformed (400), logs the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began, given = time.perf_counter(), request.headers.get(HEADER, "")
        sound = ALLOWED.fullmatch(given)
        correlator = given if sound else str(uuid.uuid4())
        token = _current.set(correlator)
        try:
            if given and not sound:
                response = problem.invalid({HEADER: "must match [a-zA-Z0-9_:;./<>{}-]{1,256}"})
            else:
                response = self.get_response(request)
            response[HEADER] = correlator
            took = round((time.perf_counter() - began) * 1000, 1)
            path = SECRET_PATH.sub("/window/[secret]", request.path)
            log.info(
                "request", extra={"method": request.method, "path": path, "status": response.status_code, "ms": took}
            )
        finally:
            _current.reset(token)
        return response


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
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
