"""Nonsense in the bodies of the partner API: 400 with the field's name, never 500, and nothing is created."""

import json
import uuid

import pytest

from tests.client.problem import refused
from tests.doors.wrong import MISSING, NO_OBJECT, NO_TEXT, cases, replaced

OPTIONAL = {name: value for name, value in NO_TEXT.items() if value is not MISSING}
ASK = {
    "purpose": "login",
    "identity": {
        "carrier": "SKT",
        "name": "홍길동",
        "birthdate": "900101",
        "gender_digit": "1",
        "phone": "010-1234-5678",
    },
    "client_ip": "203.0.113.7",
}
FIELDS = {
    "reference": NO_TEXT | {"65 characters": "r" * 65},
    "purpose": NO_TEXT | {"unknown": "surveillance", "another case": "LOGIN"},
    "return_url": OPTIONAL
    | {
        "too long": "https://x.example/" + "a" * 2000,
        "an unknown origin": "https://thief.example/back",
        "a script": "javascript:alert(1)",
        "no address": "back",
        "a relative one": "//thief.example/",
        "a user in it": "HOME@thief.example/",
        "a blank in it": "HOME/a b",
        "a backslash": "HOME\\@thief.example",
        "a line end": "HOME/a\r\nSet-Cookie: a=b",
        "a broken port": "http://127.0.0.1:99999999/",
        "a broken host": "http://[::1/",
        "another port": "http://127.0.0.1:1/",
        "another scheme": "https://127.0.0.1/",
    },
    "client_ip": OPTIONAL
    | {"no address": "203.0.113.256", "a name": "localhost", "too long": "1" * 46, "a net": "10.0.0.0/8"},
    "site": NO_OBJECT,
    "identity": NO_OBJECT,
}
PERSON = {
    "identity.birthdate": NO_TEXT
    | {
        "no such day": "900230",
        "eight digits": "19900101",
        "full width": "９００１０１",
        "letters": "90010a",
        "hyphens": "90-1-1",
        "Arabic digits": "٩٠٠١٠١",
    },
    "identity.gender_digit": NO_TEXT | {"a letter": "M", "two digits": "11", "full width": "１", "superscript": "²"},
    "identity.phone": NO_TEXT
    | {
        "a landline": "02-123-4567",
        "too short": "010123",
        "too long": "0" * 31,
        "abroad": "+1 415 555 2671",
        "letters": "010-ABCD-EFGH",
        "an extension": "010-1234-5678 ext. 5",
        "012": "01212345678",
        "only a plus": "+",
    },
    "identity.name": OPTIONAL | {"101 letters": "이" * 101},
    "identity.carrier": OPTIONAL | {"unknown": "VERIZON", "another case": "skt"},
}


@pytest.fixture
def ask(bookshop):
    return {**ASK, "reference": uuid.uuid4().hex, "return_url": f"{bookshop.entry['return_origin']}/back"}


@pytest.mark.parametrize(("field", "value"), cases(FIELDS | PERSON))
def test_a_wrong_field_is_named(create, bookshop, ask, field, value):
    if field == "return_url" and isinstance(value, str):
        value = value.replace("HOME", bookshop.entry["return_origin"])
    told = refused(create(replaced(ask, field, value)), 400, "invalid")
    assert any(error["field"] == field or error["field"].startswith(f"{field}.") for error in told["errors"]), told


def test_all_wrong_fields_are_named_at_once(create):
    told = refused(create({"purpose": 1, "identity": {"phone": "x"}, "unheard_of": 1}), 400, "invalid")
    assert {error["field"] for error in told["errors"]} >= {
        "reference",
        "purpose",
        "identity.birthdate",
        "identity.gender_digit",
        "identity.phone",
        "unheard_of",
    }


@pytest.mark.parametrize("where", ["", "identity."])
def test_an_unknown_property_is_refused(create, ask, where):
    refused(create(replaced(ask, f"{where}unheard_of", "x")), 400, "invalid", field=f"{where}unheard_of")


def test_a_name_that_stands_twice_is_refused(create, ask):
    text = json.dumps(ask)
    refused(create(text.replace("{", '{"purpose": "join", ', 1).encode()), 400, "invalid", field="purpose")
    refused(create(text.replace('"phone"', '"phone": "01099999999", "phone"').encode()), 400, "invalid")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b'"text"', b"1", b"null", b"true", b"NaN", b"{}{}", b"{'a': 1}", b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}', b'{"a": 01}', b'{"a": 1,}', b"\x00", b"\xef\xbb\xbf{}", b'\xff\xfe{\x00}\x00',
        b'{"a": "\x01"}',
        b"[" * 30_000, b'{"a":' * 10_000, b"1" * 20_000, b'{"a": "\\ud8"}', b'{"a": 1e999999}',
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
    ids=range(25),
)  # fmt: skip
def test_what_is_no_json_object_is_malformed(create, raw):
    answer = create(raw, Content_Type="application/json")
    assert answer.status == 400
    refused(answer, 400, answer.json()["code"])
    if not raw.startswith(b'{"a": ' + b"9") and b"1e999999" not in raw:
        assert answer.json()["code"] == "malformed"


@pytest.mark.parametrize(
    "text", [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"], ids=range(6)
)
def test_broken_utf_8_is_refused_with_the_field(create, ask, text):
    raw = json.dumps({**ask, "reference": "MARK"}).encode().replace(b"MARK", text)
    refused(create(raw), 400, "invalid", field="reference")


def test_broken_text_in_a_name_is_refused_too(create, ask):
    for name in (b"a\\u0000", b"a\\ud800", b"\xff"):
        refused(create(json.dumps(ask).encode().replace(b'"purpose"', b'"' + name + b'"')), 400, "invalid")


def test_a_body_of_64_kib_is_read_and_a_longer_one_is_not(create, call):
    refused(create(b"{" + b" " * 65_534 + b"}"), 400, "invalid", field="reference")
    refused(create(b"{" + b" " * 65_535 + b"}"), 413, "too_large")
    refused(call("POST", f"/partner/v1/verifications/{uuid.uuid4()}/confirm", b" " * 70_000), 413, "too_large")
    refused(call("POST", f"/partner/v1/verifications/{uuid.uuid4()}/cancel", b" " * 70_000), 413, "too_large")


def test_only_an_agency_names_a_site_and_only_a_registered_one(create, ask, town):
    refused(create(ask | {"site": {"domain": "bookshop.example"}}), 400, "invalid", field="site.domain")
    agency = town.shop(agency=True)
    for domain in ("thief.example", "cinema.example.", "CINEMA.EXAMPLE", "", None, 7):
        answer = agency.create(site={"domain": domain})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "site.domain")


@pytest.mark.parametrize(
    "code",
    [
        MISSING, None, 123456, 123456.0, True, [], {}, "", "12345", "1234567", "12345a", " 123456", "123 456",
        "１２３４５６",
        "١٢٣٤٥٦", "-12345", "+12345", "1e5000", "12345\n", "\u0000" * 6, "\ud800" * 6,
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_six_ascii_digits_is_refused_and_not_counted(call, bookshop, asked, code):
    body = {} if code is MISSING else {"code": code}
    refused(call("POST", f"/partner/v1/verifications/{asked}/confirm", body), 400, "invalid", field="code")
    assert bookshop.now(asked)["tries_left"] == 5


@pytest.fixture(scope="module")
def asked(town, bookshop):
    """A verification that waits for its number."""
    return bookshop.ask(town.world.person())["id"]


@pytest.mark.parametrize("deed", ["resend", "cancel"])
def test_what_takes_no_body_refuses_one_with_something_in_it(call, bookshop, deed):
    pk = bookshop.create().json()["id"]
    refused(call("POST", f"/partner/v1/verifications/{pk}/{deed}", {"a": 1}), 400, "invalid", field="a")
    refused(call("POST", f"/partner/v1/verifications/{pk}/{deed}", b"[]"), 400, "malformed")
    refused(
        call("POST", f"/partner/v1/verifications/{pk}/{deed}", b"x", Content_Type="text/plain"),
        415,
        "unsupported_media_type",
    )
    assert bookshop.end(pk) == ("created", None)


def test_a_day_to_come_is_refused(create, ask):
    born = replaced(replaced(ask, "identity.gender_digit", "3"), "identity.birthdate", "991231")
    refused(create(born), 400, "invalid", field="identity.birthdate")


def test_kind_spellings_are_taken(create, ask):
    for phone in ("01012345678", "+82 10 1234 5678", "+821012345678", "010 1234 5678"):
        body = replaced(ask, "identity.phone", phone) | {"reference": uuid.uuid4().hex}
        assert create(body).status == 201


def test_nothing_was_created_by_nonsense(town, bookshop, create, ask):
    count = "SELECT count(*) FROM verification_verification WHERE partner_id = %s"
    before = town.rows(count, bookshop.entry["id"])
    for field, value in (("purpose", "x"), ("identity.phone", "x"), ("unheard_of", 1)):
        create(replaced(ask, field, value))
    assert town.rows(count, bookshop.entry["id"]) == before
