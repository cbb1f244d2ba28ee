"""The letters that stand for the SIM when the app of a protected line is registered again (mission.md S5).

A protected line never gets a number by SMS, so what goes there are letters, which no site and no window takes. Unknown
number, wrong birth date, no member, too often: all end in the same answer, for the same work (invariant 5).
"""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from ansim.lib import fingerprint, rows
from ansim.lib.problem import Refused
from pushes import delivery
from verification import carrier, codes, sms
from verification.identity import Identity
from verification.models import Letters, Line

LIFE = timedelta(minutes=10)
TRIES = 5
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How often they may be asked for: on a line whose owner was recognised, and for a number that somebody typed.
LINE_PER_HOUR, LINE_PER_DAY = 3, 6
TYPED_PER_ADDRESS, TYPED_PER_HOUR = 10, 100


def ask(identity: Identity, *, address: str) -> uuid.UUID:
    """Send letters to a protected line whose owner this is; older ones are void. The id tells nothing.

    Refused: `unavailable` (carrier), then nothing is written.
    """
    facts = carrier.look_up(identity.phone)
    contract = facts.contract if facts and identity.matches(facts) else uuid.uuid4().hex
    told, now = codes.letters(), timezone.now()
    wanted = Letters(
        tries_left=TRIES, asked_at=now, expires_at=now + LIFE,
        typed_fingerprint=fingerprint.of("phone", identity.phone),
        address_fingerprint=fingerprint.of("address", address),
    )  # fmt: skip
    wanted.fingerprint = codes.letters_fingerprint(told, of=wanted.pk)
    message = delivery.text(identity.phone, sms.letters_words(told), verification=None, until=wanted.expires_at)
    with transaction.atomic():
        line = Line.objects.of_contract(contract).select_for_update(of=("self",)).first()
        if _too_often(wanted, line) or line is None or line.protection == Line.Protection.OFF:
            line = None
        wanted.line = line
        Letters.objects.filter(line_id=line.pk if line else uuid.uuid4(), ended_at=None).update(ended_at=now)
        rows.write(insert=[wanted, *([message] if line else [])])
        delivery.ring(message)  # also where nothing is owed: ringing takes time
    return wanted.pk


def _too_often(wanted: Letters, line: Line | None) -> bool:
    last_hour = Q(asked_at__gt=wanted.asked_at - HOUR)
    typed = Q(typed_fingerprint=wanted.typed_fingerprint) & last_hour
    of_line = Q(line_id=line.pk if line else uuid.uuid4())
    counted = Letters.objects.filter(typed | of_line, asked_at__gt=wanted.asked_at - DAY).aggregate(
        near=Count("pk", filter=typed & Q(address_fingerprint=wanted.address_fingerprint)),
        far=Count("pk", filter=typed),
        hour=Count("pk", filter=of_line & last_hour),
        day=Count("pk", filter=of_line),
    )
    return bool(
        counted["near"] >= TYPED_PER_ADDRESS
        or counted["far"] >= TYPED_PER_HOUR
        or counted["hour"] >= LINE_PER_HOUR
        or counted["day"] >= LINE_PER_DAY
    )


def confirm(letters_id: uuid.UUID, typed: str) -> Refused | None:
    """Type them in: from here on the id stands for the SIM, for as long again as they lived.

    Returned, because a wrong try must be written: `wrong_code` with `tries_left`, `closed` (too late, too many wrong
    ones, newer ones, used). Counted under the row's own lock; the line's is not needed, because nothing of it changes.
    """
    with transaction.atomic():
        now = timezone.now()
        alive = Letters.objects.filter(pk=letters_id, ended_at=None, expires_at__gt=now)
        found = alive.select_for_update(of=("self",)).first()
        if found is None or (found.tries_left == 0 and found.confirmed_at is None):
            return Refused("closed")
        if found.confirmed_at:
            return None
        right = codes.same(codes.letters_fingerprint(typed, of=found.pk), found.fingerprint)
        if right and found.line_id:
            found.confirmed_at, found.expires_at = now, now + LIFE
            found.save(update_fields=["confirmed_at", "expires_at"])
            return None
        found.tries_left -= 1
        found.save(update_fields=["tries_left"])
        return Refused("wrong_code", tries_left=found.tries_left)


def confirmed(letters_id: uuid.UUID) -> Letters | None:
    """Those that were typed in rightly, are not used and still good, with their line."""
    good = Letters.objects.select_related("line__device").filter(confirmed_at__isnull=False, ended_at=None)
    return good.filter(pk=letters_id, expires_at__gt=timezone.now()).first()


def use(letters_id: uuid.UUID) -> None:
    """They are worth nothing any more. For a caller who holds their line and has seen them `confirmed`."""
    Letters.objects.filter(pk=letters_id).update(ended_at=timezone.now())


def forget(*, now: datetime) -> None:
    """What no limit counts any longer."""
    Letters.objects.filter(asked_at__lt=now - DAY).delete()
