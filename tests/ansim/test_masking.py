"""The one masking convention (mission.md section 7)."""

import pytest

from ansim.lib import masking


@pytest.mark.parametrize(("e164", "masked"), [("+821012345678", "010-****-5678"), ("+82112345678", "011-****-5678")])
def test_a_number_shows_its_ends(e164, masked):
    assert masking.phone(e164) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("홍길동", "홍*동"),
        ("홍길", "홍*"),
        ("남궁민수", "남**수"),
        ("김", "김"),
        ("", ""),
        ("John Smith", "J********h"),
    ],
)
def test_a_name_shows_its_ends(name, masked):
    assert masking.name(name) == masked
