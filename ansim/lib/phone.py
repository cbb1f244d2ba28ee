"""Korean mobile numbers as people type them (mission.md section 7)."""

import re

import phonenumbers

MOBILE = re.compile(r"0(10\d{8}|1[16789]\d{7,8})")


def parse(typed: str) -> str:
    """E.164 ("+821012345678"). Accepts hyphens, blanks and +82; refuses what is no Korean mobile number: ValueError.

    The carrier is never inferred from the prefix: numbers move between carriers.
    """
    if any(letter.isalpha() for letter in typed):  # the library would dial them: 010-ABCD-EFGH
        raise ValueError("not a phone number")
    try:
        parsed = phonenumbers.parse(typed, "KR")
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a phone number") from error
    national = f"0{parsed.national_number}"
    if parsed.country_code != 82 or parsed.extension or not MOBILE.fullmatch(national):
        raise ValueError("not a Korean mobile number")
    return f"+82{national[1:]}"


def national(e164: str) -> str:
    """Digits as dialled at home: "01012345678"."""
    return "0" + e164.removeprefix("+82")
