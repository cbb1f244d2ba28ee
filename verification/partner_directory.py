"""The partners as the owner of a line finds them, to block one or to release it."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from verification.models import Partner
from verification.proofs import OUR_SITE

MOST = 20


@dataclass(frozen=True)
class Found:
    """`sites`: those of an agency's registered sites that were looked for."""

    partner: Partner
    sites: list[dict[str, str]]


def releasable() -> QuerySet[Partner]:
    """Everybody but our own site, which never asks for less than the app (invariant 6)."""
    return Partner.objects.exclude(pk=OUR_SITE)


def search(words: str) -> list[Found]:
    """By a part of the registered name or domain, or by id; an agency also by its sites. Twenty at most, by name."""
    looked_for = words.strip()
    named = Q(name__icontains=looked_for) | Q(domain__icontains=looked_for) | Q(sites_text__icontains=looked_for)
    with suppress(ValueError):
        named |= Q(pk=UUID(looked_for))
    partners = releasable().annotate(sites_text=Cast("sites", TextField())).filter(named).order_by("name", "pk")
    return [Found(partner, _sites(partner, looked_for)) for partner in partners[:MOST]]


def _sites(partner: Partner, looked_for: str) -> list[dict[str, str]]:
    wanted = looked_for.casefold()
    return [site for site in partner.sites if any(wanted in str(word).casefold() for word in site.values())]
