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


class Named(api.Door):
    authentication_classes = []
    permission_classes = []

    def get(self, request, **named):
        return Response({name: repr(value) for name, value in named.items()})


handler400, handler404 = urls.handler400, urls.handler404
urlpatterns = [
    path("app/v1/broken", Broken.as_view()),
    path("app/v1/named/<uuid:one>", Named.as_view()),
    path("app/v1/named/<uuid:one>/<uuid:two>", Named.as_view()),
    path("app/v1/words/<str:word>", Named.as_view()),
    *urls.urlpatterns,
]


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


ONE, OTHER = "8f14e45f-ceea-467f-9a3b-2d1c0b5a7e61", "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("written", [ONE, OTHER, ONE[:-1] + "0"])
def test_each_address_has_the_id_that_stands_in_it(settings, client, written):
    settings.ROOT_URLCONF = __name__

    assert client.get(f"/app/v1/named/{written}").json() == {"one": f"UUID('{written}')"}
    assert client.get(f"/app/v1/words/{written}").json() == {"word": f"'{written}'"}
    assert client.get(f"/app/v1/named/{written}/{ONE}").json() == {"one": f"UUID('{written}')", "two": f"UUID('{ONE}')"}


@pytest.mark.parametrize(
    "written", [ONE.upper(), f"{ONE}x", f"x{ONE}", f"{ONE}/", f"{ONE}%0A", ONE[1:], f"{ONE}/{ONE}/{ONE}"]
)
def test_what_is_no_id_leads_nowhere(settings, client, written):
    settings.ROOT_URLCONF = __name__

    assert client.get(f"/app/v1/named/{written}").json()["code"] == "not_found"


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
