"""Invariant 5, the clock's side: how long a refusal takes does not tell which refusal it is. A statistical test.

Kinds take turns, so that whatever else the machine does falls on all of them alike. For each kind we ask how often a
draw of it is slower than a draw of another kind (the rank-sum statistic as a share): 0.5 says nothing. Refusals may
differ by chance; a telling difference (an extra query, another road) pushes the share beyond `TELLING`.
"""

import statistics
import time
import uuid

import pytest

from tests.client.partner import identity

ROUNDS = 45
TELLING = 0.2  # how far from 0.5 the share may lie; at 44 draws chance stays within 0.18 in 999 of 1,000 cases


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
        "over the line's own limit": _same(town),
        "blocked by its owner": _blocked(town),
    }


def _same(town, **line):
    somebody = identity(town.world.person(**line))
    return lambda: somebody


def _blocked(town):
    """A member who switched everything off in the app."""
    owner = town.member()
    answer = owner.call("PUT", "/app/v1/controls", {"stop_all": True, "blocked_partners": []})
    assert answer.json()["stop_all"], answer.text
    somebody = identity(owner.person)
    return lambda: somebody


def slower(one, other):
    """How often a draw of `one` is slower than a draw of `other`; ties count half."""
    wins = sum((a > b) + (a == b) / 2 for a in one for b in other)
    return wins / (len(one) * len(other))


def by_api(shop, url, refusals):
    """measure(name): one refusal by the partner's API. Equal but for the reason, which only the recognised are told."""
    reasons = dict.fromkeys(("over the line's own limit", "blocked by its owner"), "line_blocked")
    client, shapes = shop.http, set()

    def measure(name):
        body = {"reference": uuid.uuid4().hex, "purpose": "login", "identity": refusals[name]()}
        began = time.perf_counter()
        answer = client.post(url, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
        took = time.perf_counter() - began
        told = answer.json()
        assert told["reason"] == reasons.get(name, "identity_mismatch"), (name, answer.text)
        shapes.add((answer.status_code, told["state"], *((key, type(value)) for key, value in told.items())))
        assert len(shapes) == 1, shapes
        return [took]

    return measure


def by_window(town, shop, refusals):
    """measure(name): the two refusals that leave a window open. What they answer is equal but for sealed words."""
    browser, shapes = town.browser(), set()

    def measure(name):
        page = browser.open(shop.create().json()["window_url"])
        consents = {"consent_collect": "on", "consent_share": "on", "do": "identity"}
        typed = {**page.form("identity").fields, **refusals[name](), **consents}
        times = []
        for _ in range(2):
            began = time.perf_counter()
            answer = browser.http.post(page.url, data=typed, follow_redirects=False)
            times.append(time.perf_counter() - began)
            shapes.add((answer.status_code, answer.content, *sorted(set(answer.headers))))
        assert len(shapes) == 1, shapes
        return times

    return measure


def rounds(measure, names, count):
    seen = {name: [] for name in names}
    for turn in range(count + 5):
        for name in names:
            times = measure(name)
            if turn >= 5:
                seen[name] += times
    return seen


def alike(measure, names, count):
    """Three times over at most: a burst of something else on the machine may spoil one measurement, not three."""
    shares = {}
    for _ in range(3):
        seen = rounds(measure, names, count)
        rest = {name: [took for other, times in seen.items() if other != name for took in times] for name in seen}
        shares = {
            name: (round(slower(times, rest[name]), 2), round(statistics.median(times) * 1000, 2))
            for name, times in seen.items()
        }
        if all(abs(share - 0.5) <= TELLING for share, _ in shares.values()):
            return
    pytest.fail(f"share of slower draws and median in ms, three times over: {shares}")


def test_no_refusal_is_told_apart_by_its_time(town, world, refusals):
    shop = town.shop(mismatches_per_hour=100_000, mismatches_per_number=100_000, line_per_10min=1)
    shop.create(identity=refusals["over the line's own limit"]())
    alike(by_api(shop, f"{town.base_url}/partner/v1/verifications", refusals), list(refusals), ROUNDS)


def test_no_refusal_of_the_window_is_told_apart_by_its_time(town, world, refusals):
    shop = town.shop(mismatches_per_hour=100_000, mismatches_per_number=100_000)
    alike(by_window(town, shop, refusals), ["unknown", "wrong birth date", "suspended"], ROUNDS // 2)
