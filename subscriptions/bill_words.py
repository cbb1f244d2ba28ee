"""The words of a bill: spans of days, won, formulas, and what a day is because of."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from subscriptions.billing import Account, Day, Price, State, price_on, seoul_day
from subscriptions.timeline import Course, Event


def won(amount: int, *, signed: bool = False) -> str:
    """`1,100원`; signed also `+404원`, with a true minus sign."""
    return _("%(won)s원") % {"won": _number(amount, signed)}


def days(number: int, *, signed: bool = False) -> str:
    """`21일` as a number of days."""
    return ngettext("%(days)s일", "%(days)s일", abs(number)) % {"days": _number(number, signed)}


def span(first: date, last: date) -> str:
    """`11월 1일~10일`, within one month."""
    said = {"month": dateformat.format(first, "M"), "first": first.day, "last": last.day}
    return (_("%(month)s %(first)d일~%(last)d일") if first != last else _("%(month)s %(first)d일")) % said


def state_word(state: State) -> str:
    words = {State.ACTIVE: _("보호"), State.SUSPENDED: _("일시 정지"), State.NONE: pgettext("day", "없음")}
    return words[state]


def formula(account: Account, prices: Sequence[Price]) -> str:
    """`1,100원 × 21일 ÷ 30일 = 770원 (원 미만 버림)`; days of another price are added before the division."""
    priced = Counter(price_on(day.on, prices) for day in account.charged)
    parts = [f"{won(price)} × {days(number)}" for price, number in priced.items()] or [won(0)]
    sum_of = parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"
    length = len(account.days)
    if not priced:
        return won(0)
    exact = sum(price * number for price, number in priced.items()) % length == 0
    floored = "" if exact else " " + _("(원 미만 버림)")
    return f"{sum_of} ÷ {days(length)} = {won(account.amount)}{floored}"


@dataclass(frozen=True)
class Causes:
    """When a cause happened, and what it was. A line may join and cancel several times; an event happens once."""

    at: dict[str, list[date]]
    kinds: dict[str, str]

    @classmethod
    def of(cls, courses: Iterable[Course], events: Iterable[Event]) -> "Causes":
        at: dict[str, list[date]] = {}
        for course in courses:
            for one in course.spans:
                at.setdefault(one.because, []).append(seoul_day(one.began_at))
                if one.ended_at and one.ended_because:
                    at.setdefault(one.ended_because, []).append(seoul_day(one.ended_at))
        return cls({cause: sorted(set(when)) for cause, when in at.items()}, {one.id: one.type for one in events})

    def of_run(self, run: Sequence[Day]) -> str:
        """Why these days are what they are: what happened on them, else what they go on from."""
        first, last = run[0].on, run[-1].on
        causes = dict.fromkeys(cause for day in run for cause in day.because)
        dated = [(self._when(cause, last), cause) for cause in causes]
        within = [(when, cause) for when, cause in dated if when and when >= first.replace(day=1)]
        said = [
            _counted(run, when, self._words(cause, when, in_month=bool(within))) for when, cause in within or dated[-1:]
        ]
        return ", ".join(said) if said else _("가입 전")

    def listed(self, causes: Iterable[str]) -> str:
        """Each with its whole date: `2026년 9월 10일에 통신사가 회선을 정지`."""
        return ", ".join(self._words(cause, self._when(cause, date.max), in_month=False) for cause in causes)

    def _when(self, cause: str, latest: date) -> date | None:
        known = self.at.get(cause, [])
        position = bisect_right(known, latest)
        return known[position - 1] if position else None

    def _words(self, cause: str, when: date | None, *, in_month: bool) -> str:
        what = _what().get(self.kinds.get(cause, cause), _("통신사 알림"))
        if when is None:
            return what
        return _("%(day)s %(what)s") % {"day": _day(when, in_month=in_month), "what": what}


def _counted(run: Sequence[Day], when: date | None, words: str) -> str:
    """Days of service count in full at both ends."""
    if run[0].state is State.ACTIVE and when == run[0].on:
        return _("%(words)s(그날부터 포함)") % {"words": words}
    if run[0].state is State.ACTIVE and when == run[-1].on:
        return _("%(words)s(그날까지 포함)") % {"words": words}
    return words


def _day(on: date, *, in_month: bool) -> str:
    said = {"year": on.year, "month": dateformat.format(on, "M"), "day": on.day}
    return (_("%(month)s %(day)d일에") if in_month else _("%(year)d년 %(month)s %(day)d일에")) % said


def _what() -> dict[str, str]:
    return {
        "joined": pgettext("because", "가입"),
        "cancelled": pgettext("because", "해지"),
        "suspended": _("통신사가 회선을 정지"),
        "resumed": _("회선 정지가 풀림"),
        "terminated": _("회선이 해지됨"),
        "ported_out": _("다른 통신사로 번호를 옮김"),
        "owner_changed": _("명의가 바뀜"),
        "plan_changed": _("안심을 쓸 수 없는 요금제로 바꿈"),
        "device_changed": _("안심을 쓸 수 없는 휴대폰으로 바꿈"),
        "not_individual": _("법인 명의로 바뀜"),
        "not_own_name": _("다른 사람 명의로 바뀜"),
    }


def _number(number: int, signed: bool) -> str:
    if number < 0:
        return f"−{-number:,}"
    return f"+{number:,}" if signed and number else f"{number:,}"
