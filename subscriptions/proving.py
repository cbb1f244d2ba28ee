"""How the web site learns who a customer is: it asks its own service, as any partner does (mission.md section 2).

The site is a partner like others, `site()`. The browser that starts a proof is the only one that can open its window,
and the only one that can come back with it: a window's address that was handed to somebody else opens nothing.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from verification import codes, flow, results
from verification.models import Line, Partner, Verification
from verification.proofs import OUR_SITE

SITE = OUR_SITE
GRANTS = ["name", "birthdate", "phone", "carrier", "ci"]


@dataclass(frozen=True)
class Asked:
    """A proof that began. The door sends the browser to `window` with the window's cookie (`window_auth.give`)."""

    verification: uuid.UUID
    window: str
    nonce: str


@dataclass(frozen=True)
class Person:
    """Who was proved, on which line. `by_app`: with the app and its password, and not during a temporary release."""

    verification: uuid.UUID
    line: Line
    phone: str
    name: str
    birthdate: str
    ci: str
    by_app: bool
    at: datetime


def site() -> Partner:
    """Our own web site among the partners; made where there is none yet."""
    made, _ = Partner.objects.get_or_create(
        pk=SITE, defaults={"name": "안심", "domain": _host(), "grants": GRANTS, "return_origins": [settings.BASE_URL]}
    )
    return made


def ask(purpose: str, *, back: str, region: str = "", address: str = "") -> Asked:
    """Begin to prove somebody. `purpose` as in api.md; `back` is the path that the window returns to."""
    partner, nonce = site(), codes.browser_nonce()
    wanted = flow.Ask(
        reference=uuid.uuid4().hex,
        purpose=purpose,
        site={"name": partner.name, "domain": partner.domain},
        return_url=f"{settings.BASE_URL}{back}",
        region=region,
        address=address,
        livemode=not settings.DEMO,
        browser=codes.browser_fingerprint(nonce),
    )
    asked = flow.start(wanted, partner=partner, answer=lambda started: None).verification
    return Asked(asked.pk, reverse("window-at", args=[asked.pk]), nonce)


def proved(verification_id: uuid.UUID) -> Person | None:
    """The person, while the result is there (10 minutes); None when it did not succeed or is gone.

    The caller must know from its own sealed cookie that this browser began it.
    """
    found = Verification.objects.select_related("partner", "line").filter(pk=verification_id, partner_id=SITE).first()
    if found is None or found.line is None or found.ended_at is None:
        return None
    results.erase_if_due(found, now=timezone.now())
    held: dict[str, Any] | None = found.holder if found.state == Verification.State.VERIFIED else None
    if held is None:
        return None
    return Person(
        found.pk, found.line, held["phone"], held["name"], held["birthdate"], held["ci"],
        by_app=found.channel == Verification.Channel.APP and not found.released, at=found.ended_at,
    )  # fmt: skip


def begun(verification_id: uuid.UUID) -> Verification | None:
    """A proof of ours as it stands, ended when its time is over; None for what is none of ours."""
    ours = Verification.objects.filter(pk=verification_id, partner_id=SITE)
    found = ours.first()
    if found and found.is_open and found.expires_at <= timezone.now():
        flow.expire(verification_id)
        found = ours.first()
    return found


def _host() -> str:
    return str(settings.BASE_URL).partition("://")[2]
