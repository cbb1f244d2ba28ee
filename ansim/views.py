"""The two questions a load balancer asks, and what people read where there is nothing for them."""

import contextlib

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from ansim import checkup, once

_applied: set[bool] = set()

# Django's own two views look for the form's token first, and break once more on what made the request a bad one.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what cannot be read at all; API paths get a problem instead (`ansim.lib.problem.Refusals`)."""
    words = "읽을 수 없는 요청이에요. 앞 화면에서 다시 해 주세요.\nThis request cannot be read. Go back and try again."
    return HttpResponse(words, status=400, content_type="text/plain; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for people."""
    return render(request, "404.html", status=404)


def livez(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return JsonResponse({"ok": True})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when it can do its work: the database answers and has this code's migrations (newer ones are no harm).

    Redis away is told but is no reason to send nobody here: limits use the database.
    """
    database = _database()
    found = {"database": database, "migrations": database and _migrated(), "redis": _redis()}
    return JsonResponse(found, status=200 if found["migrations"] else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _migrated() -> bool:
    """Asked until it is so: what was applied stays, and to look costs reading every migration."""
    if not _applied:
        with contextlib.suppress(DatabaseError):
            _applied.update({True} if not checkup.unapplied() else ())
    return bool(_applied)


def _redis() -> bool:
    try:
        return bool(once.store().ping())
    except redis.RedisError:
        return False
