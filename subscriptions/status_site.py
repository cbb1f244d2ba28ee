"""How the system is, at a glance, for who watches over the desk: `checkup` and the figures behind it. Nobody's data."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from ansim.desk_auth import at_the_desk, page
from ansim.lib.health import Level, Owed, span
from ansim.models import Agent
from subscriptions import checkup, health

TITLES: dict[str, Promise] = {
    "ticks": _("시계와 작업자"),
    "messages": _("푸시, 문자, 이메일"),
    "webhooks": _("웹훅"),
    "verifications": _("열린 인증"),
    "events": _("통신사 이벤트"),
    "postings": _("통신사 청구"),
    "month": _("월 마감"),
    "sweep": _("통신사와 맞춰 보기"),
}
WORDS: dict[Level, Promise] = {Level.OK: _("좋음"), Level.WARN: _("살펴볼 것"), Level.BAD: _("나쁨")}
CHANNELS: dict[str, Promise | str] = {
    "fcm": "FCM",
    "apns": "APNs",
    "sms": _("문자"),
    "mail": _("알림 메일"),
    "webhook": _("웹훅"),
}


@require_safe
@at_the_desk("ansim.review_record")
def status(request: HttpRequest, agent: Agent) -> HttpResponse:
    """What stands in the database and Redis now; nobody outside is asked, so that it answers at once."""
    standing = health.standing()
    findings = [
        {"title": TITLES[name], "level": found.level.value, "word": WORDS[found.level], "found": found}
        for name, found in checkup.of(standing)
    ]
    shown: dict[str, Any] = {
        "title": _("시스템 상태"),
        "findings": findings,
        "well": all(found["level"] == Level.OK for found in findings),
        "owed": [_row(name, one) for name, one in {**standing.messages, "webhook": standing.webhooks}.items()],
        "open": standing.open.by_state,
        "bells": standing.bells,
    }
    return page(request, "status", shown)


def _row(channel: str, owed: Owed) -> dict[str, Any]:
    return {"channel": CHANNELS[channel], "count": owed.count, "oldest": span(owed.oldest), "late": span(owed.late)}


urlpatterns = [path("status/", status, name="desk-status")]
