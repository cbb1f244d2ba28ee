"""The tables of the guide: states, reasons and limits, each from the code that decides, with words for people."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verification import webhooks
from verification.limits import Limits
from verification.sandbox import SCENES, Scene
from verification.states import MOVES, REASONS, Channel, State

Text = str | Promise

STATES: dict[str, Text] = {
    "created": _("사람이 인증창에서 본인 정보를 입력하기를 기다려요."),
    "awaiting_app": _("휴대폰에 알림을 보냈어요. 주인이 앱을 열어 비밀번호를 입력하기를 기다려요."),
    "awaiting_code": _("번호가 나갔어요. 사람이 입력하기를 기다려요."),
    "verified": _("본인이에요. 10분 안에 결과를 읽으세요."),
    "failed": _("확인하지 못했어요."),
    "expired": _("시간이 지났어요."),
    "denied": _("휴대폰의 주인이 거부했어요."),
    "cancelled": _("그만뒀어요."),
}
# reason: (what happened, what the site does)
WORDS: dict[str, tuple[Text, Text]] = {
    "identity_mismatch": (
        _("없는 번호, 다른 정보, 확인할 수 없는 회선. 일부러 구별하지 않아요."),
        _("입력한 정보를 다시 보고 새로 시작하게 하세요."),
    ),
    "too_many_wrong_codes": (
        _("번호를 너무 여러 번 틀렸어요."),
        _("새로 시작하게 하세요. 한 시간에 10번 틀린 회선은 잠시 쉬어야 해요."),
    ),
    "app_not_registered": (
        _("보호 중인 회선인데 등록한 앱이 없어요. 문자로는 절대 보내지 않아요."),
        _("안심 앱을 등록한 뒤 다시 하도록 안내하세요."),
    ),
    "app_locked": (_("앱 비밀번호를 다섯 번 틀려 잠겼어요."), _("앱에서 잠금을 푼 뒤 다시 하도록 안내하세요.")),
    "line_blocked": (
        _("회선의 제한, 주인의 차단, 정지된 회선. 일부러 구별하지 않아요."),
        _("다른 확인 방법을 권하세요. 까닭을 짐작해 말하지 마세요."),
    ),
    "line_changed": (_("인증하는 동안 통신사에서 회선이 바뀌었어요."), _("새로 시작하게 하세요.")),
    "undeliverable": (_("문자를 보내지 못했어요."), _("잠시 뒤 새로 시작하게 하세요.")),
    "identity_not_entered": (_("인증창에서 본인 정보를 제때 입력하지 않았어요."), _("새로 시작하게 하세요.")),
    "app_not_opened": (_("앱을 제때 열지 않았어요."), _("휴대폰을 곁에 두고 새로 시작하게 하세요.")),
    "code_not_entered": (_("번호를 제때 입력하지 않았어요."), _("새로 시작하게 하세요.")),
    "not_me": (
        _("주인이 앱에서 ‘내가 요청하지 않았어요’를 눌렀어요."),
        _("누군가 그 사람인 척하고 있어요. 이 로그인이나 주문을 멈추세요."),
    ),
    "cancelled_by_customer": (_("사람이 그만뒀어요."), _("언제든 다시 시작할 수 있게 두세요.")),
    "cancelled_by_partner": (_("사이트가 그만뒀어요."), _("할 일이 없어요.")),
    "superseded": (_("같은 사람에 대해 더 새로운 인증을 시작했어요."), _("새 인증만 보세요.")),
}
LIMITS: dict[str, Text] = {
    "code_ttl": _("번호를 입력할 시간"),
    "app_ttl": _("앱을 열 시간"),
    "identity_ttl": _("인증창에서 본인 정보를 입력할 시간"),
    "result_ttl": _("결과를 읽을 수 있는 시간"),
    "resend_after": _("다시 보내기까지 기다리는 시간"),
    "resends": _("다시 보낼 수 있는 횟수"),
    "tries": _("한 인증에서 번호를 틀릴 수 있는 횟수"),
    "identity_tries": _("인증창에서 본인 정보를 입력해 보는 횟수"),
    "line_wrong_per_hour": _("한 회선에서 한 시간에 틀릴 수 있는 횟수(모든 사이트를 합쳐서)"),
    "line_open": _("한 회선에서 동시에 열려 있는 인증"),
    "line_per_10min": _("한 회선의 10분 동안 인증"),
    "line_per_day": _("한 회선의 하루 동안 인증"),
    "partner_per_min": _("한 사이트의 1분 동안 요청"),
}
SECONDS = frozenset({"code_ttl", "app_ttl", "identity_ttl", "result_ttl", "resend_after"})


@dataclass(frozen=True)
class Row:
    """A state with its words; `reasons` as (reason, what happened, what to do)."""

    state: str
    text: Text
    open: bool
    goes_to: tuple[str, ...]
    reasons: tuple[tuple[str, Text, Text], ...]


def states() -> Iterator[Row]:
    for state in State:
        reasons = tuple((reason, *WORDS[reason]) for reason in REASONS.get(state, ()))
        goes_to = tuple(to.value for to in State if to in MOVES.get(state, ()))
        yield Row(state.value, STATES[state.value], state in MOVES, goes_to, reasons)


def limits() -> list[dict[str, Any]]:
    """The defaults of `limits.Limits` that have words here."""
    known = Limits()
    return [
        {"text": LIMITS[field.name], "value": getattr(known, field.name), "seconds": field.name in SECONDS}
        for field in fields(known)
        if field.name in LIMITS
    ]


def ladder() -> list[str]:
    """How long after a failed attempt the next one comes: 5 s, 5 min, …"""
    return [_short(int(step.total_seconds())) for step in webhooks.LADDER]


def scenes() -> Iterator[dict[str, Any]]:
    """The magic numbers of test mode."""
    for number, scene in SCENES.items():
        silent = scene.fails in ("identity_mismatch", "line_blocked", "app_not_registered", "app_locked")
        yield {"phone": number, "channel": "" if silent else scene.channel, "text": _scene(scene)}


def _scene(scene: Scene) -> str:
    if scene.fails:
        return gettext("곧바로 `failed`, `%(reason)s`") % {"reason": scene.fails}
    if scene.life:
        reason = "app_not_opened" if scene.channel == Channel.APP else "code_not_entered"
        return gettext("%(seconds)d초 뒤 `expired`, `%(reason)s`") % {"seconds": scene.life, "reason": reason}
    if scene.sim_changed:
        return gettext("번호가 맞으면 `verified`. `risk.sim_changed_at`이 세 시간 전이에요.")
    told = {
        "": gettext("번호가 맞으면 `verified`"),
        "unlock": gettext("주인이 앱을 열어요. 번호가 맞으면 `verified`"),
        "not_me": gettext("주인이 거부해요: `denied`, `not_me`"),
        "cancelled_by_customer": gettext("주인이 그만둬요: `cancelled`, `cancelled_by_customer`"),
    }
    return told.get(scene.deed) or gettext("잠시 뒤 `failed`, `%(reason)s`") % {"reason": scene.deed}


def _short(seconds: int) -> str:
    for size, name in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size}\u00a0{name}"
    return f"{seconds}\u00a0s"
