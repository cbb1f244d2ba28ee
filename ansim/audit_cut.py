"""The record's oldest rows go when grants were kept three years, looks with them: both stand in one chain (ADR 0024).

Done by hand by who owns the tables (`manage.py audit cut`), never by the application: its role has no DELETE. A cut is
noted in the chain itself, and the chain begins behind it from then on: what went cannot be faked back, and nobody
without the key moves the beginning.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ansim import audit
from ansim.audit import Actor
from ansim.lib import keyed
from ansim.models import AccessRecord, RecordCut, RetentionRule
from ansim.record_models import Action
from ansim.retention_models import Kind


def cut(*, by: Actor) -> int:
    """Remove what is older than the rule says; how many rows went. One transaction: all of it or nothing."""
    with transaction.atomic():
        last = _last_old()
        if last is None:
            return 0
        mark = RecordCut(number=last.number, before=bytes(last.mac), at=timezone.now())
        mark.mac = mark.expected_mac(keyed.by_id(settings.AUDIT_KEY, last.key))
        mark.save(force_insert=True)
        removed, _by_model = AccessRecord.objects.filter(number__lte=last.number).delete()
        audit.record(by, Action.CUT, what=audit.noted_cut(last.number))
        return removed


def old() -> int:
    """How many rows a cut would take now."""
    last = _last_old()
    return AccessRecord.objects.filter(number__lte=last.number).count() if last else 0


def _last_old() -> AccessRecord | None:
    """The last of those at the front that are all old enough. The newest row always stays: the next is bound to it."""
    cutoff = timezone.now() - timedelta(days=RetentionRule.objects.get(kind=Kind.RECORD).days)
    young = AccessRecord.objects.filter(at__gte=cutoff).order_by("number").values_list("number", flat=True).first()
    newest_first = AccessRecord.objects.order_by("-number")
    if young is not None:
        return newest_first.filter(number__lt=young).first()
    return newest_first[1:2].first() if newest_first.exists() else None
