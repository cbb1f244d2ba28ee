"""Test mode without a phone: magic numbers, each of which leads to one end (api.md section 1, test keys).

Only for verifications begun with a test key. Whatever identity is typed with a magic number matches; no carrier is
asked and nothing is sent. The number to type is always `CODE`. What the owner of a phone would do happens by the clock,
some seconds later (`Rehearsal`). Where no simulated world runs these are the only numbers a test key knows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from ansim.lib import birth, rows
from ansim.lib.times import instant
from verification import carrier, codes, routing, webhooks
from verification.carrier import Handset, Holder, LineFacts
from verification.ending import end, hold
from verification.identity import Identity, kept
from verification.limits import Limits
from verification.models import Line, Partner, Rehearsal, Verification
from verification.states import Channel, State

CODE = "123456"
SOON = timedelta(seconds=2)  # when the rehearsed owner acts


@dataclass(frozen=True)
class Scene:
    """What a magic number plays. `deed` happens `SOON`; `fails` at once; else the number is awaited."""

    channel: str = Channel.SMS
    deed: str = ""
    fails: str = ""
    sim_changed: bool = False
    life: int | None = None
    """Seconds, where it must not last as long as usual."""


SCENES: dict[str, Scene] = {
    "+821000000001": Scene(),
    "+821000000002": Scene(Channel.APP, deed="unlock"),
    "+821000000003": Scene(Channel.APP, deed="not_me"),
    "+821000000004": Scene(Channel.APP, deed="cancelled_by_customer"),
    "+821000000005": Scene(Channel.APP, deed="app_locked"),
    "+821000000006": Scene(Channel.APP, life=3),
    "+821000000007": Scene(life=3),
    "+821000000008": Scene(deed="undeliverable"),
    "+821000000009": Scene(deed="line_changed"),
    "+821000000010": Scene(fails="identity_mismatch"),
    "+821000000011": Scene(fails="line_blocked"),
    "+821000000012": Scene(fails="app_not_registered"),
    "+821000000013": Scene(fails="app_locked"),
    "+821000000014": Scene(sim_changed=True),
}


def plays(identity: Identity, *, livemode: bool) -> bool:
    return not livemode and identity.phone in SCENES


def facts_of(identity: Identity, *, livemode: bool, partner: Partner) -> LineFacts | None:
    """What is known of the line: of a magic number, what was typed; else the carrier's answer.

    A test key never reaches a live carrier: without a simulated world every other number is unknown to it.
    """
    if plays(identity, livemode=livemode):
        return _made_up(identity, partner)
    if not livemode and not settings.DEMO:
        return None
    return carrier.look_up(identity.phone)


def _made_up(identity: Identity, partner: Partner) -> LineFacts:
    holder = Holder(
        name=identity.name or "홍길동",
        birthdate=birth.born_on(identity.birthdate, identity.gender_digit),
        gender=birth.gender(identity.gender_digit),
        foreigner=identity.gender_digit in birth.FOREIGN,
        ci="TEST" + "A" * 84,
    )
    long_ago = "2020-01-01T00:00:00Z"
    changed = instant(timezone.now() - timedelta(hours=3)) if SCENES[identity.phone].sim_changed else long_ago
    return LineFacts(
        phone=identity.phone, contract=f"sandbox:{partner.pk}:{identity.phone}", carrier=identity.carrier or "SKT",
        status="active", owner_type="individual", user_is_owner=True, holder=holder, plan_type="postpaid",
        handset=Handset("Sandbox", "android", "16", "phone"),
        sim_changed_at=changed, device_changed_at=long_ago, number_changed_at=long_ago,
    )  # fmt: skip


def go(verification: Verification, facts: LineFacts, *, limits: Limits, now: datetime) -> list[Model]:
    """From `created` to where the scene begins, on the object; returns the rows to write with it."""
    scene = SCENES[facts.phone]
    if scene.fails == "identity_mismatch":
        verification.move(State.FAILED, now=now, reason=scene.fails)
        return []
    standing = Line.objects.take(facts)
    verification.line, verification.line_serial = standing.line, standing.line.serial
    verification.matched_at = now
    if scene.fails:
        verification.move(State.FAILED, now=now, reason=scene.fails)
        return []
    routing.supersede(verification, standing, now=now)
    verification.channel, verification.sent_at = scene.channel, now
    verification.holder = kept(facts, Line())
    if scene.channel == Channel.APP:
        verification.match_number = codes.match_number()
        verification.expires_at = now + timedelta(seconds=scene.life or limits.app_ttl)
        verification.move(State.AWAITING_APP, now=now)
    else:
        routing.issue(verification, CODE, limits, now=now, life=scene.life)
    return [Rehearsal(verification=verification, deed=scene.deed, at=now + SOON)] if scene.deed else []


def rehearse(rehearsal: Rehearsal) -> None:
    """The clock's part: what the owner, the gateway or the carrier of this scene does now."""
    with transaction.atomic():
        now, verification = timezone.now(), hold(rehearsal.verification_id)
        Rehearsal.objects.filter(pk=rehearsal.pk).delete()
        if not verification.is_open or verification.expires_at <= now:
            return
        if rehearsal.deed == "unlock":
            routing.issue(verification, CODE, Limits.of(verification.partner.limits), now=now)
            verification.opened_at = now
            told = webhooks.owed(verification, verification.partner, now=now)
            changed = ("state", "code_fingerprint", "code_expires_at", "expires_at", "opened_at")
            rows.write(insert=told, update=[(verification, changed)])
            webhooks.ring()
        elif rehearsal.deed == "not_me":
            end(verification, State.DENIED, "not_me", now=now)
        elif rehearsal.deed == "cancelled_by_customer":
            end(verification, State.CANCELLED, rehearsal.deed, now=now)
        else:
            end(verification, State.FAILED, rehearsal.deed, now=now)
