"""What the desk knows of a reported verification, in words: no code, no number, and nothing of who the customer is."""

from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from subscriptions.customer_record import Customer
from subscriptions.desk_words import ENDS
from verification.models import Case
from verification.words import PURPOSES

Text = str | Promise


def oldest(customer: Customer) -> Case | None:
    """Of this customer's, which the desk has not closed."""
    mine = Case.objects.filter(line=customer.line, closed_at=None, opened_at__gte=customer.since)
    if customer.until:
        mine = mine.filter(opened_at__lt=customer.until)
    return mine.select_related("partner").order_by("opened_at").first()


def of_oldest(customer: Customer) -> list[tuple[Text, Text]]:
    case = oldest(customer)
    return facts(case) if case else []


def facts(case: Case) -> list[tuple[Text, Text]]:
    """From what was kept when the owner reported it (`not_me.facts_of`)."""
    told = case.facts
    site, phone = told["site"], told["phone"]
    by_sms = told["channel"] == "sms" or told["released"]
    shown: list[tuple[Text, Text]] = [
        (_("이용 사이트"), f"{case.partner.name} · {site['name']} ({site['domain']})"),
        (_("용도"), PURPOSES.get(told["purpose"], told["purpose"])),
        (_("요청한 때"), _clock(told["created_at"])),
        (_("신고한 때"), f"{timezone.localtime(case.opened_at):%Y-%m-%d %H:%M}"),
        (_("번호가 간 길"), _("문자") if by_sms else _("앱")),
        (_("앱에서 열어 봄"), _clock(told["opened_at"]) or _("열지 않음")),
        (_("요청한 곳의 지역"), told["region"] or _("모름")),
        (_("끝난 까닭"), ENDS.get(told["reason"] or "", ("", told["reason"]))[1] if told["ended_at"] else _("진행 중")),
        (_("하루 안의 요청"), _requests(told["requests_within_a_day"], told["of_this_partner"])),
        (_("이 사이트를 늦추는 때까지"), f"{timezone.localtime(case.slowed_until):%Y-%m-%d %H:%M}"),
    ]
    if phone:
        shown.append((_("등록된 휴대폰"), f"{phone['model']} · {_clock(phone['registered_at'])}"))
    return shown


def _requests(every: int, of_partner: int) -> str:
    return _("모두 %(every)d번, 이 사이트가 %(partner)d번") % {"every": every, "partner": of_partner}


def _clock(text: str | None) -> str:
    return f"{timezone.localtime(datetime.fromisoformat(text)):%Y-%m-%d %H:%M}" if text else ""
