"""A proof by the app that our own web site asked for, and that lets its customer do one thing there (invariant 6).

It is a verification like any other. It proves something while its result is there, and using it erases the result: so
it is used once, whoever tries, and however often.
"""

import uuid
from datetime import timedelta

from django.utils import timezone

from verification import results
from verification.ending import hold
from verification.models import Line, Verification

OUR_SITE = uuid.UUID("a5115000-0000-4000-8000-000000000001")
FRESH = timedelta(minutes=5)


def spend(verification_id: uuid.UUID, *, line: Line, purpose: str) -> bool:
    """Use it up, in the caller's transaction, for a line that the caller holds.

    False for everything but our own site's proof of exactly this line and purpose, made within the last five minutes
    by the app that the line has now, not during a temporary release, and not used before.
    """
    try:
        proof = hold(verification_id, line_id=line.pk, partner_id=OUR_SITE, purpose=purpose)
    except Verification.DoesNotExist:
        return False
    if proof.state != Verification.State.VERIFIED or proof.channel != Verification.Channel.APP or proof.released:
        return False
    if proof.holder is None or proof.ended_at is None or proof.ended_at < timezone.now() - FRESH:
        return False
    if line.device is None or line.device.registered_at > proof.ended_at:
        return False
    results.erase(proof)
    return True
