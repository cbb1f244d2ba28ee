"""Programs go straight to their doors: they bring no cookie, session or language, and no page's form."""

import logging
from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve

from ansim.lib.api import Door
from ansim.lib.problem import API_PATHS

log = logging.getLogger(__name__)


class Straight:
    """Middleware, before those that are for people's pages alone: a tenth of a confirm was theirs (docs/adr/0035)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.pages = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        door = _door(request.path_info)
        if door is None:
            return self.pages(request)
        request.resolver_match = door
        try:
            answered = door.func(request, *door.args, **door.kwargs)
            return cast(HttpResponse, answered.render())
        except Exception as error:
            log.error("unforeseen", exc_info=error)
            raise


def _door(path: str) -> ResolverMatch | None:
    if not path.startswith(API_PATHS):
        return None
    try:
        found = resolve(path)
    except Resolver404:
        return None
    view: Any = found.func
    return found if issubclass(getattr(view, "cls", object), Door) else None
