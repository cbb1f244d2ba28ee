"""Customers in front of "my page": a browser of Django's test client, and the app in the same hands."""

import re
import secrets
import uuid

from django.test import Client

from subscriptions import proving
from tests import make
from tests.verification.test_flow import sms_number
from verification import flow
from verification.models import Verification

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


def identified(somebody, verification_id):
    """That person typed who they are into the window."""
    asked = Verification.objects.get(pk=verification_id)
    return flow.identify(asked, identity=make.identity(somebody), address="203.0.113.9", region="").verification


def by_app(member, verification_id):
    """… and used the app: the number is typed in."""
    asked = identified(member.person, verification_id)
    flow.confirm(code=member.number(asked), pk=asked.pk)


def by_sms(somebody, verification_id):
    asked = identified(somebody, verification_id)
    flow.confirm(code=sms_number(asked), pk=asked.pk)


def proof(member, purpose="login"):
    """Proved by the app, as a Person."""
    asked = proving.ask(purpose, back="/my/back")
    by_app(member, asked.verification)
    return proving.proved(asked.verification)


class Visitor:
    """A browser. `member` holds the phone whose app answers; `language` is the site's prefix."""

    def __init__(self, member=None, *, agent=CHROME, prefix=""):
        self.member = member
        # Addresses are limited, so everybody has their own.
        self.client = Client(
            headers={"user-agent": agent}, REMOTE_ADDR=f"2001:db8::{secrets.token_hex(2)}:{secrets.token_hex(2)}"
        )
        self.prefix = prefix

    def get(self, path="/my", **query):
        return self.client.get(f"{self.prefix}{path}", query)

    def post(self, path, **form):
        return self.client.post(f"{self.prefix}{path}", form)

    def begin(self, path="/my/sign-in", **form):
        """Press what leads to the window; the id of the proof that began."""
        answer = self.post(path, **form)
        assert answer.status_code == 303, answer.status_code
        return uuid.UUID(re.fullmatch(r"/window/at/([0-9a-f-]{36})", answer.headers["Location"])[1])

    def signed_in(self):
        by_app(self.member, self.begin())
        answer = self.get("/my/back")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{self.prefix}/my")
        return self

    @property
    def inside(self):
        """Whether /my shows somebody's own page."""
        return b"/my/sign-out" in self.get().content
