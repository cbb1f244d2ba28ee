"""S1: a line that is not protected. A shop's server, a text message, the shop's server again."""

import time

from tests.client.partner import heard, identity, told
from tests.client.world import until

OPEN = {"reason": None, "result": None, "receipt": None}


def other(number):
    return f"{(int(number) + 1) % 10**6:06}"


def test_a_shop_asks_the_customer_types_the_number_of_the_sms_and_the_shop_knows_who_it_is(town, world, bookshop):
    mina = world.person()

    asked = bookshop.ask(mina, purpose="payment", reference=f"order-{mina['contract']}")
    assert asked | OPEN | {"state": "awaiting_code", "channel": "sms", "match_number": None, "tries_left": 5} == asked
    assert asked["window_url"].startswith(f"{town.base_url}/window/")

    answer = bookshop.confirm(asked["id"], world.number(mina))

    assert answer.status_code == 200
    now = answer.json()
    assert (now["state"], now["reason"], "window_url" in now) == ("verified", None, False)
    assert (
        now["result"]
        | {
            "name": "홍길동",
            "birthdate": "1990-01-01",
            "adult": True,
            "gender": "M",
            "foreigner": False,
            "phone": mina["phone"],
            "carrier": "SKT",
            "channel": "sms",
        }
        == now["result"]
    )
    assert (len(now["result"]["ci"]), len(now["result"]["di"])) == (88, 64)
    assert now["result"]["risk"] | {"released": False, "protection_ended_at": None} == now["result"]["risk"]
    (text,) = world.texts(mina)
    assert text["text"].startswith(f"[안심] {bookshop.entry['name'][:8]} 본인확인 번호 ")
    assert len(text["text"].encode("euc-kr")) <= 90


def test_the_receipt_can_be_checked_offline_by_anybody_with_the_published_keys(world, bookshop):
    mina = world.person()
    asked = bookshop.ask(mina, purpose="change")
    now = bookshop.confirm(asked["id"], world.number(mina)).json()

    claims = bookshop.receipt(now["receipt"], partner=bookshop.entry["id"])

    assert (
        claims
        | {
            "sub": asked["id"],
            "reference": asked["reference"],
            "purpose": "change",
            "site": bookshop.entry["domain"],
            "channel": "sms",
            "released": False,
            "di": now["result"]["di"],
        }
        == claims
    )


def test_each_event_comes_signed_and_without_personal_data(world, bookshop):
    mina = world.person()
    asked = bookshop.ask(mina)
    bookshop.confirm(asked["id"], world.number(mina))

    until(lambda: len(told(world.webhooks(bookshop.entry), asked["id"])) == 2)
    hooks = [hook for hook in world.webhooks(bookshop.entry) if asked["id"] in hook["body"]]

    assert sorted(told(hooks, asked["id"])) == ["verification.awaiting_code", "verification.verified"]
    for hook in hooks:
        body = heard(hook, secret=bookshop.entry["webhook_secret"])
        assert set(body) == {"type", "timestamp", "data"}
        assert set(body["data"]) == {"id", "reference", "state", "reason"}
        assert mina["phone"] not in hook["body"]


def test_a_partner_is_shown_what_its_contract_grants_and_nothing_else(town, world):
    narrow = town.shop(grants="name,adult")
    mina = world.person()
    asked = narrow.ask(mina)

    now = narrow.confirm(asked["id"], world.number(mina)).json()

    assert set(now["result"]) == {"name", "adult", "verified_at", "channel", "risk"}
    assert "di" not in narrow.receipt(now["receipt"], partner=narrow.entry["id"])


def test_the_same_person_has_another_di_at_another_partner(town, world, bookshop):
    mina, bank = world.person(), town.shop()
    dis = []
    for count, shop in enumerate((bookshop, bank)):
        asked = shop.ask(mina)
        dis.append(shop.confirm(asked["id"], world.number(mina, after=count)).json()["result"]["di"])
    assert dis[0] != dis[1]


def test_four_wrong_numbers_are_forgiven_and_the_fifth_ends_it(world, bookshop):
    mina = world.person()
    asked = bookshop.ask(mina)
    number = world.number(mina)

    answers = [bookshop.confirm(asked["id"], other(number)) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [422] * 5
    assert [answer.json()["code"] for answer in answers] == ["wrong_code"] * 5
    assert [answer.json()["tries_left"] for answer in answers] == [4, 3, 2, 1, 0]
    late = bookshop.confirm(asked["id"], number)
    assert (late.status_code, late.json()["code"]) == (409, "closed")
    assert (late.json()["state"], late.json()["reason"]) == ("failed", "too_many_wrong_codes")


def test_the_tenth_wrong_number_of_a_line_in_an_hour_closes_the_line_for_everybody(town, world, bookshop):
    mina, bank = world.person(), town.shop()
    first = bookshop.ask(mina)
    number = world.number(mina)
    for _ in range(5):
        bookshop.confirm(first["id"], other(number))
    second, third = bookshop.ask(mina), bank.ask(mina)
    number = world.number(mina, after=2)  # the bank's
    for _ in range(4):
        assert bank.confirm(third["id"], other(number)).json()["tries_left"] > 0

    tenth = bank.confirm(third["id"], other(number))

    assert (tenth.status_code, tenth.json()["tries_left"]) == (422, 0)
    assert bookshop.end(second["id"]) == bank.end(third["id"]) == ("failed", "too_many_wrong_codes")
    assert bank.ask(mina)["reason"] == "line_blocked"


def test_the_same_number_is_sent_again_after_a_while_and_three_times_at_most(town, world):
    shop = town.shop(resend_after=1)
    mina = world.person()
    asked = shop.ask(mina)
    number = world.number(mina)

    early = shop.resend(asked["id"])
    assert (early.status_code, early.json()["code"], early.headers["Retry-After"]) == (429, "resend_too_soon", "1")
    for left in (2, 1, 0):
        time.sleep(1.05)
        again = shop.resend(asked["id"])
        assert (again.status_code, again.json()["resends_left"]) == (200, left)
        assert world.number(mina, after=3 - left) == number
    time.sleep(1.05)
    spent = shop.resend(asked["id"])
    assert (spent.status_code, spent.json()["code"]) == (429, "resends_used_up")
    assert "Retry-After" not in spent.headers

    assert shop.confirm(asked["id"], number).status_code == 200


def test_the_partner_may_give_up(world, bookshop):
    mina = world.person()
    asked = bookshop.ask(mina)

    assert bookshop.cancel(asked["id"]).json()["reason"] == "cancelled_by_partner"
    again = bookshop.cancel(asked["id"])
    assert (again.status_code, again.json()["code"]) == (409, "closed")


def test_asking_again_ends_the_older_one_and_its_number(world, bookshop):
    mina = world.person()
    older = bookshop.ask(mina)
    number = world.number(mina)

    newer = bookshop.ask(mina)

    assert bookshop.end(older["id"]) == ("cancelled", "superseded")
    assert bookshop.confirm(older["id"], number).json()["code"] == "closed"
    assert bookshop.confirm(newer["id"], world.number(mina, after=1)).status_code == 200
    until(lambda: "verification.cancelled" in told(world.webhooks(bookshop.entry), older["id"]))


def test_a_number_that_nobody_types_expires_and_so_does_a_window_that_nobody_fills_in(town, world):
    hasty = town.shop(code_ttl=3, identity_ttl=1)  # time enough for the text to arrive
    mina = world.person()
    typed, empty = hasty.ask(mina), hasty.create().json()
    number = world.number(mina)
    time.sleep(3.1)

    assert hasty.confirm(typed["id"], number).json()["reason"] == "code_not_entered"
    assert hasty.end(typed["id"]) == ("expired", "code_not_entered")
    assert hasty.end(empty["id"]) == ("expired", "identity_not_entered")
    for pk in (typed["id"], empty["id"]):
        until(lambda pk=pk: "verification.expired" in told(world.webhooks(hasty.entry), pk))


def test_the_clock_ends_what_nobody_asks_about(town, world):
    hasty = town.shop(identity_ttl=1)
    asked = hasty.create().json()
    until(lambda: "verification.expired" in told(world.webhooks(hasty.entry), asked["id"]), seconds=10)


def test_nobody_sees_or_moves_another_partners_verification(town, world, bookshop):
    mina, thief = world.person(), town.shop()
    asked = bookshop.ask(mina)
    number = world.number(mina)

    answers = [thief.get(asked["id"]), thief.confirm(asked["id"], number), thief.resend(asked["id"])]
    answers.append(thief.cancel(asked["id"]))

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 4
    assert thief.listed(reference=asked["reference"]).json()["items"] == []
    assert bookshop.end(asked["id"]) == ("awaiting_code", None)


def test_name_and_carrier_are_checked_where_the_shop_gives_them(world, bookshop):
    mina = world.person(holder={"name": "Anna  Schmidt"})

    def state(**more):
        return bookshop.create(identity=identity(mina) | more).json()["state"]

    assert state(name="anna schmidt", carrier="SKT") == "awaiting_code"
    assert state(name="Anna Schmid") == "failed"
    assert state(carrier="KT") == "failed"


def test_an_agency_asks_for_one_of_its_registered_sites(town, world):
    agency = town.shop(agency=True)
    mina, site = world.person(), agency.entry["sites"][0]

    asked = agency.ask(mina, site={"domain": site["domain"]})

    assert site["name"][:8] in until(lambda: world.texts(mina))[0]["text"]
    now = agency.confirm(asked["id"], world.number(mina)).json()
    assert agency.receipt(now["receipt"], partner=agency.entry["id"])["site"] == site["domain"]
