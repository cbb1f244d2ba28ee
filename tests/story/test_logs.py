"""One person does everything once, also what goes wrong; then no log of the system knows anything of them."""

import contextlib
import json
import uuid
from pathlib import Path

import httpx
import pytest

from tests.client.partner import identity
from tests.client.world import until
from tests.logs import KINDS, Watch

NAME = "남궁예솔"


@pytest.fixture
def watch(town):
    return Watch(Path(town.handles()["env"]["RUN_DIR"]))


def test_no_log_knows_a_person_who_did_everything_once(watch, town, world, bookshop):
    holder = {"name": NAME, "birthdate": "1988-02-29", "gender": "F"}
    mina = world.person(holder=holder) | {"name": NAME, "birthdate": "880229", "gender_digit": "2"}
    by_sms = bookshop.ask(mina)
    number = world.number(mina)
    wrong = "0" * 6 if number != "000000" else "1" * 6
    bookshop.confirm(by_sms["id"], wrong)
    result = bookshop.confirm(by_sms["id"], number).json()["result"]

    member = town.member()
    asked = bookshop.ask(member.person)
    member.unlock(asked["id"], "918273")
    by_app = member.number(asked["id"])
    bookshop.confirm(asked["id"], by_app)
    member.deny(bookshop.ask(member.person)["id"])
    member.control(stop_all=True)

    in_window(bookshop, mina)
    nonsense(town, bookshop, mina)
    trouble(world, bookshop, mina, member)

    until(lambda: [line for file, line in watch.lines() if file == "worker.log" and "webhook_heard" in line])
    secrets = {
        "name": NAME, "phone": mina["phone"][3:], "contract": mina["contract"], "ci": result["ci"],
        "di": result["di"], "member's phone": member.person["phone"][3:], "member's name": member.person["name"],
        "member's contract": member.person["contract"], "push token": member.push_token,
        "activation code": member.person["activation_code"], "key": bookshop.entry["key"],
        "webhook secret": bookshop.entry["webhook_secret"], "birth date": "880229",
        "app password": "918273", "wrong number": wrong, "number": number, "app number": by_app,
    }  # fmt: skip
    assert watch.leaks(**secrets) == []
    assert len(watch.lines()) > 20, "there were logs to look through"


def in_window(bookshop, mina):
    """The identity is typed into the window, wrong and right."""
    asked = bookshop.create(reference=uuid.uuid4().hex).json()
    with httpx.Client(follow_redirects=True, timeout=20) as browser:
        page = browser.get(asked["window_url"])
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        typed = {"csrfmiddlewaretoken": token, "phone": mina["phone"], "name": NAME, "carrier": "SKT"}
        for birth in ("880228", "880229"):
            browser.post(page.url, data={**typed, "birthdate": birth, "gender_digit": "2"})


def nonsense(town, bookshop, mina):
    """Personal data where they do not belong: paths, queries, headers, bodies of the wrong shape."""
    phone = "0" + mina["phone"][3:]
    dashed = f"{phone[:3]}-{phone[3:7]}-{phone[7:]}"
    token = {"Authorization": f"Bearer {bookshop.entry['key']}"}
    with httpx.Client(base_url=town.base_url, headers=token, timeout=20) as http:
        for path in (f"/{phone}", f"/partner/v1/verifications/{dashed}", f"/my/{NAME}", "/app/v1/880229/unlock",
                     f"/admin/customers/{phone}/", "/window/a-secret-nobody-may-see"):  # fmt: skip
            http.get(path)
        http.get("/partner/v1/verifications", params={"phone": phone, "cursor": NAME})
        http.get("/livez", headers={"x-correlator": phone})
        http.get("/livez", headers={"x-correlator": dashed})
        http.get("/livez", headers={"x-correlator": NAME.encode()})
        http.post("/partner/v1/verifications", content=json.dumps({"phone": phone, "name": NAME})[:-1])
        http.post("/partner/v1/verifications", json={"identity": {**identity(mina), "phone": f"{phone}x"}})
        http.post("/carrier/v1/events", json={"subject": mina["contract"], "data": {"phone": mina["phone"]}})
        http.post("/cancel", data={"phone": phone, "name": NAME})
        http.get("/metrics", headers={"Authorization": f"Bearer {bookshop.entry['key']}"})


def trouble(world, bookshop, mina, member):
    """Everybody around answers badly."""
    member.control(password="259173", stop_all=False)
    for target, mode in (("sms", "error"), ("fcm", "reject_token"), ("carrier", "drop"), ("webhook", "error")):
        world.fail(target, mode, 1)
        with contextlib.suppress(AssertionError, httpx.HTTPError):
            bookshop.ask(member.person if target == "fcm" else mina)
    world.heal()


# --- That this would be found ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "line"),
    [("a phone number", "sent to 010-1234-5678"), ("a phone number", '{"to": "+821012345678"}'),
     ("an API key or a webhook's secret", "sk_test_abcdefgh1234"),
     ("a signed token", "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0"),
     ("a bearer token", "Authorization: Bearer abcdefghijklmnop"),
     ("a window's secret", "GET /window/SGVsbG8gd29ybGQhISE"),
     ("the text of an SMS", "[안심] 책방 본인확인 번호 123456"), ("a birth date", "born 1990-01-01"),
     ("an e-mail address", "to minseo@mail.example"), ("a name", "홍길동")],
)  # fmt: skip
def test_each_kind_would_be_found(tmp_path, kind, line):
    (tmp_path / "log").mkdir()
    log = tmp_path / "log" / "web.log"
    log.write_text("홍길동 of before\n")
    watch = Watch(tmp_path)
    with log.open("a") as file:
        file.write("2026-11-23T10:00:00 ok 82b7dd44-f231-4e1d-88e7-501012345678 31 ms\n")
    assert watch.leaks() == []
    with log.open("a") as file:
        file.write(f"{line}\n")
    assert [leak.split(": ")[1] for leak in watch.leaks()] == [kind]
    assert set(KINDS) >= {kind}


def test_the_whole_request_is_found_by_its_correlator_in_web_and_worker(watch, town, world, bookshop):
    mine = f"order-{uuid.uuid4().hex[:12]}"
    someone = world.person()

    def asked_and_found():
        """Again where another request's bell still hung: then the worker's lines carry that one's."""
        bookshop.http.headers["x-correlator"] = mine
        try:
            asked = bookshop.ask(someone)
        finally:
            del bookshop.http.headers["x-correlator"]
        world.number(someone)
        bookshop.cancel(asked["id"])
        return {file for file, line in watch.lines() if mine in line} >= {"web.log", "worker.log"}

    assert until(asked_and_found)
