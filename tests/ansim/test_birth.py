"""Birth date and gender digit, and who is a minor today in Seoul (mission.md section 7)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ansim.lib import birth


@pytest.mark.parametrize(
    ("yymmdd", "digit", "born"),
    [
        ("900101", "1", date(1990, 1, 1)),
        ("900101", "2", date(1990, 1, 1)),
        ("050304", "3", date(2005, 3, 4)),
        ("050304", "4", date(2005, 3, 4)),
        ("900101", "5", date(1990, 1, 1)),
        ("900101", "6", date(1990, 1, 1)),
        ("050304", "7", date(2005, 3, 4)),
        ("050304", "8", date(2005, 3, 4)),
        ("991231", "9", date(1899, 12, 31)),
        ("991231", "0", date(1899, 12, 31)),
        ("000229", "3", date(2000, 2, 29)),
        ("960229", "1", date(1996, 2, 29)),
    ],
)
def test_the_gender_digit_tells_the_century(yymmdd, digit, born):
    assert birth.born_on(yymmdd, digit) == born


@pytest.mark.parametrize(
    ("yymmdd", "digit"),
    [("000229", "1"), ("900230", "1"), ("901301", "1"), ("900100", "1"), ("9001", "1"), ("90010 ", "1"),
     ("٩٠٠١٠١", "1"), ("900101", ""), ("900101", "11"), ("900101", "x"), ("", "1")],
)  # fmt: skip
def test_impossible_dates_are_refused(yymmdd, digit):
    with pytest.raises(ValueError):  # noqa: PT011 - the words are datetime's own
        birth.born_on(yymmdd, digit)


def test_nobody_is_born_tomorrow():
    tomorrow = birth.today() + timedelta(days=1)

    with pytest.raises(ValueError, match="to come"):
        birth.born_on(f"{tomorrow:%y%m%d}", "3")
    assert birth.born_on(f"{birth.today():%y%m%d}", "4") == birth.today()


def test_a_day_begins_in_seoul_nine_hours_before_it_does_in_greenwich(monkeypatch):
    monkeypatch.setattr(birth.timezone, "now", lambda: datetime(2026, 11, 22, 15, 0, tzinfo=UTC))
    assert birth.today() == date(2026, 11, 23)

    monkeypatch.setattr(birth.timezone, "now", lambda: datetime(2026, 11, 22, 14, 59, tzinfo=UTC))
    assert birth.today() == date(2026, 11, 22)


@pytest.mark.parametrize(("digit", "gender"), [("1", "M"), ("2", "F"), ("7", "M"), ("8", "F"), ("9", "M"), ("0", "F")])
def test_odd_is_male_and_even_is_female(digit, gender):
    assert birth.gender(digit) == gender


def test_the_foreigners_digits():
    assert {digit for digit in birth.CENTURIES if digit in birth.FOREIGN} == set("5678")


def test_one_is_of_age_on_the_nineteenth_birthday():
    assert birth.adult_on(date(2007, 11, 23)) == date(2026, 11, 23)


def test_who_was_born_on_a_leap_day_is_of_age_on_the_first_of_march():
    assert birth.adult_on(date(2004, 2, 29)) == date(2023, 3, 1)
    assert birth.adult_on(date(2008, 2, 29)) == date(2027, 3, 1)
