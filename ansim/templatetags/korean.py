"""What Korean text needs and Django lacks: particles that fit the name before them, spans of time, phone numbers."""

import re

from django import template
from django.utils.translation import get_language, ngettext

from ansim.lib import masking

register = template.Library()

_CLOSED_DIGITS = "013678"  # read 영 일 삼 육 칠 팔: they end in a consonant
_L_DIGITS = "178"  # 일 칠 팔 end in ㄹ
_TRAILING_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")


@register.filter
def josa(name: str, pair: str) -> str:
    """`{{ name|josa:"이/가" }}`: the name with the particle its last sound asks for; 으로/로 takes 로 after ㄹ.

    What ends in neither Hangul nor a digit gets both, `Kakao이(가)`. In any other language the name stands alone.
    """
    if get_language() not in (None, "ko", "ko-kr"):
        return name
    closed, opened = pair.split("/")
    heard = _TRAILING_BRACKETS.sub("", name)[-1:]
    final = _final_sound(heard)
    if final is None:
        both = f"({closed.removesuffix(opened)}){opened}" if closed.endswith(opened) else f"{closed}({opened})"
        return name + both
    takes_open = final == "" or (final == "ㄹ" and pair == "으로/로")
    return name + (opened if takes_open else closed)


def _final_sound(letter: str) -> str | None:
    """An empty text for none, ㄹ, "other" for any other consonant; None when the letter does not tell."""
    if "가" <= letter <= "힣":
        final = (ord(letter) - ord("가")) % 28
        return {0: "", 8: "ㄹ"}.get(final, "other")
    if letter.isascii() and letter.isdigit():
        if letter in _L_DIGITS:
            return "ㄹ"
        return "other" if letter in _CLOSED_DIGITS else ""
    return None


@register.filter
def duration(seconds: int) -> str:
    """161 -> `2분 41초`."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    words = []
    if minutes:
        words.append(ngettext("%(minutes)d분", "%(minutes)d분", minutes) % {"minutes": minutes})
    if rest or not minutes:
        words.append(ngettext("%(seconds)d초", "%(seconds)d초", rest) % {"seconds": rest})
    return " ".join(words)


@register.filter
def clock(seconds: int) -> str:
    """161 -> `2:41`, for a span that is counted down."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    return f"{minutes}:{rest:02}"


@register.filter
def hyphenated(phone: str) -> str:
    """`+821012345678` -> `010-1234-5678`; what is no Korean mobile number stays as it is."""
    digits = re.sub(r"\D", "", phone)
    if digits.startswith("82"):
        digits = "0" + digits[2:]
    match = re.fullmatch(r"(01\d)(\d{3,4})(\d{4})", digits)
    return "-".join(match.groups()) if match else phone


@register.filter
def masked(phone: str) -> str:
    """`+821012345678` -> `010-****-5678`."""
    return masking.phone(phone)


@register.filter
def grouped(won: int) -> str:
    """1100 -> `1,100`, in every language."""
    return f"{won:,}"
