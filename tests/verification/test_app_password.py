"""The app password is kept as Argon2id over its peppered form, at full cost (mission.md 5, docs/adr/0037)."""

import base64
import re
import uuid

import pytest

from verification import codes

LINE = uuid.UUID("00000000-0000-4000-8000-000000000001")
BY_ARGON2_CFFI = "$argon2id$v=19$m=19456,t=2,p=1$vwMKj126Hlz/DnLpd/Y1Iw$JOx19lheIFi09yDkTj3pK4l2dmnj5HzA+XQ1xaK7nIk"


@pytest.fixture
def peppered(settings):
    settings.PASSWORD_PEPPER = base64.b64encode(b"pepper-of-the-test").decode()


def test_it_costs_what_owasp_asks_for_and_has_a_salt_of_its_own():
    one, other = (codes.password_hash("259173", line=LINE) for _ in range(2))
    cost = re.compile(r"[^$]*\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}")
    assert cost.fullmatch(one)
    assert one != other


def test_only_the_password_itself_opens_and_only_on_its_line():
    kept = codes.password_hash("259173", line=LINE)
    assert codes.right_password("259173", kept, line=LINE)
    assert not codes.right_password("259174", kept, line=LINE)
    assert not codes.right_password("", kept, line=LINE)
    assert not codes.right_password("259173", kept, line=uuid.uuid4())


def test_what_another_library_hashed_still_opens(peppered):
    assert codes.right_password("259173", BY_ARGON2_CFFI, line=LINE)
    assert not codes.right_password("259174", BY_ARGON2_CFFI, line=LINE)


@pytest.mark.parametrize("broken", ["", "$", "$argon2id$", BY_ARGON2_CFFI[:-1], BY_ARGON2_CFFI + "A" * 100])
def test_what_is_no_hash_opens_to_nobody(peppered, broken):
    assert not codes.right_password("259173", broken, line=LINE)
