"""Exactly once under load: equal requests at the same instant, over HTTP, through every process (issue 3)."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.client.partner import identity
from tests.client.world import until

CROWD = 50


@pytest.fixture
def at_once():
    """at_once(call, n): what n calls returned that were sent at the same time, each over its own connection."""

    def run(call, times=CROWD):
        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(call, range(times)))

    return run


def test_fifty_equal_requests_make_one_verification_and_one_message(town, world, bookshop, at_once):
    mina = world.person()
    key, body = uuid.uuid4().hex, {"reference": uuid.uuid4().hex, "purpose": "login", "identity": identity(mina)}
    headers = {"Authorization": bookshop.http.headers["Authorization"], "Idempotency-Key": key}
    url = f"{town.base_url}/partner/v1/verifications"

    answers = at_once(lambda _: httpx.post(url, json=body, headers=headers, timeout=30))

    told = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert set(told) <= {(201, None), (409, "idempotency_in_flight")}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers if answer.status_code == 201) == 1
    assert httpx.post(url, json=body, headers=headers).headers["Idempotent-Replayed"] == "true"
    until(lambda: world.texts(mina))
    assert town.rows("SELECT count(*) FROM verification_verification WHERE reference = %s", body["reference"]) == [(1,)]
    assert len(world.texts(mina)) == 1


def test_of_fifty_requests_with_one_reference_one_is_taken(world, bookshop, at_once):
    mina, reference = world.person(), uuid.uuid4().hex
    answers = at_once(lambda _: bookshop.create(reference=reference, identity=identity(mina)), 20)
    told = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert told == {(201, None): 1, (409, "reference_taken"): 19}


def test_of_fifty_right_numbers_at_once_one_verifies(world, bookshop, at_once):
    mina = world.person()
    asked = bookshop.ask(mina)
    number = world.number(mina)
    told = Counter(
        (answer.status_code, answer.json().get("code"))
        for answer in at_once(lambda _: bookshop.confirm(asked["id"], number))
    )
    assert told == {(200, None): 1, (409, "closed"): 49}


def test_of_fifty_wrong_numbers_at_once_five_count(world, bookshop, at_once):
    mina = world.person()
    asked = bookshop.ask(mina)
    wrong = f"{(int(world.number(mina)) + 1) % 10**6:06}"
    answers = [answer.json() for answer in at_once(lambda _: bookshop.confirm(asked["id"], wrong))]
    left = sorted(answer["tries_left"] for answer in answers if answer["code"] == "wrong_code")
    assert left == [0, 1, 2, 3, 4]
    assert bookshop.now(asked["id"])["reason"] == "too_many_wrong_codes"


def test_a_refused_request_may_be_repeated_at_once_with_the_same_key(world, bookshop):
    mina, key = world.person(), uuid.uuid4().hex
    assert bookshop.create(idempotency_key=key, identity={**identity(mina), "birthdate": "991399"}).status_code == 400
    assert bookshop.create(idempotency_key=key, identity=identity(mina)).status_code == 201


def test_two_partners_with_one_key_and_one_body_have_each_their_own_verification(town, world, bookshop):
    mina, key, reference = world.person(), uuid.uuid4().hex, uuid.uuid4().hex
    answers = [
        shop.create(idempotency_key=key, reference=reference, identity=identity(mina))
        for shop in (bookshop, town.shop(), bookshop)
    ]
    first, other, again = (answer.json() for answer in answers)
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, None, "true"]
    assert first == again
    assert not {first["id"], first["window_url"]} & {other["id"], other["window_url"]}


def test_a_partner_that_asks_too_often_is_told_when_to_come_back(town, world):
    busy = town.shop(partner_per_min=3)
    mina = world.person()
    answers = [busy.create(identity=identity(mina)) for _ in range(4)]
    refused = answers[-1]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert (refused.json()["code"], refused.headers["RateLimit-Policy"]) == ("too_many_requests", '"partner";q=3;w=60')
    assert 1 <= int(refused.headers["Retry-After"]) <= 120
    assert answers[0].headers["RateLimit"].startswith('"partner";r=2;')
