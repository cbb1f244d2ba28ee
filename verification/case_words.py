"""What the desk knows of a reported verification, in words: no code, no number, and nothing of who the customer is."""

from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from verification.models import Case
from verification.words import PURPOSES

Text = str | Promise

# How a verification ended, by its reason: how it looks (ok, warn, bad), and the sentence.
ENDS: dict[str, tuple[str, Text]] = {
    "": ("ok", lazy("인증했습니다.")),
    "identity_mismatch": ("bad", lazy("입력한 정보가 맞지 않아 끝났습니다.")),
    "too_many_wrong_codes": ("bad", lazy("인증번호를 여러 번 틀려서 끝났습니다.")),
    "app_not_registered": ("bad", lazy("등록된 앱이 없어서 막았습니다. 번호는 보내지 않았습니다.")),
    "app_locked": ("bad", lazy("앱 비밀번호를 5번 틀려서 잠겼습니다.")),
    "line_blocked": ("bad", lazy("차단, 모두 막기, 회선 정지, 너무 잦은 요청 가운데 하나로 막았습니다.")),
    "line_changed": ("warn", lazy("가입이나 해지, 휴대폰이나 회선의 변경으로 끝났습니다.")),
    "undeliverable": ("bad", lazy("휴대폰에 보내지 못해서 끝났습니다.")),
    "identity_not_entered": ("warn", lazy("정보를 입력하지 않아 끝났습니다.")),
    "app_not_opened": ("warn", lazy("정해진 시간 안에 앱을 열지 않아서 끝났습니다.")),
    "code_not_entered": ("warn", lazy("정해진 시간 안에 인증번호를 입력하지 않아서 끝났습니다.")),
    "not_me": ("bad", lazy("고객이 '내가 요청하지 않았음'으로 거부했습니다.")),
    "cancelled_by_customer": ("warn", lazy("고객이 그만두었습니다.")),
    "cancelled_by_partner": ("warn", lazy("이용 사이트가 멈췄습니다.")),
    "superseded": ("warn", lazy("같은 사이트의 새 인증이 대신했습니다.")),
}


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
