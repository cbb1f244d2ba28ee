"""The carrier's customers and what the carrier tells of them: `POST /world/lines` and the events it sends."""

import asyncio
import base64
import dataclasses
import json
import uuid
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import test_utils, web
from django.conf import settings
from standardwebhooks.webhooks import Webhook

from ansim.demo.world import carrier_events
from ansim.demo.world.lines import merged, somebody
from ansim.demo.world.surroundings import Surroundings
from tests.wire.threads import elsewhere

NOW = datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC)
AT = "2026-11-23T04:00:00Z"


@pytest.fixture
def put(world):
    return lambda **members: world.post("/world/lines", json=members)


@pytest.fixture
def contract():
    return f"c-{uuid.uuid4()}"


def test_a_new_line_has_every_member_and_may_join(put, contract):
    line = put(contract=contract).json()

    assert line == {**somebody(contract), "phone": line["phone"]}
    assert len(line["holder"]["ci"]) == 88
    assert len(base64.b64decode(line["holder"]["ci"])) == 64
    assert line["phone"].startswith("+8210")
    assert len(line["phone"]) == 13


def test_two_people_have_two_cis():
    assert somebody("c-1")["holder"]["ci"] != somebody("c-2")["holder"]["ci"]


def test_what_is_left_out_stays_as_it_is(put, contract):
    before = put(contract=contract, holder={"name": "김안심", "gender": "F"}).json()

    after = put(contract=contract, plan_type="prepaid", handset={"os": "ios"}).json()

    assert after == {**before, "plan_type": "prepaid", "handset": {**before["handset"], "os": "ios"}}


def test_numbers_and_times_are_kept_in_one_form(put, contract):
    line = put(contract=contract, phone="010-1234-5678", sim_changed_at="2026-11-23T13:00:00+09:00").json()

    assert (line["phone"], line["sim_changed_at"]) == ("+821012345678", AT)


def test_all_lines_are_listed_newest_first(world, put, contract):
    put(contract=contract)
    put(contract=f"{contract}-2")

    assert [line["contract"] for line in world.get("/world/lines").json()[:2]] == [f"{contract}-2", contract]


def test_a_reset_forgets_no_line(world, put, contract):
    put(contract=contract)

    world.post("/world/reset")

    assert contract in [line["contract"] for line in world.get("/world/lines").json()]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"contract": None}, "contract: a text of 1 to 200 characters"),
        ({"colour": "red"}, "colour: unknown"),
        ({"phone": "02-123-4567"}, "phone: not a Korean mobile number"),
        ({"carrier": "VODAFONE"}, "carrier: one of SKT, KT, LGU, SKT_MVNO, KT_MVNO, LGU_MVNO"),
        ({"carrier": ["SKT"]}, "carrier: one of SKT, KT, LGU, SKT_MVNO, KT_MVNO, LGU_MVNO"),
        ({"status": None}, "status: one of active, suspended, terminated"),
        ({"user_is_owner": "yes"}, "user_is_owner: true or false"),
        ({"holder": "Mina"}, "holder: an object"),
        ({"holder": {"birthdate": "1990-02-30"}}, "holder.birthdate: a date as 1990-01-31"),
        ({"handset": {"wheels": 4}}, "handset.wheels: unknown"),
        ({"sim_changed_at": "yesterday"}, "sim_changed_at: a time as 2026-11-23T04:00:00Z"),
        ({"sim_changed_at": "0001-01-01T00:00:00+14:00"}, "sim_changed_at: a time as 2026-11-23T04:00:00Z"),
        ({"event": "yes"}, "event: true or false"),
    ],
)
def test_nonsense_is_refused_with_words_that_name_the_field(put, contract, members, words):
    answer = put(**{"contract": contract, **members})

    assert (answer.status_code, answer.json()) == (400, {"error": words})


def test_a_line_needs_a_contract(put):
    assert put(phone="01012345678").json() == {"error": "contract: is missing"}


@pytest.mark.parametrize(
    ("change", "event"),
    [
        ({"status": "suspended"}, ("suspended", {}, AT)),
        ({"status": "terminated"}, ("terminated", {}, AT)),
        ({"carrier": "KT"}, ("ported_out", {"to": "KT"}, AT)),
        ({"holder": {"ci": "another"}}, ("owner_changed", {}, AT)),
        ({"phone": "+821099998888"}, ("number_changed", {"phone": "+821099998888"}, AT)),
        ({"plan_type": "prepaid"}, ("plan_changed", {"plan_type": "prepaid"}, AT)),
        ({"sim_changed_at": "2026-11-22T00:00:00Z"}, ("sim_changed", {}, "2026-11-22T00:00:00Z")),
        (
            {"handset": {"os": "ios"}, "device_changed_at": "2026-11-22T00:00:00Z"},
            ("device_changed", {"handset": {**somebody("c")["handset"], "os": "ios"}}, "2026-11-22T00:00:00Z"),
        ),
    ],
)
def test_each_change_has_its_event(change, event):
    before = somebody("c")

    assert carrier_events.changes(before, merged(before, change), NOW) == [carrier_events.Event(*event)]


def test_a_line_that_comes_back_is_resumed():
    before = merged(somebody("c"), {"status": "suspended"})

    [event] = carrier_events.changes(before, merged(before, {"status": "active"}), NOW)

    assert event.type == "resumed"


@pytest.mark.parametrize("change", [{}, {"holder": {"name": "김개명"}}, {"device_changed_at": AT}])
def test_what_the_carrier_has_no_event_for_is_not_told(change):
    before = somebody("c")

    assert carrier_events.changes(before, merged(before, change), NOW) == []


def test_a_change_between_other_carriers_is_not_told():
    before = merged(somebody("c"), {"carrier": "KT"})

    assert carrier_events.changes(before, merged(before, {"carrier": "LGU"}), NOW) == []


def test_an_event_is_a_signed_cloudevent():
    heard = []

    async def door(request):
        heard.append((dict(request.headers), await request.text()))
        return web.Response(status=202)

    async def tell():
        app = web.Application()
        app.add_routes([web.post("/carrier/v1/events", door)])
        async with test_utils.TestServer(app) as server, aiohttp.ClientSession() as session:
            place = dataclasses.replace(Surroundings.read(), base_url=str(server.make_url("")).rstrip("/"))
            return await carrier_events.send(
                session, place, "c-1", [carrier_events.Event("ported_out", {"to": "KT"}, AT)]
            )

    told = elsewhere(asyncio.run, tell())

    [(headers, text)] = heard
    event = json.loads(text)
    assert told == [{"type": "kr.ansim.line.ported_out", "status": 202}]
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert Webhook(settings.CARRIER_EVENTS_SECRET).verify(text, headers) == event
    assert event == {
        "specversion": "1.0",
        "id": headers["webhook-id"],
        "source": "/carrier/simulated",
        "type": "kr.ansim.line.ported_out",
        "subject": "c-1",
        "time": AT,
        "datacontenttype": "application/json",
        "data": {"to": "KT"},
    }


def test_an_event_nobody_hears_fails_nothing():
    async def tell():
        async with aiohttp.ClientSession() as session:
            nowhere = dataclasses.replace(Surroundings.read(), base_url="http://127.0.0.1:9")
            return await carrier_events.send(session, nowhere, "c-1", [carrier_events.Event("sim_changed", {}, AT)])

    assert elsewhere(asyncio.run, tell()) == [{"type": "kr.ansim.line.sim_changed", "status": None}]


def test_nothing_changed_is_nothing_to_tell(put, contract):
    assert put(contract=contract, event=True).json()["events"] == []
    assert put(contract=contract, status="active", event=True).json()["events"] == []


def test_the_running_system_takes_the_event(put, contract):
    put(contract=contract)

    told = put(
        contract=contract, status="suspended", carrier="KT", holder={"ci": "x" * 88}, phone="010-6100-1234",
        handset={"os": "windows_mobile"}, plan_type="prepaid", sim_changed_at=AT, event=True,
    ).json()["events"]  # fmt: skip

    types = "suspended ported_out owner_changed number_changed device_changed plan_changed sim_changed"
    assert told == [{"type": f"kr.ansim.line.{type_}", "status": 202} for type_ in types.split()]
