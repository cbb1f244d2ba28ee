"""Who of our staff may come in: password and one-time code together, wrong tries counted exactly.

Five wrong ones in a row lock the account for a quarter of an hour, and likewise the address they came from; whatever
was wrong, and also while it is locked, the answer is one (mission.md section 7).
"""

import re
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from ansim import audit, rates
from ansim.audit import Actor
from ansim.lib import fingerprint
from ansim.lib.times import APART
from ansim.models import Agent, RecoveryCode, SignInTries
from ansim.record_models import Action

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
FORGOTTEN = timedelta(days=1)
NOBODY = "(unknown)"  # no account can be called that
FROM_ONE_ADDRESS = 60  # in ten minutes, right or wrong: each costs a slow hash


def sign_in(username: str, password: str, token: str, *, address: str) -> Agent | None:
    """The agent, with `otp_device` as django-otp wants it; None for anything wrong. `token` may be a recovery code.

    What was typed as a name that is none may be a password in the wrong field: the record has its fingerprint alone.
    """
    came_from = fingerprint.of("desk-address", address)
    if not rates.take(rates.Rule(f"desk-sign-in:{came_from}", FROM_ONE_ADDRESS, seconds=600)).allowed:
        return None
    agent = Agent.objects.filter(username=username, is_active=True, is_staff=True).first()
    if agent is None:
        make_password(password)  # the same slow hash as for an account that there is
    right = agent is not None and agent.check_password(password)
    with transaction.atomic():
        tries = _tries(_account(username), came_from)
        device = None
        if not _locked(tries) and agent is not None and right:
            device = _second_factor(agent, token, address=address)
        _count(tries, wrong=device is None, agent=agent, address=address)
        if agent is None:
            audit.record(Actor(NOBODY, "", address), Action.REFUSED, _account(username), what="sign_in_unknown")
        else:
            entered = (Action.REFUSED, "sign_in") if device is None else (Action.SIGN_IN, "")
            audit.record(audit.staff(agent, address=address), entered[0], of(agent), what=entered[1])
        if device is None or agent is None:
            return None
        agent.otp_device = device  # type: ignore[attr-defined] # django-otp's own way to hand it to the session
        return agent


def confirm(agent: Agent, token: str, *, address: str) -> bool:
    """A fresh one-time code before something that matters. A wrong one counts like any other wrong try."""
    with transaction.atomic():
        tries = _tries(_account(agent.username))
        right = not _locked(tries) and _totp(agent, token) is not None
        _count(tries, wrong=not right, agent=agent, address=address)
        return right


def locked(agent: Agent) -> bool:
    """Whether the fifth wrong try was within the last quarter of an hour."""
    return SignInTries.objects.filter(name=_account(agent.username), locked_until__gt=timezone.now()).exists()


def guess(username: str, address: str, *, right: bool) -> bool:
    """Count a try of an enrolment code by the same rules. False also for a right one while it is locked."""
    with transaction.atomic():
        tries = _tries(_account(username), fingerprint.of("desk-address", address))
        good = right and not _locked(tries)
        _count(tries, wrong=not good, agent=None, address=address)
        if not good:
            audit.record(Actor(NOBODY, "", address), Action.REFUSED, _account(username), what="enrolment_code")
        return good


def _account(username: str) -> str:
    return fingerprint.of("desk-account", username.casefold())


def _tries(*names: str) -> list[SignInTries]:
    """These rows under lock, always in the same order."""
    now = timezone.now()
    SignInTries.objects.bulk_create([SignInTries(name=name, tried_at=now) for name in names], ignore_conflicts=True)
    return list(SignInTries.objects.select_for_update().filter(name__in=names).order_by("name"))


def _locked(tries: list[SignInTries]) -> bool:
    now = timezone.now()  # a lock that lasts longer than any does was turned by a wrong clock (docs/adr/0034)
    return any(one.locked_until and now < one.locked_until <= now + LOCKED_FOR + APART for one in tries)


def _count(tries: list[SignInTries], *, wrong: bool, agent: Agent | None, address: str) -> None:
    now = timezone.now()
    if not wrong:
        SignInTries.objects.filter(name__in=[one.name for one in tries]).delete()
        return
    if _locked(tries):
        return
    for one in tries:
        one.wrong, one.tried_at = one.wrong + 1, now
        if one.wrong >= TRIES:
            one.wrong, one.locked_until = 0, now + LOCKED_FOR
    SignInTries.objects.bulk_update(tries, ["wrong", "tried_at", "locked_until"])
    SignInTries.objects.filter(tried_at__lt=now - FORGOTTEN).delete()
    if agent and any(one.locked_until and one.name == _account(agent.username) for one in tries):
        audit.record(audit.staff(agent, address=address), Action.REFUSED, of(agent), what="sign_in_locked")


def of(agent: Agent) -> str:
    """Whom a record is about when it is about one of our own."""
    return fingerprint.of("agent", str(agent.pk))


def _second_factor(agent: Agent, token: str, *, address: str) -> TOTPDevice | None:
    typed = re.sub(r"[\s-]", "", token)
    if len(typed) == 6:
        return _totp(agent, typed)
    return _recovered(agent, typed, by=audit.staff(agent, address=address))


def _totp(agent: Agent, token: str) -> TOTPDevice | None:
    typed = re.sub(r"[\s-]", "", token)
    device = TOTPDevice.objects.select_for_update().filter(user=agent, confirmed=True).first()
    if device is None or not re.fullmatch(r"[0-9]{6}", typed, re.ASCII):
        return None
    return device if device.verify_token(typed) else None


def _recovered(agent: Agent, typed: str, *, by: Actor) -> TOTPDevice | None:
    device = TOTPDevice.objects.filter(user=agent, confirmed=True).first()
    mine = RecoveryCode.objects.filter(agent=agent, fingerprint=recovery_fingerprint(typed), used_at=None)
    if device is None or not mine.update(used_at=timezone.now()):
        return None
    audit.record(by, Action.GRANT, of(agent), what="recovery_code_used")
    return device


def recovery_fingerprint(typed: str) -> str:
    return fingerprint.of("recovery-code", typed.casefold())
