"""The owner decides who may verify the line: stop-all and blocks (mission.md section 4; api.md section 2, controls)."""

import json

import pytest

from tests import make
from tests.verification import callers
from verification.models import Line, Verification, WebhookDelivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mina():
    return make.Member()


def put(mina, **wanted):
    body = {"stop_all": False, "blocked_partners": [], **wanted}
    return callers.call(mina, "PUT", "/app/v1/controls", body)


def test_who_stops_all_is_verified_by_nobody_and_what_is_open_ends(mina):
    asked = make.verification(mina.person)

    assert put(mina, stop_all=True).status_code == 200

    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("failed", "line_blocked")
    assert WebhookDelivery.objects.filter(verification=asked, type="verification.failed").count() == 1
    assert make.verification(mina.person).reason == "line_blocked"


def test_a_blocked_partner_sees_only_failed_and_others_go_on(mina):
    pushy, bookshop = make.partner(), make.partner()
    waiting = make.verification(mina.person, at=bookshop)

    assert put(mina, blocked_partners=[str(pushy.pk)]).json()["blocked_partners"] == [str(pushy.pk)]

    waiting.refresh_from_db()
    assert waiting.state == "awaiting_app"
    assert make.verification(mina.person, at=pushy).reason == "line_blocked"


def test_turning_it_up_is_one_press_and_turning_it_down_takes_the_password(mina):
    put(mina, stop_all=True)
    without = put(mina)
    assert (without.status_code, without.json()["errors"][0]["field"]) == (400, "password")
    assert put(mina, password="999888").json()["code"] == "wrong_password"
    assert Line.objects.get(pk=mina.line.pk).stop_all
    assert put(mina, password=make.PASSWORD).json() == {"stop_all": False, "blocked_partners": []}
    assert make.verification(mina.person).state == "awaiting_app"


@pytest.mark.parametrize(
    "wrong",
    [{"stop_all": "yes"}, {"stop_all": 1}, {"blocked_partners": "all"}, {"blocked_partners": ["x"]},
     {"blocked_partners": ["00000000-0000-4000-8000-000000000000"]}, {"password": 259173}, {"more": True}],
    ids=json.dumps,
)  # fmt: skip
def test_nonsense_is_refused_with_its_field(mina, wrong):
    answer = put(mina, **wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_refusal_by_the_owner_has_the_shape_of_any_other(mina):
    bookshop = callers.Partner()
    stranger = bookshop.create(mina.person, birthdate="190101").json()
    put(mina, stop_all=True)
    blocked = bookshop.create(mina.person).json()
    assert [(name, type(value)) for name, value in blocked.items()] == [
        (name, type(value)) for name, value in stranger.items()
    ]
    assert [blocked[name] for name in ("state", "channel", "match_number", "result")] == [
        stranger[name] for name in ("state", "channel", "match_number", "result")
    ]
    assert Verification.objects.filter(reason="line_blocked").count() == 1
