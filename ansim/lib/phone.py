"""Korean mobile numbers as people type them (mission.md section 7)."""

import re

import phonenumbers

MOBILE = re.compile(r"0(10\d{8}|1[16789]\d{7,8})")
PLAIN = re.compile(r"(?:0|\+82)(1[016789])-?([0-9]{3,4})-?([0-9]{4})")  # as nearly all are: nothing to find out


def parse(typed: str) -> str:
    """E.164 ("+821012345678"). Accepts hyphens, blanks and +82; refuses what is no Korean mobile number: ValueError.

    The carrier is never inferred from the prefix: numbers move between carriers.
    """
    plain = PLAIN.fullmatch(typed)
    dialled = "".join(("0", *plain.groups())) if plain else _at_home(typed)
    if not MOBILE.fullmatch(dialled):
        raise ValueError("not a Korean mobile number")
    return f"+82{dialled[1:]}"


def _at_home(typed: str) -> str:
    """What to dial in Korea, as Google's library reads it. ValueError: no number, or one of another country."""
    if any(letter.isalpha() for letter in typed):  # the library would dial them: 010-ABCD-EFGH
        raise ValueError("not a phone number")
    try:
        parsed = phonenumbers.parse(typed, "KR")
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a phone number") from error
    if parsed.country_code != 82 or parsed.extension:
        raise ValueError("not a Korean mobile number")
    return f"0{parsed.national_number}"


def national(e164: str) -> str:
    """Digits as dialled at home: "01012345678"."""
    return "0" + e164.removeprefix("+82")
