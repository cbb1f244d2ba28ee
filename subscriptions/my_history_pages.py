"""How the owner's history reads: rows, one of them in full, the filter, and the same as a table for spreadsheets."""

import csv
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from subscriptions import owner_history
from subscriptions.owner_history import Wanted
from verification.models import Verification
from verification.states import Channel
from verification.words import PURPOSES

Text = str | Promise
LARGEST_SERIAL = 2**63 - 1
RESULTS: dict[str, tuple[str, Text]] = {
    "verified": ("ok", lazy("인증 완료")), "wrong_number": ("bad", lazy("번호 불일치")),
    "too_late": ("warn", lazy("시간 지남")), "denied": ("bad", lazy("내가 거부")),
    "given_up": ("warn", lazy("그만둠")), "stopped": ("bad", lazy("막힘")), "open": ("info", lazy("진행 중")),
}  # fmt: skip
WHY: dict[str | None, Text] = {
    "too_many_wrong_codes": lazy("인증번호를 여러 번 틀려서 끝났어요."),
    "app_not_registered": lazy("등록된 앱이 없어서 막았어요. 번호는 어디로도 보내지 않았어요."),
    "app_locked": lazy("앱 비밀번호를 5번 틀려서 끝났어요."),
    "line_blocked": lazy("차단, 모두 막기, 회선 정지, 또는 너무 잦은 요청 때문에 막았어요."),
    "line_changed": lazy("가입이나 해지, 휴대폰이나 회선의 변경으로 끝났어요."),
    "undeliverable": lazy("휴대폰에 보내지 못해서 끝났어요."),
    "app_not_opened": lazy("정해진 시간 안에 앱을 열지 않아서 끝났어요."),
    "code_not_entered": lazy("정해진 시간 안에 인증번호를 입력하지 않아서 끝났어요."),
    "not_me": lazy("내가 요청하지 않았다고 앱에서 알려서 끝냈어요. 이용 사이트에도 알렸어요."),
    "cancelled_by_customer": lazy("창이나 앱에서 그만두기를 눌러서 끝났어요."),
    "cancelled_by_partner": lazy("이용 사이트가 멈춰서 끝났어요."),
    "superseded": lazy("같은 사이트에서 더 새로운 인증을 시작해서 끝났어요."),
}


@dataclass(frozen=True)
class Row:
    """One verification in words. `kind` is how its status looks."""

    id: uuid.UUID
    site: str
    purpose: Text
    at: datetime
    kind: str
    result: Text


def row(verification: Verification) -> Row:
    kind, result = RESULTS[owner_history.result_of(verification)]
    return Row(
        verification.pk, verification.site["name"], _purpose(verification), verification.created_at, kind, result
    )  # fmt: skip


def full(verification: Verification) -> dict[str, Any]:
    """What the page of one verification takes, beside its `row`."""
    kind, result = RESULTS[owner_history.result_of(verification)]
    if verification.is_open:
        why: Text = _("아직 끝나지 않았어요.")
    else:
        why = WHY.get(verification.reason) or _("입력한 번호가 맞아서 끝났어요.")
    return {
        "one": verification,
        "kind": kind,
        "result": result,
        "why": why,
        "purpose": _purpose(verification),
        "delivery": _delivery(verification),
    }


def _purpose(verification: Verification) -> Text:
    return PURPOSES.get(verification.purpose, verification.purpose)


def _delivery(verification: Verification) -> Text:
    if verification.released:
        return _("문자 (일시 해제)")
    return {Channel.APP: _("안심 앱"), Channel.SMS: _("문자")}.get(verification.channel or "", _("보내지 않았어요"))  # type: ignore[call-overload,no-any-return] # plain text is a Channel's value


# --- The filter -----------------------------------------------------------------------------------


def wanted(query: QueryDict) -> Wanted:
    """What was chosen in the form; what we do not offer counts as not chosen."""
    month = re.fullmatch(r"(2[0-9]{3})-(0[1-9]|1[0-2])", query.get("month", ""), re.ASCII)
    result = query.get("result", "")
    return Wanted(
        partner=_id(query.get("partner", "")),
        result=result if result in RESULTS else "",
        month=date(int(month[1]), int(month[2]), 1) if month else None,
    )


def before(query: QueryDict) -> int | None:
    """Where the page begins; None for the newest, and for what is no place of ours."""
    typed = query.get("before", "")
    return min(int(typed), LARGEST_SERIAL) if re.fullmatch(r"[0-9]{1,19}", typed, re.ASCII) else None


def _id(typed: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(typed)
    except ValueError:
        return None


def choices(partners: Iterable[tuple[uuid.UUID, str]], months: Iterable[date]) -> dict[str, list[tuple[str, Text]]]:
    """What the form offers."""
    return {
        "partners": [(str(pk), name) for pk, name in partners],
        "results": [(code, words) for code, (_kind, words) in RESULTS.items()],
        "months": [(f"{month:%Y-%m}", _month(month)) for month in months],
    }


def _month(month: date) -> str:
    return _("%(year)d년 %(month)d월") % {"year": month.year, "month": month.month}


# --- For spreadsheets -----------------------------------------------------------------------------


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def table(verifications: Iterable[Verification], *, language: str) -> Iterator[str]:
    """CSV line by line, with the mark by which spreadsheets know UTF-8. It is read after the view has answered."""
    writer = csv.writer(_Line())
    with translation.override(language):
        names = (
            _("요청한 때"),
            _("끝난 때"),
            _("이용 사이트"),
            _("주소"),
            _("용도"),
            _("결과"),
            _("전달 방법"),
            _("지역"),
        )
        yield "\ufeff" + writer.writerow(names)
        for one in verifications:
            yield writer.writerow([_harmless(str(cell)) for cell in _cells(one)])


def _cells(one: Verification) -> tuple[Text, ...]:
    return (
        _seoul(one.created_at), _seoul(one.ended_at), one.site["name"], one.site["domain"], _purpose(one),
        RESULTS[owner_history.result_of(one)][1], _delivery(one), one.region,
    )  # fmt: skip


def _seoul(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}" if at else ""


def _harmless(cell: str) -> str:
    """What a spreadsheet would take for a formula stays text (OWASP, CSV injection)."""
    return f"'{cell}" if cell.lstrip()[:1] in ("=", "+", "-", "@") or cell[:1] in ("\t", "\r", "\n") else cell
