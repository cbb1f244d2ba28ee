"""Korean mobile numbers as people type them (mission.md section 7)."""

import pytest

from ansim.lib import phone


@pytest.mark.parametrize(
    "typed",
    ["010-1234-5678", "01012345678", "010 1234 5678", "+82 10-1234-5678", "+821012345678", "010.1234.5678",
     " 010-1234-5678 ", "+82 010-1234-5678"],
)  # fmt: skip
def test_one_number_however_it_is_typed(typed):
    assert phone.parse(typed) == "+821012345678"


@pytest.mark.parametrize(
    ("typed", "e164"),
    [("011-234-5678", "+82112345678"), ("016-1234-5678", "+821612345678"), ("019-123-4567", "+82191234567")],
)
def test_the_old_prefixes_have_seven_or_eight_digits(typed, e164):
    assert phone.parse(typed) == e164


@pytest.mark.parametrize(
    "typed",
    ["010-123-4567", "010-12345-6789", "012-1234-5678", "015-1234-5678", "02-123-4567", "1566-4380", "+1 202 555 0100",
     "+81 90-1234-5678", "010-1234-5678 ext. 9", "", "안심", "010-1234-567a", "0101234567٨9"],
)  # fmt: skip
def test_what_is_no_korean_mobile_number_is_refused(typed):
    with pytest.raises(ValueError, match="not a"):
        phone.parse(typed)


@pytest.mark.parametrize("hyphen", ["", "-"])
@pytest.mark.parametrize("digits", ["1234567", "12345678", "00000000", "99999999", "0000000", "80012345"])
@pytest.mark.parametrize("prefix", ["010", "011", "016", "017", "018", "019", "+8210", "+8211", "+8216", "+8219"])
def test_what_is_plain_is_read_as_the_library_reads_it(prefix, digits, hyphen):
    typed = hyphen.join((prefix, digits[:-4], digits[-4:]))
    assert phone.PLAIN.fullmatch(typed)

    by_the_library = phone._at_home(typed)

    if phone.MOBILE.fullmatch(by_the_library):
        assert phone.parse(typed) == f"+82{by_the_library[1:]}"
    else:
        with pytest.raises(ValueError, match="not a"):
            phone.parse(typed)


def test_as_dialled_at_home():
    assert phone.national("+821012345678") == "01012345678"
