"""The carrier's look-up and charges (api.md section 3)."""

import secrets
import uuid

import httpx
import pytest
from django.conf import settings

MEMBERS = [
    *("contract", "carrier", "status", "owner_type", "user_is_owner", "holder", "plan_type", "handset"),
    *("sim_changed_at", "device_changed_at", "number_changed_at"),
]


@pytest.fixture
def call():
    def call(path, body, *, token=None, **headers):
        headers = {"Authorization": f"Bearer {settings.CARRIER_TOKEN if token is None else token}"} | headers
        return httpx.post(f"{settings.CARRIER_URL}/{path}", json=body, headers=headers, timeout=8)

    return call


@pytest.fixture
def look_up(call):
    return lambda phone, **more: call("lines/look-up", {"phone": phone}, **more)


@pytest.fixture
def post_charges(call):
    def post_charges(*charges, month="2026-11", key="k1"):
        return call("charges", {"month": month, "charges": list(charges)}, **({"Idempotency-Key": key} if key else {}))

    return post_charges


@pytest.fixture
def line(world):
    """line(status="suspended"): the line after the change; a new line where no contract is given."""

    def line(**members):
        answer = world.post("/world/lines", json={"contract": f"c-{uuid.uuid4()}"} | members)
        answer.raise_for_status()
        return answer.json()

    return line


@pytest.fixture
def phone():
    return f"+8210{secrets.randbelow(90_000_000) + 10_000_000}"


def charge(**changed):
    return {"id": "ch-1", "contract": "c-1", "amount": 1100, "days": 30, "adjusts": None} | changed


def test_a_line_is_found_by_its_number_and_the_number_is_not_told_again(line, look_up):
    made = line()

    answer = look_up(made["phone"])

    assert answer.status_code == 200
    assert list(answer.json()) == MEMBERS
    assert answer.json() == {name: made[name] for name in MEMBERS}


def test_no_such_line(world, look_up):
    answer = look_up("+821000000000")

    assert (answer.status_code, answer.json()) == (404, {"code": "not_found"})


def test_a_number_that_no_mobile_line_can_have_is_no_line(look_up):
    assert look_up("+8225550100").status_code == 404


def test_the_look_up_takes_the_number_only(call):
    answer = call("lines/look-up", {"phone": "+821012345678", "name": "홍길동"})

    assert answer.status_code == 400
    assert answer.json() == {"code": "invalid", "message": "phone: the only member, a text"}


def test_a_terminated_line_keeps_its_number_until_another_contract_takes_it(line, look_up, phone):
    old = line(phone=phone)
    line(contract=old["contract"], status="terminated")
    assert look_up(phone).json()["contract"] == old["contract"]

    new = line(phone=phone)
    assert look_up(phone).json()["contract"] == new["contract"]

    line(contract=new["contract"], status="terminated")
    assert look_up(phone).json()["contract"] == new["contract"]


def test_who_takes_a_number_last_has_it(line, look_up, phone):
    first, second = line(phone=phone), line()

    line(contract=first["contract"], phone=line()["phone"])
    line(contract=second["contract"], phone=phone)
    line(contract=first["contract"], phone=phone)

    assert look_up(phone).json()["contract"] == first["contract"]


def test_a_wrong_token_is_refused(look_up):
    answer = look_up("+821012345678", token="guess")

    assert answer.status_code == 401
    assert answer.json() == {"code": "unauthenticated", "message": "The bearer token is not valid."}


def test_the_carriers_own_failures(fail, line, look_up):
    number = line()["phone"]
    fail("carrier", "error", 1)
    assert look_up(number).status_code == 500

    fail("carrier", "drop", 1)
    with pytest.raises(httpx.RemoteProtocolError):
        look_up(number)

    assert look_up(number).status_code == 200


def test_a_charge_is_taken_once_and_every_post_is_counted(world, post_charges):
    other = charge(id="ch-2", amount=-354, days=-10, adjusts="2026-09")

    first, again = post_charges(charge(), other), post_charges(charge(), other)

    assert (first.status_code, first.json()) == (202, {"accepted": 2})
    assert (again.status_code, again.json()) == (202, {"accepted": 2})
    assert world.get("/world/charges").json() == [
        {"month": "2026-11", **other, "posts": 2},
        {"month": "2026-11", **charge(), "posts": 2},
    ]


def test_a_charge_that_was_refused_is_not_accepted_but_its_post_is_counted(world, fail, post_charges):
    fail("carrier", "error", 1)
    assert post_charges(charge()).status_code == 500
    assert world.get("/world/charges").json() == []

    post_charges(charge())

    [listed] = world.get("/world/charges").json()
    assert listed["posts"] == 2


def test_a_charge_whose_answer_was_lost_is_accepted(world, fail, post_charges):
    fail("carrier", "drop", 1)
    with pytest.raises(httpx.RemoteProtocolError):
        post_charges(charge())

    [listed] = world.get("/world/charges").json()
    assert listed["posts"] == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount": 1100.0}, "charges.0.amount: a whole number"),
        ({"days": True}, "charges.0.days: a whole number"),
        ({"id": ""}, "charges.0.id: a text that is not empty"),
        ({"adjusts": "2026-13"}, "charges.0.adjusts: null or a month as 2026-09"),
        ({"note": "x"}, "charges.0: an object of id, contract, amount, days, adjusts"),
    ],
)
def test_a_charge_that_is_none(world, post_charges, changed, words):
    answer = post_charges(charge(**changed))

    assert answer.status_code == 400
    assert answer.json() == {"code": "invalid", "message": words}
    assert world.get("/world/charges").json() == []


def test_charges_need_a_month_a_list_and_a_key(world, post_charges):
    assert post_charges(charge(), month="november").json()["message"] == "month: as 2026-11"
    assert post_charges().json()["message"] == "charges: a list that is not empty"
    assert post_charges(charge(), key=None).json()["message"] == "Idempotency-Key: is missing"
