"""Which way somebody is asked: recognised or not, and then by the app, by SMS or not at all (mission.md S1, S2, S5)."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Model

from ansim.lib.times import APART
from pushes import delivery
from pushes.models import Device, Message
from verification import codes, releases, sms
from verification.carrier import LineFacts
from verification.ending import end_if_overdue, end_open, hold
from verification.identity import Identity, kept
from verification.limits import Limits
from verification.lines import Asker, Standing
from verification.models import Line, Mismatch, Verification
from verification.proofs import OUR_SITE
from verification.states import Channel, State

Protection = Line.Protection


def recognise(
    verification: Verification,
    identity: Identity,
    facts: LineFacts | None,
    *,
    address: str,
    limits: Limits,
    now: datetime,
) -> Standing | Mismatch:
    """The line under lock when the identity matches; else the row that counts the mismatch.

    After too many mismatches right data are refused as well, and that refusal costs the same row, dated so that it
    does not count: the owner who tries again does not make it last.
    """
    matched, asker = identity.matches(facts), Asker(identity.phone, verification.partner_id, address)
    standing = Line.objects.take_if(matched=matched, facts=facts, asker=asker, limits=limits)
    if standing:
        return standing
    at = now - timedelta(hours=1) if matched else now
    return Mismatch(partner_id=verification.partner_id, at=at, **asker.fingerprints())


def go(
    verification: Verification, facts: LineFacts | None, found: Standing | Mismatch, *, limits: Limits, now: datetime
) -> list[Model]:
    """From `created` to wherever this identity leads, on the object; returns the rows to write with it."""
    if facts is None or isinstance(found, Mismatch):
        verification.move(State.FAILED, now=now, reason="identity_mismatch")
        return [found] if isinstance(found, Mismatch) else []
    line = verification.line = found.line
    verification.line_serial, verification.matched_at = line.serial, now
    others = _open_elsewhere(verification, found, now=now)
    reason = (
        "line_blocked"
        if found.slowed or _stopped(line, verification)
        else _refusal(found, facts, others, limits, now=now)
    )
    if reason:  # and what this partner has open stays: a refused request takes nobody's place
        verification.move(State.FAILED, now=now, reason=reason)
        return []
    supersede(verification, found, now=now)
    verification.holder = kept(facts, line)
    verification.sent_at = now
    if line.protection == Protection.ON:
        notices = releases.use(found, verification, now=now)
        if not notices:
            return [_by_app(verification, found, limits, now)]
        verification.released = True
        return [_by_sms(verification, facts.phone, limits, now), *notices]
    return [_by_sms(verification, facts.phone, limits, now)]


def _stopped(line: Line, verification: Verification) -> bool:
    """By the owner: everybody but our own site, where the owner's app switches that off again, or this partner."""
    everybody = line.stop_all and verification.partner_id != OUR_SITE
    return everybody or verification.partner_id in line.blocked_partners


def supersede(verification: Verification, standing: Standing, *, now: datetime) -> None:
    """A newer one of the same partner takes the place of the older."""
    older = [pk for pk, owner in standing.open.items() if owner == verification.partner_id]
    end_open(standing.line, State.CANCELLED, "superseded", now=now, only=older)


def _open_elsewhere(verification: Verification, standing: Standing, *, now: datetime) -> int:
    """How many of other partners are open; ends what is overdue among them."""
    others = [pk for pk, owner in standing.open.items() if owner != verification.partner_id]
    return sum(not _gone(pk, now=now) for pk in others)


def _gone(pk: uuid.UUID, *, now: datetime) -> bool:
    other = hold(pk)
    return end_if_overdue(other, now=now) or not other.is_open


def _refusal(standing: Standing, facts: LineFacts, others: int, limits: Limits, *, now: datetime) -> str | None:
    """Why a line whose owner was recognised may not be verified now. All but the app's two reasons look alike."""
    line = standing.line
    if line.disturbed_at and facts.asked_at and facts.asked_at <= line.disturbed_at <= now + APART:
        return "line_changed"  # the carrier reported something while it was being asked
    wrong = sum(abs(now - at) < timedelta(hours=1) for at in line.wrong_numbers_at)
    busy = standing.last_ten_minutes >= limits.line_per_10min or standing.last_day >= limits.line_per_day
    if (
        line.protection == Protection.PAUSED
        or wrong >= limits.line_wrong_per_hour
        or busy
        or others >= limits.line_open
    ):
        return "line_blocked"
    if line.protection == Protection.ON and line.device_id is None:
        return "app_not_registered"
    if line.protection == Protection.ON and line.wrong_passwords >= settings.PASSWORD_TRIES:
        return "app_locked"
    return None


def _by_app(verification: Verification, standing: Standing, limits: Limits, now: datetime) -> Message:
    """The protected road (S2): the phone is told to open the app. There is no number yet, so none can leak."""
    verification.channel, verification.match_number = Channel.APP, codes.match_number()
    verification.expires_at = now + timedelta(seconds=limits.app_ttl)
    verification.move(State.AWAITING_APP, now=now)
    device = Device(pk=standing.line.device_id, platform=standing.platform or "")
    return delivery.wake(device, verification=verification.pk, until=verification.expires_at)


def _by_sms(verification: Verification, phone: str, limits: Limits, now: datetime) -> Message:
    """The old road (S1), for a line without protection or a request that used up the owner's release; the database
    refuses it for others (migrations 0002 and 0011).
    """
    code = codes.number()
    verification.channel = Channel.SMS
    issue(verification, code, limits, now=now)
    words = sms.words(code, site=verification.site["name"], seconds=limits.code_ttl)
    return delivery.text(phone, words, verification=verification.pk, until=verification.expires_at)


def issue(verification: Verification, code: str, limits: Limits, *, now: datetime, life: int | None = None) -> None:
    """From here on this number is awaited, `life` seconds. Only its keyed fingerprint is kept (invariant 2)."""
    verification.code_fingerprint = codes.number_fingerprint(
        code, verification=verification.pk, partner=verification.partner_id
    )
    verification.code_expires_at = verification.expires_at = now + timedelta(seconds=life or limits.code_ttl)
    verification.move(State.AWAITING_CODE, now=now)
