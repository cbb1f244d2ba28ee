"""Our staff: who is made, invited, given a role or shut out, and how somebody gets their second factor.

An account begins with an enrolment code, which a supervisor (or `manage.py agents`) hands over in person: a password
alone never gets anybody to the place where an authenticator app is registered. Every grant is on record.
"""

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from ansim import audit, roles
from ansim.audit import Actor
from ansim.lib import fingerprint
from ansim.models import Agent, RecoveryCode
from ansim.record_models import Action
from ansim.staff_sign_in import of, recovery_fingerprint

ENROLMENT_LIFE = timedelta(hours=24)
RECOVERY_CODES = 10


def set_up_roles() -> None:
    """Give every role's group exactly the permissions of the table. Again after each release: it changes nothing."""
    for name, wanted in roles.PERMISSIONS.items():
        group, _made = Group.objects.get_or_create(name=name)
        chosen = Q(pk=None)
        for permission in wanted:
            app, codename = permission.split(".")
            chosen |= Q(content_type__app_label=app, codename=codename)
        group.permissions.set(Permission.objects.filter(chosen))


def invite(agent: Agent, *, by: Actor) -> str:
    """A new enrolment code, shown once and good for a day; an older one is void. What the agent has now still works."""
    code = _words(16)
    with transaction.atomic():
        held = Agent.objects.select_for_update(of=("self",)).get(pk=agent.pk)
        held.enrolment, held.enrolment_until = _enrolment(code), timezone.now() + ENROLMENT_LIFE
        held.save(update_fields=["enrolment", "enrolment_until"])
        audit.record(by, Action.GRANT, of(agent), what="enrolment_code")
    return code


def invited(username: str, code: str) -> Agent | None:
    """Whose enrolment code that is, while it lives."""
    alive = Agent.objects.filter(is_active=True, is_staff=True, enrolment_until__gt=timezone.now())
    return alive.filter(username=username, enrolment=_enrolment(code)).first()


def authenticator(agent: Agent) -> TOTPDevice:
    """The key that the agent's app is about to take over; counts for nothing until `enrol`."""
    with transaction.atomic():
        Agent.objects.select_for_update(of=("self",)).get(pk=agent.pk)
        device = TOTPDevice.objects.filter(user=agent, confirmed=False).first()
        return device or TOTPDevice.objects.create(user=agent, name="app", confirmed=False)


def secret(device: TOTPDevice) -> str:
    """As it is typed into an app that has no camera."""
    return base64.b32encode(device.bin_key).decode()


def otpauth(device: TOTPDevice, agent: Agent) -> str:
    """What the QR code says."""
    issuer = settings.OTP_TOTP_ISSUER
    query = urlencode({"secret": secret(device), "issuer": issuer})
    return f"otpauth://totp/{quote(f'{issuer}:{agent.username}')}?{query}"


def enrol(agent: Agent, *, code: str, password: str, token: str, address: str) -> list[str] | None:
    """Password and app are set, the code is used up, every session ends. The recovery codes, or None for a wrong token.

    None also when the code was used or replaced meanwhile.
    """
    with transaction.atomic():
        held = Agent.objects.select_for_update(of=("self",)).get(pk=agent.pk)
        device = TOTPDevice.objects.select_for_update().filter(user=agent, confirmed=False).first()
        if invited(held.username, code) is None or device is None or not device.verify_token(token):
            return None
        TOTPDevice.objects.filter(user=agent).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        held.set_password(password)
        held.sitting, held.enrolment, held.enrolment_until = "", "", None
        held.save(update_fields=["password", "sitting", "enrolment", "enrolment_until"])
        audit.record(audit.staff(held, address=address), Action.GRANT, of(held), what="enrolled")
        return _recovery_codes(held)


def renew_recovery_codes(agent: Agent, *, address: str) -> list[str]:
    """Ten new ones; those from before are void."""
    with transaction.atomic():
        held = Agent.objects.select_for_update(of=("self",)).get(pk=agent.pk)
        audit.record(audit.staff(held, address=address), Action.GRANT, of(held), what="recovery_codes")
        return _recovery_codes(held)


def _recovery_codes(agent: Agent) -> list[str]:
    RecoveryCode.objects.filter(agent=agent).delete()
    codes = [_words(12) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(agent=agent, fingerprint=recovery_fingerprint(code.replace("-", ""))) for code in codes
    )
    return codes


@dataclass(frozen=True)
class Refusal:
    """Why somebody may not change that account: `own`, `role`."""

    code: str


def may_manage(by: Agent, agent: Agent | None, wanted: Collection[str]) -> Refusal | None:
    """Nobody changes their own account, and nobody gives or touches a role that is not theirs to give."""
    if agent is not None and agent.pk == by.pk:
        return Refusal("own")
    touched = {*wanted, *(agent.roles if agent is not None and agent.pk else [])}
    return None if by.is_superuser or touched <= roles.manageable(by.roles) else Refusal("role")


def set_roles(agent: Agent, wanted: Collection[str], *, by: Actor) -> None:
    """Exactly these; what was before and what is after goes on record."""
    with transaction.atomic():
        held = Agent.objects.select_for_update(of=("self",)).get(pk=agent.pk)
        before = held.roles
        if before == sorted(wanted):
            return
        held.groups.set([Group.objects.get_or_create(name=name)[0] for name in wanted])
        what = f"roles:{','.join(before)}>{','.join(sorted(wanted))}"
        audit.record(by, Action.GRANT, of(agent), what=what[:64])


def shut_out(agent: Agent, *, by: Actor) -> None:
    """From the next request on this person is out, for good. Twice is once."""
    with transaction.atomic():
        Agent.objects.filter(pk=agent.pk).update(is_active=False, sitting="", enrolment="", enrolment_until=None)
        audit.record(by, Action.GRANT, of(agent), what="shut_out")


def let_in(agent: Agent, *, by: Actor) -> None:
    """Again, with the password and the app they had."""
    with transaction.atomic():
        Agent.objects.filter(pk=agent.pk).update(is_active=True)
        audit.record(by, Action.GRANT, of(agent), what="let_in")


def _enrolment(code: str) -> str:
    return fingerprint.of("enrolment", code.replace("-", "").replace(" ", "").casefold())


def _words(length: int) -> str:
    """Random, in groups of four letters that are not taken for one another (base32: 5 bits each)."""
    letters = base64.b32encode(secrets.token_bytes(length)).decode().lower()[:length]
    return "-".join(letters[at : at + 4] for at in range(0, length, 4))
