"""What "my page" shows: the state in a word and a sentence with the one next thing to do, and the rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ansim.lib import masking
from pushes.models import MailAddress
from subscriptions import bills, consents, owner_history, pending, proving, sessions
from subscriptions.models import CustomerSession, PendingChange
from subscriptions.my_history_pages import row
from subscriptions.public_pages import text
from verification import not_me
from verification.models import Line, Partner, Release

Text = str | Promise
LAST = 5  # rows of the history on the first page
Kind = PendingChange.Kind


@dataclass(frozen=True)
class Card:
    """A state. `do` names what can be done about it: a form of `overview.html`, or nothing."""

    kind: str
    word: Text
    sentence: Text
    until: datetime | None = None
    do: str = ""
    about: Any = None


PROTECTED = Card("ok", _("보호 중"), _("이 번호의 인증번호는 문자로 나가지 않아요. 이 휴대폰의 앱에만 와요."))
STOPPED = Card(
    "warn",
    _("모두 막기 켜짐"),
    _("지금은 어느 사이트도 이 번호로 인증할 수 없어요."),
    do="allow_all",
)
OFFERED = Card(
    "bad",
    _("신고가 이어져요"),
    _("하루 사이에 세 번 이상 내가 한 게 아니라고 알렸어요. 모두 막기를 켜면 어느 사이트도 인증할 수 없어요."),
    do="stop_all",
)
SUSPENDED = Card(
    "warn",
    _("일시 정지"),
    _("통신사에서 회선을 정지했어요. 정지가 풀릴 때까지 인증할 수 없고, 요금은 정지한 날까지만 내요."),
)
PENDING = {
    Kind.CANCELLATION: (_("해지 접수"), _("고객센터에서 접수한 해지가 기다리고 있어요. 그때 해지돼요:")),
    Kind.RESET: (_("앱 다시 등록 접수"), _("앱 비밀번호 없이 앱을 다시 등록하는 신청이 기다리고 있어요. 그때 열려요:")),
}


def page(request: HttpRequest, name: str, session: CustomerSession, **more: Any) -> HttpResponse:
    """A page in the frame of somebody who is signed in, and until when."""
    frame = {"present": session, "over_at": sessions.over_at(session), "seconds_left": seconds_left(session)}
    return render(request, f"subscriptions/my/{name}.html", {**frame, **more, "noindex": True})


def overview(session: CustomerSession) -> dict[str, Any]:
    """The first page."""
    subscription, line = session.subscription, session.subscription.line
    history = owner_history.page(line, owner_history.Wanted(), size=LAST)
    return {
        "cards": cards(session),
        "subscription": subscription,
        "line": line,
        "device": session.device,
        "rows": [row(one) for one in history.rows],
        "bill": bills.of(line, timezone.localdate().replace(day=1), subscription.holder_fingerprint),
        **_partners(line),
        "mail": mail(line) if settings.EMAIL_OFFERED else None,
        "consents": [(one, text(one.document, "title")) for one in consents.standing(subscription)],
    }


def cards(session: CustomerSession) -> list[Card]:
    """What is so now, the most urgent first. One of them at least."""
    subscription, line = session.subscription, session.subscription.line
    waiting = subscription.pending_changes.filter(**pending.OPEN).order_by("due_at")
    found = [Card("bad", *PENDING[Kind(one.kind)], one.due_at, "stop_pending") for one in waiting]
    if subscription.suspended_at:
        return [*found, SUSPENDED]
    if line.stop_all:
        return [*found, STOPPED]
    if not_me.is_stop_all_offered(line):
        found.append(OFFERED)
    alive = Release.objects.live(now=timezone.now()).filter(line=line).select_related("partner")
    return [*found, *([_released(one) for one in alive] or [PROTECTED])]


def mail(line: Line) -> dict[str, str]:
    """The address for notices and the one that waits for its letters, masked; empty where there is none."""
    row = MailAddress.objects.filter(line=line.pk).first()
    waits = row is not None and row.letters_expire_at is not None and row.letters_expire_at > timezone.now()
    return {
        "address": masking.mail(row.address) if row and row.address else "",
        "wanted": masking.mail(str(row.wanted)) if row and waits else "",
    }


def _released(release: Release) -> Card:
    return Card(
        "warn",
        _("일시 해제 중"),
        _("다음 한 번은 이 사이트의 인증번호가 문자로 와요. 문자는 훔쳐볼 수 있어요. 쓰면 바로, 아니면 그때 끝나요:"),
        release.expires_at,
        "end_release",
        release,
    )


def _partners(line: Line) -> dict[str, list[Partner]]:
    """Whom the owner blocked, and who asked and could be; by name. Our own site is what this page stands on."""
    asked = owner_history.of(line).order_by().values("partner")
    known = Partner.objects.filter(Q(pk__in=asked) | Q(pk__in=line.blocked_partners)).exclude(pk=proving.SITE)
    blocked = set(line.blocked_partners)
    found = list(known.only("name", "domain").order_by("name"))
    return {
        "blocked": [one for one in found if one.pk in blocked],
        "unblocked": [one for one in found if one.pk not in blocked],
    }


def seconds_left(session: CustomerSession) -> int:
    """Until it ends by itself."""
    return max(0, int((sessions.over_at(session) - timezone.now()) / timedelta(seconds=1)))
