"""A partner's server and the app, calling the real views in this process: URLs, middleware, authentication and all."""

import json
import uuid
import warnings
from functools import cache

from django.test import Client
from django.test.client import ClientHandler

from tests import make
from tests.client.partner import identity
from verification import flow
from verification.models import Verification
from verification.partner_auth import make_key


@cache
def _handler():
    """Middleware is built once, as in a web process; the system under test collects no static files."""
    made = ClientHandler()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No directory at", UserWarning)
        made.load_middleware()
    return made


def _send(method, path, body, content_type, headers):
    client = Client()
    client.handler = _handler()
    return client.generic(method, path, body, content_type=content_type, headers=headers)


def _post(path, body, content_type, headers):
    return _send("POST", path, body, content_type, headers)


class Partner:
    """Speaks api.md section 1 with a key of its own."""

    def __init__(self, **differing):
        self.row = make.partner(**differing)
        self.key = make_key(self.row, live=False)

    def post(self, path, body=None, **headers):
        return _post(
            f"/partner/v1/verifications{path}",
            b"" if body is None else json.dumps(body),
            "" if body is None else "application/json",
            {"Authorization": f"Bearer {self.key}", **headers},
        )

    def create(self, person, **typed):
        given = {**identity(person.shown()), **typed}
        body = {"reference": uuid.uuid4().hex, "purpose": "login", "identity": given}
        return self.post("", body, **{"Idempotency-Key": uuid.uuid4().hex})

    def confirm(self, pk, code):
        return self.post(f"/{pk}/confirm", {"code": code})


def call(member, method, target, body=None):
    """A call of the app, with its proof."""
    raw = "" if body is None else json.dumps(body)
    proof = member.phone.proof(method, target, raw.encode())
    return _send(method, target, raw, "" if body is None else "application/json", {"Authorization": proof})


def unlock(member, pk, password=make.PASSWORD):
    return call(member, "POST", f"/app/v1/verifications/{pk}/unlock", {"password": password})


def identify(pk, identity):
    """What the window does with an identity that was typed there."""
    asked = Verification.objects.select_related("partner").get(pk=pk)
    return flow.identify(asked, identity=identity, address="", region="")
