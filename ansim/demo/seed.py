"""The demo's data: partners, staff, lines and members, made through the same doors and stories as any other.

Keys and passwords are shown once and kept as hashes, so what a first run was told is kept beside its data
(`$RUN_DIR/seed.json`, mode 600) and told again by the next one.
"""

import base64
import json
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from ansim import audit, staff
from ansim.demo import people
from ansim.demo.people import Person
from ansim.models import Agent
from subscriptions import enrolment
from subscriptions.enrolment import Joined
from subscriptions.models import Subscription
from verification import partner_access
from verification.limits import Limits
from verification.models import GRANTS, Line, Partner
from verification.partner_auth import make_key

CODE_LIFE = timedelta(hours=24)
WAITING_MEMBERS = 5
SITES = ({"domain": "cinema.example", "name": "별빛극장"}, {"domain": "library.example", "name": "마을도서관"})


def seed() -> dict[str, Any]:
    """What `demo.json` tells of the data. Makes nothing twice; members without an app get new codes."""
    kept = Path(settings.RUN_DIR) / "seed.json"
    told = json.loads(kept.read_text()) if kept.exists() else {}
    staff.set_up_roles()  # also where an older run made the data
    if not _still_there(told):
        told = {"partners": _partners(), "agents": _agents(), "lines": _lines(), "members": []}
    for entry in told["partners"]:
        if "user" not in entry:  # also those that an older run told
            entry["user"] = _partner_user(entry)
    told["members"] = _members(told["members"])
    events = f"{settings.BASE_URL}/carrier/v1/events"
    told["carrier"] = {"events_url": events, "secret": settings.CARRIER_EVENTS_SECRET}
    with open(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(told, file, ensure_ascii=False)
    return told


def _still_there(told: dict[str, Any]) -> bool:
    """False for a first run, and when the database was emptied under a kept file."""
    return bool(told) and Partner.objects.filter(pk__in=[one["id"] for one in told["partners"]]).count() == len(
        told["partners"]
    )


def in_the_world(line: dict[str, Any]) -> dict[str, Any]:
    """Put a line into the simulated world, as it is told."""
    answer = httpx.post(f"{settings.WORLD_URL}/world/lines", json=line, timeout=10)
    answer.raise_for_status()
    return dict(answer.json())


# --- Partners -------------------------------------------------------------------------------------


def _partners() -> list[dict[str, Any]]:
    return [
        partner(name="책방", domain="bookshop.example", grants=list(GRANTS)),
        partner(name="은빛은행", domain="bank.example", grants=["name", "birthdate", "phone", "ci"]),
        partner(name="한강인증", domain="agency.example", grants=["name", "adult"], agency=True),
    ]


@transaction.atomic
def partner(
    *,
    name: str,
    domain: str,
    grants: list[str],
    agency: bool = False,
    webhook_url: str = "",
    limits: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A partner with a test key. Refused (ValueError): an unknown grant, a limit that is unknown or under 1."""
    if unknown := [grant for grant in grants if grant not in GRANTS]:
        raise ValueError(f"unknown grants: {', '.join(unknown)}; there are {', '.join(GRANTS)}")
    for limit, value in (limits or {}).items():
        if limit not in Limits.names() or not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"limit {limit}: whole numbers from 1; there are {', '.join(sorted(Limits.names()))}")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    made = Partner(
        name=name, domain=domain, grants=grants, is_agency=agency, sites=list(SITES) if agency else [],
        return_origins=[settings.WORLD_URL], webhook_secret=secret, limits=limits or {},
    )  # fmt: skip
    made.webhook_url = webhook_url or f"{settings.WORLD_URL}/world/webhooks/{made.pk}"
    made.save()
    return {
        "id": str(made.pk), "name": name, "domain": domain, "key": make_key(made, live=False),
        "webhook_url": made.webhook_url, "webhook_secret": secret, "return_origin": settings.WORLD_URL,
        "grants": grants,
        **({"sites": made.sites} if agency else {}),
    }  # fmt: skip


def _partner_user(entry: dict[str, Any]) -> dict[str, str]:
    """Who signs in to its console at /partners/console/."""
    email = f"dev-{entry['id'][:4]}@{entry['domain']}"
    made = partner_access.add_user(Partner.objects.get(pk=entry["id"]), email=email, name=f"{entry['name']} 담당자")
    return {"email": made.email, "password": made.password, "totp_secret": made.totp_secret}


# --- Staff ----------------------------------------------------------------------------------------


@transaction.atomic
def _agents() -> list[dict[str, Any]]:
    return [_agent(f"{role}1", role) for role in ("agent", "supervisor", "auditor", "partner_manager")]


def _agent(username: str, role: str) -> dict[str, Any]:
    password, key = secrets.token_urlsafe(12), secrets.token_hex(20)
    agent, _ = Agent.objects.get_or_create(username=username, defaults={"is_staff": True})
    agent.set_password(password)
    agent.save()
    staff.set_roles(agent, [role], by=audit.COMMAND)
    TOTPDevice.objects.filter(user=agent).delete()
    TOTPDevice.objects.create(user=agent, name="app", key=key)
    return {
        "username": username,
        "password": password,
        "totp_secret": base64.b32encode(bytes.fromhex(key)).decode(),
        "role": role,
    }


# --- Lines and members ----------------------------------------------------------------------------


def _lines() -> list[dict[str, Any]]:
    shown = []
    everybody: list[tuple[Person, list[str]]] = [(person, []) for person in people.ELIGIBLE] + [
        (person, [why]) for why, person in people.NOT_ELIGIBLE.items()
    ]
    for person, why_not in everybody:
        in_the_world(person.in_the_world())
        shown.append({**person.shown(), "eligible": not why_not, "why_not": why_not})
    return shown


def _members(before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Five that still have to register their app, each with a code that lives a day; behind them those that have."""
    waiting: list[dict[str, Any]] = []
    registered: list[dict[str, Any]] = []
    for entry in before:
        subscribed = Subscription.objects.filter(
            line__in=Line.objects.of_contract(entry["contract"]), state=Subscription.State.ACTIVE
        )
        subscription = subscribed.select_related("line").first()
        if subscription is None:
            continue
        if subscription.line.device_id:
            registered.append({**entry, "activation_code": None})
        else:
            joined = enrolment.renew_activation(entry["contract"], activation_life=CODE_LIFE)
            waiting.append({**entry, "activation_code": joined.activation_code})
    known = {entry["contract"] for entry in before}
    fresh = [person for person in people.MEMBERS if person.contract not in known]
    while len(waiting) < WAITING_MEMBERS:
        waiting.append(member(fresh.pop(0) if fresh else people.somebody_new()))
    return waiting + registered


def member(person: Person, *, at: datetime | None = None) -> dict[str, Any]:
    """A new line in the world, joined through the real enrolment."""
    in_the_world(person.in_the_world())
    return {
        **person.shown(),
        "activation_code": enrolment.join(person.phone, at=at, activation_life=CODE_LIFE).activation_code,
    }


def member_of_line(number: str, *, at: datetime | None = None) -> dict[str, Any]:
    """The line with that E.164 number joins (again); for a member: a fresh code. Raises NotEligible, Unknown."""
    facts, reasons = enrolment.verdict(number)
    joined: Joined
    if "already_joined" in reasons:
        joined = enrolment.renew_activation(facts.contract, activation_life=CODE_LIFE)
    else:
        joined = enrolment.join(number, at=at, activation_life=CODE_LIFE)
    holder = facts.holder
    born = holder.birthdate.isoformat()
    return {
        "phone": number, "contract": facts.contract, "name": holder.name, "birthdate": born[2:].replace("-", ""),
        "gender_digit": people.gender_digit(born, holder.gender, foreigner=holder.foreigner),
        "activation_code": joined.activation_code,
    }  # fmt: skip
