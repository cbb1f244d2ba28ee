"""Who may join (mission.md S4, S7): every failing reason, all at once, and the birthday on which a minor is none."""

import itertools
from dataclasses import replace
from datetime import date

import pytest

from subscriptions.eligibility import why_not
from verification.carrier import Handset, Holder, LineFacts

TODAY = date(2026, 11, 23)
MINA = LineFacts(
    phone="+821012345678",
    contract="C-1",
    carrier="SKT",
    status="active",
    owner_type="individual",
    user_is_owner=True,
    holder=Holder(name="김민아", birthdate=date(1990, 1, 1), gender="F", foreigner=False, ci="c" * 88),
    plan_type="postpaid",
    handset=Handset(model="SM-S921N", os="android", os_version="15", form="phone"),
    sim_changed_at=None,
    device_changed_at=None,
    number_changed_at=None,
)


def phone(**handset):
    return {"handset": replace(MINA.handset, **handset)}


def born(day):
    return {"holder": replace(MINA.holder, birthdate=day)}


CHILD = born(date(2010, 5, 5))
# One thing differs from Mina's line > the one reason. In the order in which api.md section 6 lists them.
REASONS = {
    "not_skt": {"carrier": "KT"},
    "not_individual": {"owner_type": "corporate"},
    "not_own_name": {"user_is_owner": False},
    "minor": CHILD,
    "prepaid": {"plan_type": "prepaid"},
    "m2m": {"plan_type": "m2m"},
    "special_plan": {"plan_type": "special"},
    "unsupported_os": phone(os="windows_mobile"),
    "old_os": phone(os_version="2.2"),
    "tablet": phone(form="tablet"),
    "line_not_active": {"status": "suspended"},
}
TOGETHER = [
    (one, other)
    for one, other in itertools.combinations(REASONS, 2)
    if not REASONS[one].keys() & REASONS[other].keys()  # both change the same: one line cannot be both
]


def test_an_ordinary_adults_own_line_may_join():
    assert why_not(MINA, today=TODAY) == []


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_alone_is_the_only_one_named(reason):
    assert why_not(replace(MINA, **REASONS[reason]), today=TODAY) == [reason]


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_two_reasons_are_both_named(one, other):
    assert why_not(replace(MINA, **REASONS[one], **REASONS[other]), today=TODAY) == [one, other]


def test_everything_that_can_be_wrong_at_once_is_named_at_once():
    wrong = replace(
        MINA, carrier="LGU_MVNO", owner_type="corporate", user_is_owner=False, plan_type="prepaid", status="suspended",
        **CHILD, **phone(os="ios", os_version="5.1.1", form="tablet"),
    )  # fmt: skip
    assert why_not(wrong, today=TODAY, joined=True) == [
        "not_skt", "not_individual", "not_own_name", "minor", "prepaid", "old_os", "tablet", "line_not_active",
        "already_joined",
    ]  # fmt: skip


@pytest.mark.parametrize("carrier", ["KT", "LGU", "SKT_MVNO", "KT_MVNO", "LGU_MVNO"])
def test_a_line_on_skts_network_by_another_name_is_no_skt_line(carrier):
    assert why_not(replace(MINA, carrier=carrier), today=TODAY) == ["not_skt"]


@pytest.mark.parametrize(
    ("os", "version", "reasons"),
    [
        ("android", "2.3", []),
        ("android", "2.3.7", []),
        ("android", "2.2.9", ["old_os"]),
        ("android", "2", ["old_os"]),
        ("android", "3", []),
        ("android", "10", []),  # not "1" and something
        ("android", "16.0.1", []),
        ("android", "", ["old_os"]),
        ("android", "Tiramisu", ["old_os"]),
        ("ios", "6.0", []),
        ("ios", "6", []),
        ("ios", "5.1.1", ["old_os"]),
        ("ios", "26.1", []),
        ("windows_mobile", "10.0", ["unsupported_os"]),
        ("other", "99", ["unsupported_os"]),
    ],
)
def test_the_oldest_systems_are_android_2_3_and_ios_6(os, version, reasons):
    assert why_not(replace(MINA, **phone(os=os, os_version=version)), today=TODAY) == reasons


@pytest.mark.parametrize("status", ["suspended", "terminated"])
def test_a_line_that_is_not_in_use_may_not_join(status):
    assert why_not(replace(MINA, status=status), today=TODAY) == ["line_not_active"]


@pytest.mark.parametrize(
    ("born_on", "last_day_as_minor", "first_day"),
    [
        (date(2007, 11, 24), date(2026, 11, 23), date(2026, 11, 24)),
        (date(2008, 1, 1), date(2026, 12, 31), date(2027, 1, 1)),
        (date(2008, 2, 29), date(2027, 2, 28), date(2027, 3, 1)),  # 2027 is a common year
        (date(2008, 2, 28), date(2027, 2, 27), date(2027, 2, 28)),
        (date(2008, 3, 1), date(2027, 2, 28), date(2027, 3, 1)),
    ],
)
def test_a_minor_may_join_from_the_nineteenth_birthday_on(born_on, last_day_as_minor, first_day):
    line = replace(MINA, **born(born_on))
    assert why_not(line, today=last_day_as_minor) == ["minor"]
    assert why_not(line, today=first_day) == []
