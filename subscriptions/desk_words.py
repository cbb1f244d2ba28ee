"""What happened to a customer, in words for the desk: a title, a text, and who did it. No code, no number, ever."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from ansim.record_models import Action
from pushes.notices import NOTICES
from subscriptions.customer_record import Customer, Entry
from subscriptions.models import CarrierEvent
from verification.case_words import ENDS
from verification.models import Case, Line
from verification.words import PURPOSES

Text = str | Promise

KINDS: dict[str, Text] = {
    "": lazy("전체"), "verifications": lazy("인증"), "line": lazy("회선"), "app": lazy("앱"), "bills": lazy("요금"),
    "desk": lazy("상담"),
}  # fmt: skip
CUSTOMER, APP, CARRIER, PARTNER, SYSTEM = (
    lazy("고객"), lazy("앱"), lazy("통신사"), lazy("이용 사이트"), lazy("시스템"),
)  # fmt: skip
MESSAGES: dict[str, Text] = {"wake": lazy("앱 열기 알림"), "number": lazy("번호 푸시"), "sms": lazy("문자")}
FATES: dict[str, Text] = {
    "owed": lazy("보내는 중"), "sent": lazy("보냄"), "failed": lazy("보내지 못함"), "expired": lazy("시간 지남"),
    "void": lazy("보내지 않음"),
}  # fmt: skip
CHANNELS = {"fcm": "FCM", "apns": "APNs", "sms": "SMS"}
LEFT: dict[str, Text] = {
    "customer": lazy("고객이 해지했습니다."), "desk": lazy("상담 데스크에 접수한 해지가 하루 뒤 이루어졌습니다."),
    "terminated": lazy("통신사에서 회선이 해지되었습니다."), "ported_out": lazy("다른 통신사로 번호를 옮겼습니다."),
    "owner_changed": lazy("회선의 명의가 바뀌었습니다."), "plan_changed": lazy("가입할 수 없는 요금제로 바뀌었습니다."),
    "device_changed": lazy("앱을 쓸 수 없는 휴대폰으로 바뀌었습니다."),
}  # fmt: skip
LOOKS: dict[str, Text] = {
    Action.LOOK: lazy("고객 화면 열람"), Action.SEARCH: lazy("고객 찾음"), Action.REVEAL: lazy("가린 정보를 봄"),
    Action.EXPORT: lazy("자료를 내려받음"), Action.CHANGE: lazy("자료를 바꿈"), Action.CANCEL: lazy("해지를 접수함"),
    Action.RESET: lazy("앱 다시 등록을 접수함"), Action.APPROVE: lazy("접수한 것을 승인함"),
    Action.GRANT: lazy("권한을 바꿈"), Action.REFUSED: lazy("거절됨"),
}  # fmt: skip
PENDING: dict[str, Text] = {"cancellation": lazy("해지"), "reset": lazy("앱 다시 등록")}
RELEASE_ENDS: dict[str, Text] = {
    "time": lazy("시간이 지나 끝났습니다."), "owner": lazy("고객이 끝냈습니다."),
    "renewed": lazy("새 일시 해제가 대신했습니다."), "changed": lazy("보호나 휴대폰이 바뀌어 끝났습니다."),
    "locked": lazy("앱 비밀번호가 잠겨 끝났습니다."),
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """An entry as it is read. `kind`: how it looks (ok, warn, bad, info); `received_at` where it differs from `at`."""

    at: datetime
    title: Text
    text: Text
    by: Text
    kind: str = "info"
    details: tuple[Text, ...] = ()
    received_at: datetime | None = None


def say(entry: Entry) -> Said:
    return _TABLE[entry.source](entry)


def gathered(entries: list[Entry]) -> list[Said]:
    """In words; one agent's looks in a row are one line that says how many."""
    said: list[Said] = []
    looks, last = 0, ("", "", "")
    for entry in entries:
        same = (entry.source, entry.data.get("actor", ""), entry.data.get("action", ""))
        if entry.source == "look" and entry.data["action"] in (Action.LOOK, Action.SEARCH) and same == last:
            looks += 1
            before = said[-1]
            said[-1] = Said(before.at, before.title, _("%(count)d번") % {"count": looks}, before.by, before.kind)
        else:
            looks = 1
            said.append(say(entry))
        last = same
    return said


def _joined(entry: Entry) -> Said:
    return Said(entry.at, _("가입"), _("서비스가 시작되었습니다."), CUSTOMER, "ok")


def _ended(entry: Entry) -> Said:
    reason = entry.data["reason"]
    who = CUSTOMER if reason == "customer" else _("상담원") if reason == "desk" else CARRIER
    return Said(entry.at, _("해지"), LEFT.get(reason, reason), who, "bad")


def _event(entry: Entry) -> Said:
    data = entry.data
    known = data["type"] in CarrierEvent.Type.values
    title = CarrierEvent.Type(data["type"]).label if known else _("알 수 없는 알림")
    standing = CarrierEvent.Standing(data["standing"]).label
    received = _time(data["received_at"])
    later = received if received and abs((received - entry.at).total_seconds()) >= 60 else None
    text = _("통신사 이벤트 %(event)s · %(standing)s") % {"event": data["event"][:40], "standing": standing}
    return Said(entry.at, title, text, CARRIER, "warn", received_at=later)


def _verification(entry: Entry) -> Said:
    data = entry.data
    purpose = PURPOSES.get(data["purpose"], data["purpose"])
    title = _("인증 · %(site)s · %(purpose)s") % {"site": data["site"]["name"], "purpose": purpose}
    if data["ended_at"] is None:
        kind, text = "info", _("진행 중입니다.")
    else:
        kind, text = ENDS.get(data["reason"] or "", ("bad", data["reason"]))
    return Said(entry.at, title, text, PARTNER, kind, tuple(_road(data)))


def _road(data: dict[str, Any]) -> list[Text]:
    """How it went to the phone, message by message."""
    lines: list[Text] = [_("일시 해제를 써서 문자로 보냈습니다.")] if data["released"] else []
    for kind, channel, state, attempts in data["messages"] or ():
        told = {"what": MESSAGES.get(kind, kind), "channel": CHANNELS[channel], "fate": FATES[state], "tries": attempts}
        lines.append(_("%(what)s: %(channel)s, %(fate)s (%(tries)d번 시도)") % told)
    opened, ended = _time(data["opened_at"]), _time(data["ended_at"])
    if opened:
        lines.append(_("앱에서 열어 봄 %(at)s") % {"at": _clock(opened)})
    if ended:
        lines.append(_("끝남 %(at)s") % {"at": _clock(ended)})
    return lines


def _release(entry: Entry) -> Said:
    data = entry.data
    if data["used_at"]:
        text: Text = _("한 번 썼습니다.")
    else:
        text = RELEASE_ENDS.get(data["ended_by"], _("열려 있습니다."))
    return Said(entry.at, _("일시 해제 · %(site)s") % {"site": data["partner"]}, text, APP, "warn")


def _case(entry: Entry) -> Said:
    data = entry.data
    text = _("상담할 일이 끝났습니다.") if data["closed_at"] else _("상담할 일로 남아 있습니다.")
    title = _("신고: %(what)s · %(site)s") % {"what": Case.Kind(data["kind"]).label, "site": data["partner"]}
    return Said(entry.at, title, text, CUSTOMER, "bad")


def _notice(entry: Entry) -> Said:
    data = entry.data
    notice = NOTICES.get(data.get("notice", ""))
    text = notice.text if notice else _("알림의 내용은 지워졌습니다.")
    fate = _("%(channel)s, %(fate)s (%(tries)d번 시도)") % {
        "channel": CHANNELS[data["channel"]], "fate": FATES[data["state"]], "tries": data["attempts"],
    }  # fmt: skip
    return Said(entry.at, _("고객 휴대폰에 알림"), text, SYSTEM, "info", (fate,))


def _charge(entry: Entry) -> Said:
    data = entry.data
    month = date.fromisoformat(data["adjusts"] or data["month"])
    told = {"year": month.year, "month": month.month, "won": f"{data['amount']:,}", "days": data["days"]}
    if data["adjusts"]:
        title = _("요금 조정 · %(year)d년 %(month)d월분") % told
    else:
        title = _("요금 · %(year)d년 %(month)d월분") % told
    return Said(entry.at, title, _("%(won)s원 (%(days)d일)") % told, SYSTEM)


def _pending(entry: Entry) -> Said:
    data = entry.data
    what = PENDING[data["kind"]]
    if data["step"] == "asked":
        text = _("%(at)s에 이루어집니다. 그 전에 고객이 앱에서 멈출 수 있습니다.") % {"at": _clock(data["due_at"])}
        return Said(entry.at, _("%(what)s 접수") % {"what": what}, text, data["by"] or SYSTEM, "warn")
    if data["step"] == "asked_for_approval":
        said = _("책임자의 승인을 기다립니다. 승인한 때부터 하루 뒤에 이루어집니다.")
        return Said(entry.at, _("%(what)s 접수") % {"what": what}, said, data["by"] or SYSTEM, "warn")
    if data["step"] == "approved":
        text = _("%(at)s에 이루어집니다. 그 전에 고객이 앱에서 멈출 수 있습니다.") % {"at": _clock(data["due_at"])}
        return Said(entry.at, _("접수한 %(what)s 승인") % {"what": what}, text, data["by"], "warn")
    if data["step"] == "stopped":
        return Said(entry.at, _("%(what)s 접수가 멈춤") % {"what": what}, _("이루어지지 않았습니다."), CUSTOMER, "ok")
    return Said(entry.at, _("접수한 %(what)s 처리") % {"what": what}, _("하루가 지나 이루어졌습니다."), SYSTEM, "warn")


def _consent(entry: Entry) -> Said:
    data = entry.data
    title = _("동의 · %(title)s") if data["agreed"] else _("동의를 거둠 · %(title)s")
    named = data["en" if get_language() == "en" else "ko"]
    return Said(entry.at, title % {"title": named}, _("판 %(version)s") % data, CUSTOMER)


def _look(entry: Entry) -> Said:
    data = entry.data
    action = LOOKS.get(data["action"], data["action"])
    text = FIELDS.get(data["what"], "") if data["action"] == Action.REVEAL else ""
    return Said(entry.at, action, text, data["actor"])


_TABLE: dict[str, Callable[[Entry], Said]] = {
    "joined": _joined, "ended": _ended, "event": _event, "verification": _verification, "release": _release,
    "case": _case, "notice": _notice, "charge": _charge, "pending": _pending, "consent": _consent, "look": _look,
}  # fmt: skip

# --- The facts --------------------------------------------------------------------------------------

FIELDS: dict[str, Text] = {
    "name": lazy("이름"), "birthdate": lazy("생년월일"), "phone": lazy("휴대폰 번호"), "contract": lazy("계약 번호"),
}  # fmt: skip


def standing(customer: Customer) -> tuple[str, Text]:
    """How the customer stands, as a look and a word: the same words as on their own page."""
    line = customer.line
    if not customer.is_active:
        return "bad", _("해지됨")
    if customer.waiting:
        first = customer.waiting[0]
        word = _("%(what)s 승인 대기") if first.awaits_approval else _("%(what)s 접수됨")
        return "warn", word % {"what": PENDING[first.kind]}
    if customer.subscription.suspended_at:
        return "warn", _("일시 정지")
    if line.device is None:
        return "warn", _("앱 등록 필요")
    return "ok", _("모두 막는 중") if line.stop_all else _("보호 중")


def device(line: Line) -> Text:
    if line.device is None:
        return _("등록된 앱이 없습니다.")
    told = {"model": line.device.model, "on": f"{timezone.localtime(line.device.registered_at):%Y-%m-%d}"}
    return _("%(model)s, %(on)s 등록") % told


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%m-%d %H:%M}"
