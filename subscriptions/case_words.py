"""The report at the desk that waits the longest: what its customer and the agent talk about."""

from django.utils.functional import Promise

from subscriptions.customer_record import Customer
from verification import case_words
from verification.models import Case


def oldest(customer: Customer) -> Case | None:
    """Of this customer's, which the desk has not closed."""
    mine = Case.objects.filter(line=customer.line, closed_at=None, opened_at__gte=customer.since)
    if customer.until:
        mine = mine.filter(opened_at__lt=customer.until)
    return mine.select_related("partner").order_by("opened_at").first()


def of_oldest(customer: Customer) -> list[tuple[str | Promise, str | Promise]]:
    case = oldest(customer)
    return case_words.facts(case) if case else []
