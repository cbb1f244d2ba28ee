"""Plain makers for tests in this process. What they make is real: people live in the simulated world."""

import base64
import secrets
import uuid
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings

from ansim.demo import people
from ansim.lib import signing
from subscriptions import enrolment
from tests.client.phone import PhoneClient
from verification import controls, flow, registration, unlocking
from verification.identity import Identity
from verification.models import GRANTS, Line, Partner, Verification

PASSWORD = people.PASSWORD


def person(**line: Any) -> people.Person:
    """Somebody new in the world; `line` differs from an ordinary adult's own SKT line."""
    made = people.somebody_new()
    made = people.Person(made.name, made.birthdate, made.gender, made.phone, line)
    httpx.post(f"{settings.WORLD_URL}/world/lines", json=made.in_the_world(), timeout=10).raise_for_status()
    return made


def partner(**differing: Any) -> Partner:
    """A bookshop that may know everything and hears webhooks in the world's sink."""
    made = Partner(
        **{
            "name": "책방",
            "domain": "bookshop.example",
            "grants": list(GRANTS),
            "return_origins": ["https://bookshop.example"],
            "webhook_secret": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
            **differing,
        }
    )
    made.webhook_url = differing.get("webhook_url", f"{settings.WORLD_URL}/world/webhooks/{made.pk}")
    made.save()
    return made


def identity(of: people.Person) -> Identity:
    return Identity(birthdate=of.yymmdd, gender_digit=of.gender_digit, phone=of.phone)


def ask(of: people.Person | None = None, **differing: Any) -> flow.Ask:
    site = {"name": "책방", "domain": "bookshop.example"}
    return flow.Ask(
        **{
            "reference": uuid.uuid4().hex,
            "purpose": "login",
            "site": site,
            "identity": identity(of) if of else None,
            **differing,
        }
    )


def verification(of: people.Person | None = None, *, at: Partner | None = None, **differing: Any) -> Verification:
    """A verification that began, as it stands now."""
    started = flow.start(ask(of, **differing), partner=at or partner(), answer=lambda started: {})
    return Verification.objects.select_related("partner", "line").get(pk=started.verification.pk)


class Member:
    """Somebody who joined, with the app registered on a phone whose keys the test holds."""

    def __init__(self, of: people.Person | None = None, *, platform: str = "android") -> None:
        self.person = of or person()
        joined = enrolment.join(self.person.phone, activation_life=timedelta(hours=1))
        self.phone = PhoneClient(settings.BASE_URL, platform)
        given = self.phone.registration(joined.activation_code, PASSWORD)
        code, password = given.pop("activation_code"), given.pop("password")
        self.device, _ = registration.register(
            code, phone=registration.Phone(**given), password=password, address=uuid.uuid4().hex
        )
        self.phone.device_id = str(self.device.pk)
        self.phone.jwks = signing.key_set()

    @property
    def line(self) -> Line:
        return Line.objects.get(device=self.device)

    def unlock(self, asked: Verification, password: str = PASSWORD) -> Any:
        return unlocking.unlock(asked.pk, device=self.device, password=password)

    def release(self, at: Partner, *, minutes: int = 10, password: str = PASSWORD) -> Any:
        """What came of the owner's releasing that partner: a Release, or a Refused."""
        return controls.release(self.device, partner=at.pk, minutes=minutes, password=password)

    def number(self, asked: Verification) -> str:
        """The number as this phone reads it."""
        envelope = self.unlock(asked).or_refuse().envelope
        return str(self.phone.open(str(asked.pk), envelope)["code"])


def member_without_app() -> people.Person:
    somebody = person()
    enrolment.join(somebody.phone)
    return somebody
