"""Invariant 5, the clock's side: how long a refusal takes does not tell which refusal it is. A statistical test.

Kinds take turns, so that whatever else the machine does falls on all of them alike. For each kind we ask how often a
draw of it is slower than a draw of another kind (the rank-sum statistic as a share): 0.5 says nothing. Refusals may
differ by chance; a telling difference (an extra query, another road) pushes the share beyond `TELLING`.
"""

import statistics
import time
import uuid

import httpx
import pytest

from tests.client.partner import identity

ROUNDS = 60
TELLING = 0.2  # how far from 0.5 the share may lie; at 60 draws chance stays within 0.15 in 999 of 1,000 cases


@pytest.fixture(scope="module")
def refusals(town):
    """By name, what a stranger could type; a new number in each round where the number itself is unknown."""
    known = town.world.person()
    return {
        "unknown": lambda: {**identity(known), "phone": f"010-9999-{uuid.uuid4().int % 10_000:04}"},
        "wrong birth date": lambda: {**identity(known), "birthdate": "900102"},
        "wrong digit": lambda: {**identity(known), "gender_digit": "2"},
        "company": _same(town, owner_type="corporate"),
        "suspended": _same(town, status="suspended"),
    }


def _same(town, **line):
    somebody = identity(town.world.person(**line))
    return lambda: somebody


def slower(one, other):
    """How often a draw of `one` is slower than a draw of `other`; ties count half."""
    wins = sum((a > b) + (a == b) / 2 for a in one for b in other)
    return wins / (len(one) * len(other))


def measured(shop, url, refusals):
    seen = {name: [] for name in refusals}
    with httpx.Client(headers=shop.http.headers, timeout=15) as client:
        for turn in range(ROUNDS + 5):
            for name, typed in refusals.items():
                body = {"reference": uuid.uuid4().hex, "purpose": "login", "identity": typed()}
                began = time.perf_counter()
                answer = client.post(url, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
                took = time.perf_counter() - began
                assert answer.json()["reason"] == "identity_mismatch", (name, answer.text)
                if turn >= 5:
                    seen[name].append(took)
    return seen


def test_no_refusal_is_told_apart_by_its_time(town, world, refusals):
    shop = town.shop(mismatches_per_hour=100_000, mismatches_per_number=100_000)
    shares = {}
    for _ in range(3):  # a burst of something else on the machine may spoil one measurement, not three
        seen = measured(shop, f"{town.base_url}/partner/v1/verifications", refusals)
        rest = {name: [took for other, times in seen.items() if other != name for took in times] for name in seen}
        shares = {
            name: (round(slower(times, rest[name]), 2), round(statistics.median(times) * 1000, 2))
            for name, times in seen.items()
        }
        if all(abs(share - 0.5) <= TELLING for share, _ in shares.values()):
            return
    pytest.fail(f"share of slower draws and median in ms, three times over: {shares}")
