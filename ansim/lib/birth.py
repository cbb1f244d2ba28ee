"""The front six digits and the gender digit of a resident registration number (mission.md section 7)."""

from datetime import date
from zoneinfo import ZoneInfo

from django.utils import timezone

KOREA = ZoneInfo("Asia/Seoul")
CENTURIES = {
    "9": 1800,
    "0": 1800,
    "1": 1900,
    "2": 1900,
    "5": 1900,
    "6": 1900,
    "3": 2000,
    "4": 2000,
    "7": 2000,
    "8": 2000,
}
FOREIGN = frozenset("5678")
ADULT_AT = 19  # full years, Civil Act article 4


def today() -> date:
    """The day it is in Seoul."""
    return timezone.now().astimezone(KOREA).date()


def born_on(yymmdd: str, gender_digit: str) -> date:
    """The full birth date. Refuses impossible and future dates: ValueError."""
    if not (yymmdd.isascii() and yymmdd.isdecimal() and len(yymmdd) == 6) or gender_digit not in CENTURIES:
        raise ValueError("six digits and a gender digit")
    born = date(CENTURIES[gender_digit] + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    if born > today():
        raise ValueError("a date to come")
    return born


def gender(gender_digit: str) -> str:
    """ "M" for odd digits, "F" for even ones."""
    return "M" if int(gender_digit) % 2 else "F"


def adult_on(born: date) -> date:
    """The day on which somebody is no longer a minor; who was born on 29 February: 1 March of a common year."""
    try:
        return born.replace(year=born.year + ADULT_AT)
    except ValueError:
        return date(born.year + ADULT_AT, 3, 1)
