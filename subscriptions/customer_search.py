"""How the desk finds a customer: by number, contract, or name with birth date; exact match only, nothing to browse.

Each search is on record before its answer is known to anybody, found or not, and so is each opened page.
"""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from ansim import audit
from ansim.audit import Actor
from ansim.lib import fingerprint
from ansim.models import Agent
from ansim.record_models import Action
from subscriptions.models import FoundBy, Subscription

MOST = 20  # people of one name and birth date


class Way(StrEnum):
    """By what somebody is looked for."""

    NUMBER = "number"
    CONTRACT = "contract"
    PERSON = "person"


@dataclass(frozen=True)
class Wanted:
    """`value`: an E.164 number, a contract, or for a person "name|ISO birth date"."""

    way: Way
    value: str


class OwnLine(Exception):
    """The agent's own: nobody looks at it or acts on it at their own desk."""


def search(wanted: Wanted, *, agent: Agent, by: Actor, reason: str) -> list[Subscription]:
    """The newest subscription of each line that fits, active ones first. Raises OwnLine, which is on record too."""
    with transaction.atomic():
        found = _newest(wanted)
        own = [one for one in found if is_own(agent, one)]
        subjects = [one.line.contract_fingerprint for one in found]
        outcome = "own" if own else "found" if found else "not_found"
        action = Action.REFUSED if own else Action.SEARCH
        audit.record(by, action, *subjects, what=f"{wanted.way}.{outcome}", reason=reason)
    if own:
        raise OwnLine
    return found


def opened(subscription: Subscription, *, agent: Agent, by: Actor, reason: str, what: str) -> None:
    """On record before the page is made. Raises OwnLine, which is on record too."""
    own = is_own(agent, subscription)
    with transaction.atomic():
        action, said = (Action.REFUSED, "own") if own else (Action.LOOK, what)
        audit.record(by, action, subscription.line.contract_fingerprint, what=said, reason=reason)
    if own:
        raise OwnLine


def note(subscription: Subscription) -> None:
    """So that the desk finds who joins by name and birth date, in the transaction that joins."""
    holder = subscription.holder
    FoundBy.objects.create(fingerprint=_person(f"{holder['name']}|{holder['birthdate']}"), customer=subscription.pk)


def _person(value: str) -> str:
    return fingerprint.of("person", value)


def is_own(agent: Agent, subscription: Subscription) -> bool:
    return bool(agent.own_phone) and agent.own_phone == subscription.line.phone_fingerprint


def _newest(wanted: Wanted) -> list[Subscription]:
    found = Subscription.objects.select_related("line")
    match wanted.way:
        case Way.NUMBER:
            found = found.filter(line__phone_fingerprint=fingerprint.of("phone", wanted.value))
        case Way.CONTRACT:
            found = found.filter(line__contract_fingerprint=fingerprint.of("contract", wanted.value))
        case Way.PERSON:
            ids = FoundBy.objects.filter(fingerprint=_person(wanted.value)).values_list("customer", flat=True)
            found = found.filter(pk__in=list(ids[:MOST]))
    newest: dict[uuid.UUID, Subscription] = {}
    for one in found.order_by("joined_at"):
        newest[one.line_id] = one
    return sorted(newest.values(), key=lambda one: (one.state, -one.joined_at.timestamp()))
