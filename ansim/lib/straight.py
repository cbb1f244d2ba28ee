"""Programs go straight to their doors: they bring no cookie, session or language, and no page's form."""

import logging
import re
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve

from ansim.lib.api import Door
from ansim.lib.problem import API_PATHS

log = logging.getLogger(__name__)
_ID = re.compile(r"(?<=/)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/|\Z)")
_ANY = uuid.UUID(int=0)  # stands for every id


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
        found = _found(path)
    except Resolver404:
        return None
    view: Any = found.func
    return found if issubclass(getattr(view, "cls", object), Door) else None


def _found(path: str) -> ResolverMatch:
    """As `resolve` finds it, which goes through the table of doors each time; here once for all ids in an address."""
    ids = _ID.findall(path)
    if not ids:
        return _known(path, settings.ROOT_URLCONF)
    known = _known(_ID.sub(str(_ANY), path), settings.ROOT_URLCONF)
    if list(known.kwargs.values()) != [_ANY]:
        return resolve(path)
    (name,) = known.kwargs
    told = {name: uuid.UUID(ids[0])}
    return ResolverMatch(known.func, (), told, known.url_name, [*known.app_names], [*known.namespaces], known.route)


@lru_cache(maxsize=256)
def _known(path: str, doors: str) -> ResolverMatch:
    return resolve(path, doors)
