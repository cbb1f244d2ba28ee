"""Programs go straight to their doors; people's pages keep their sessions, languages and forms' tokens."""

import logging

import pytest
from django.test import Client
from django.urls import path
from rest_framework.response import Response

from ansim import urls
from ansim.lib import api
from verification.partner_forms import Ask

pytestmark = pytest.mark.django_db


class Broken(api.Door):
    authentication_classes = []
    permission_classes = []

    def get(self, request):
        return Response({"number": object()})  # cannot be written as JSON


handler400, handler404 = urls.handler400, urls.handler404
urlpatterns = [path("app/v1/broken", Broken.as_view()), *urls.urlpatterns]


def test_a_door_sets_no_cookie_whatever_cookies_came(client):
    client.cookies["sessionid"] = "x" * 32
    answer = client.get("/.well-known/jwks.json", headers={"Accept-Language": "en"})

    assert answer.status_code == 200
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Length"] == str(len(answer.content))


def test_a_host_that_is_not_ours_is_refused_at_a_door_too(client):
    answer = client.get("/.well-known/jwks.json", headers={"Host": "elsewhere.example"})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_pages_below_a_doors_address_are_pages(client):
    assert "Accept-Language" in client.get("/partner/v1/docs").headers["Vary"]


def test_what_is_not_there_is_not_found(client):
    assert client.get("/app/v1/nothing").json()["code"] == "not_found"


def test_a_door_that_breaks_is_told_and_answers_as_doors_do(settings, caplog):
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)

    with caplog.at_level(logging.ERROR):
        answer = client.get("/app/v1/broken")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "unforeseen" in [line.message for line in caplog.records]


def test_nothing_of_a_request_stays_in_the_form_that_read_it():
    form = api._kept.form(Ask)

    with pytest.raises(Exception, match="reference"):
        form.checked({"purpose": "login", "secret": "x"}, {"partner": "somebody"})

    assert (form.initial_data, form.context) == ({}, {})
    assert api._kept.form(Ask) is form
