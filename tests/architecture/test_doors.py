"""Default deny: every address of an API says itself who may call it."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from ansim.lib.access import Known, NoAuthentication
from ansim.lib.api import Door

APIS = ("partner/", "app/", "carrier/", ".well-known/")
FOR_EVERYBODY = {"KeySet"}  # what has no secret and no caller
PAGES = "verification.partner_docs.pages"  # documentation for people, no API


def routes(resolver=None, before=""):
    for entry in (resolver or get_resolver()).url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        elif isinstance(entry, URLPattern):
            yield path, entry.callback


API_ROUTES = [(path, view) for path, view in routes() if path.startswith(APIS) and view.__module__ != PAGES]


def test_there_are_apis_to_look_at():
    assert {path.split("/")[0] for path, _ in API_ROUTES} >= {"partner", "app", ".well-known"}


@pytest.mark.parametrize(("path", "view"), API_ROUTES, ids=[path for path, _ in API_ROUTES])
def test_every_api_view_names_who_may_call_it(path, view):
    door = getattr(view, "cls", None)
    assert door is not None, f"{path} is no API view"
    assert issubclass(door, Door)
    named = next(cls for cls in door.__mro__ if "authentication_classes" in vars(cls))
    assert named not in (Door, APIView), f"{door.__name__} lets the default decide"
    assert NoAuthentication not in door.authentication_classes
    if not door.authentication_classes:
        assert door.__name__ in FOR_EVERYBODY


@pytest.mark.parametrize(("path", "view"), API_ROUTES, ids=[path for path, _ in API_ROUTES])
def test_no_api_view_opens_itself_to_whom_it_does_not_know(path, view):
    assert view.cls.permission_classes == ([] if view.cls.__name__ in FOR_EVERYBODY else [Known])


def test_a_door_that_names_nobody_lets_nobody_in():
    class Forgotten(Door):
        def get(self, request):
            raise AssertionError("somebody came in")

    answer = Forgotten.as_view()(APIRequestFactory().get("/"))
    assert (answer.status_code, answer.data["code"]) == (401, "unauthenticated")
