"""What a partner is shown of a verification, and for how long (api.md section 1)."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from ansim.lib import birth
from ansim.lib.times import APART, instant
from verification import receipts
from verification.limits import Limits
from verification.models import GRANTS, Partner, Verification

ERASE = """
UPDATE verification_verification AS verification SET holder = NULL, receipt = made.receipt
FROM unnest(%(ids)s::uuid[], %(receipts)s::bytea[]) AS made(id, receipt) WHERE verification.id = made.id
"""


def shown(verification: Verification, *, personal: bool = True) -> dict[str, Any]:
    """The verification as the API shows it. `personal=False` for lists: neither result nor receipt."""
    return {
        "id": str(verification.pk),
        "reference": verification.reference,
        "purpose": verification.purpose,
        "state": verification.state,
        "reason": verification.reason,
        "channel": verification.channel,
        "released": verification.released,
        "match_number": verification.match_number,
        "created_at": instant(verification.created_at),
        "expires_at": instant(verification.expires_at),
        "code_expires_at": instant(verification.code_expires_at),
        "tries_left": verification.tries_left,
        "resends_left": verification.resends_left,
        "result": _result(verification, verification.partner) if personal else None,
        "receipt": verification.receipt if personal else None,
        "livemode": verification.livemode,
    }


def _result(verification: Verification, partner: Partner) -> dict[str, Any] | None:
    if verification.state != Verification.State.VERIFIED:
        return None
    holder = verification.holder
    if holder is None:
        return {"erased": True}
    born = date.fromisoformat(holder["birthdate"])
    known = {
        **{name: holder[name] for name in ("name", "birthdate", "gender", "foreigner", "phone", "carrier", "ci")},
        "adult": birth.adult_on(born) <= birth.today(),
        "di": receipts.pairwise(holder["ci"], partner),
    }
    return {
        **{name: known[name] for name in GRANTS if name in partner.grants},
        "verified_at": instant(verification.ended_at),
        "channel": verification.channel,
        "risk": {**holder["risk"], "released": verification.released},
    }


def due(*, now: datetime) -> Q:
    """What was up long enough, as its partner's limits have it; what was not is not even looked at."""
    own = {
        partner: Limits.of(limits).result_ttl
        for partner, limits in Partner.objects.filter(limits__has_key="result_ttl").values_list("pk", "limits")
    }
    found = Q(ended_at__lte=now - timedelta(seconds=Limits.result_ttl)) & ~Q(partner__in=own)
    found |= Q(ended_at__gt=now + APART)  # a wrong clock dated it: nobody knows how long it has been up
    for partner, life in own.items():
        found |= Q(partner=partner, ended_at__lte=now - timedelta(seconds=life))
    return found


def erase_if_due(verification: Verification, *, now: datetime) -> None:
    """The partner had its time: the personal data go, the receipt is made again without the DI."""
    life = timedelta(seconds=Limits.of(verification.partner.limits).result_ttl)
    readable = verification.state == Verification.State.VERIFIED and verification.holder is not None
    if readable and verification.ended_at and not now - life < verification.ended_at <= now + APART:
        erase(verification)


def erase_due(*, now: datetime, most: int) -> int:
    """Of all that had their time, the oldest; how many. In one statement: there are as many of them as verifications.
    Those that somebody else is at just now wait for the next time.
    """
    up = Verification.objects.filter(due(now=now), holder__isnull=False).order_by("ended_at").select_related("partner")
    with transaction.atomic(), connection.cursor() as cursor:
        erased = list(up.select_for_update(of=("self",), skip_locked=True)[:most])
        for verification in erased:
            _without_holder(verification)
        receipt: Any = Verification._meta.get_field("receipt")
        receipts_made = [receipt.pre_save(verification, False) for verification in erased]
        cursor.execute(ERASE, {"ids": [verification.pk for verification in erased], "receipts": receipts_made})
    return len(erased)


def erase(verification: Verification) -> None:
    """From now on nobody reads who it was; the receipt stays, without the DI."""
    _without_holder(verification)
    verification.save(update_fields=["holder", "receipt"])


def _without_holder(verification: Verification) -> None:
    verification.holder = None
    verification.receipt = receipts.make(verification, verification.partner)
