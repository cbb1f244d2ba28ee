"""Nonsense in the bodies of the app API, properly signed: 400 with the field's name, and nothing is used up."""

import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.client.phone import public_jwk, thumbprint
from tests.client.problem import refused
from tests.doors.wrong import MISSING, NO_TEXT, cases, replaced

ID = "11111111-2222-4333-8444-555555555555"
SIX_DIGITS = NO_TEXT | {
    "five": "25917", "seven": "2591733", "letters": "25917a", "full width": "２５９１７３", "blanks": "259 173",
    "a line end": "259173\n",
}  # fmt: skip
NO_VERSION = NO_TEXT | {
    "words": "the newest",
    "too long": "1" * 33,
    "a minus": "-15",
    "full width": "１５",
    "dots": "1..2",
    "many": "1.2.3.4.5",
}
NO_KEY = {
    "missing": MISSING, "null": None, "a text": "x", "a number": 1, "true": True, "a list": [],
    "an empty object": {}, "a JWK set": {"keys": []},
}  # fmt: skip
REGISTRATION = {
    "activation_code": NO_TEXT | {"65 characters": "A" * 65},
    "platform": NO_TEXT | {"unknown": "windows_mobile", "another case": "Android"},
    "os_version": NO_VERSION | {"too old": "2.2", "huge": "9" * 30},
    "model": NO_TEXT | {"65 characters": "M" * 65, "a tablet": "iPad16,3"},
    "app_version": NO_TEXT | {"33 characters": "1" * 33},
    "push_token": NO_TEXT | {"too long": "t" * 4097},
    "signing_key": NO_KEY,
    "sealing_key": NO_KEY,
    "password": SIX_DIGITS | {"000000": "000000", "123456": "123456"},
    "unheard_of": {"unknown": 1},
}


@pytest.fixture(scope="module")
def newcomer(town):
    """A member whose app waits to be registered; the code is good for the whole module."""
    person = town.manage("demo", "member")
    phone = town.phone(person)
    phone.code = person["activation_code"]
    return phone


@pytest.fixture(scope="module")
def register(signed, newcomer):
    """register(body): signed with the newcomer's own key, from an address of its own."""

    def send(body, **more):
        kid = more.pop("kid", thumbprint(public_jwk(newcomer.signing)))
        return signed("POST", "/app/v1/devices", body, phone=newcomer, kid=kid, origin="127.0.0.21", **more)

    return send


@pytest.fixture
def good(newcomer):
    return newcomer.registration(newcomer.code, "259173")


@pytest.mark.parametrize(("field", "value"), cases(REGISTRATION))
def test_a_wrong_field_of_the_registration_is_named(register, good, field, value):
    refused(register(replaced(good, field, value)), 400, "invalid", field=field)


@pytest.mark.parametrize("password", ["birth date", "phone", "backwards"])
def test_a_password_that_a_thief_tries_first_is_weak(register, good, newcomer, password):
    born, phone = newcomer.person["birthdate"], newcomer.person["phone"]
    easy = {"birth date": born, "phone": phone[-6:], "backwards": born[4:] + born[2:4] + born[:2]}[password]
    told = refused(register(good | {"password": easy}), 400, "invalid", field="password")
    assert told["errors"][0]["code"] == "weak"


def _broken_keys():
    key = ec.generate_private_key(ec.SECP256R1())
    jwk, private = public_jwk(key), ECAlgorithm.to_jwk(key, as_dict=True)
    p384 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
    return {
        "private": private,
        "d is null": jwk | {"d": None},
        "off the curve": jwk | {"x": jwk["y"], "y": jwk["x"]},
        "zero": jwk | {"x": "A" * 43, "y": "A" * 43},
        "beyond the prime": jwk | {"x": "_" * 42 + "8"},
        "another curve": p384,
        "called another curve": jwk | {"crv": "P-384"},
        "an RSA key": {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        "a secret": {"kty": "oct", "k": "AQAB"},
        "an Ed25519 key": {"kty": "OKP", "crv": "Ed25519", "x": jwk["x"]},
        "x cut": jwk | {"x": jwk["x"][:-1]},
        "x padded": jwk | {"x": jwk["x"] + "="},
        "x a number": jwk | {"x": 7},
        "x missing": {name: value for name, value in jwk.items() if name != "x"},
        "x with a line end": jwk | {"x": jwk["x"][:-1] + "\n"},
        "x not base64url": jwk | {"x": "+" * 43},
        "kty missing": {name: value for name, value in jwk.items() if name != "kty"},
    }


@pytest.mark.parametrize("field", ["signing_key", "sealing_key"])
@pytest.mark.parametrize(("name", "jwk"), _broken_keys().items(), ids=_broken_keys())
def test_a_key_that_is_no_usable_public_p256_key_is_refused(register, good, field, name, jwk):
    refused(register(good | {field: jwk}), 400, "invalid", field=field)


def test_two_equal_keys_are_refused(register, good):
    refused(register(good | {"sealing_key": good["signing_key"]}), 400, "invalid", field="sealing_key")
    refused(register(good | {"sealing_key": good["signing_key"] | {"kid": "x"}}), 400, "invalid", field="sealing_key")


def test_a_usable_key_that_did_not_sign_the_proof_is_no_credential(register, good, newcomer):
    other = ec.generate_private_key(ec.SECP256R1())
    refused(register(good | {"signing_key": public_jwk(other)}), 401, "unauthenticated")
    refused(register(good, key=other), 401, "unauthenticated")
    refused(register(good, kid=thumbprint(public_jwk(other))), 401, "unauthenticated")
    refused(register(good, kid="x"), 401, "unauthenticated")
    refused(register(good, headers={"Authorization": None}), 401, "unauthenticated")


def test_broken_bodies_of_a_registration(register):
    for raw in (b"{", b"[]", b"null", b"{" * 5_000):
        refused(register(raw), 400, "malformed")
    refused(register(b" " * 66_000), 413, "too_large")
    refused(register(b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")


def test_wrong_codes_are_counted_by_address_and_after_ten_even_the_right_one_waits(signed, newcomer, good):
    def send(body, origin):
        kid = thumbprint(public_jwk(newcomer.signing))
        return signed("POST", "/app/v1/devices", body, phone=newcomer, kid=kid, origin=origin)

    guesser = f"127.{uuid.uuid4().int % 200 + 20}.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250 + 1}"
    for code in ["0000000000"] * 5 + ["x", "한글", good["activation_code"][:-1], "'; --", "A" * 64]:
        refused(send(good | {"activation_code": code}, guesser), 404, "not_found")
    told = send(good, guesser)
    refused(told, 429, "too_many_requests")
    assert 0 < int(told.headers["retry-after"]) <= 3600


def test_after_all_of_this_the_code_is_still_good_and_may_be_typed_kindly(register, good, newcomer):
    code = good["activation_code"].lower()
    kind = f" {code[:5]}-{code[5:]} ".replace("0", "o").replace("1", "l")
    answer = register(good | {"activation_code": kind})
    assert answer.status == 201, answer.body
    refused(register(good | {"activation_code": good["activation_code"]}), 404, "not_found")


OTHERS = {
    "PUT /app/v1/device": ({"push_token": "t", "os_version": "16", "app_version": "1"},
        {"push_token": NO_TEXT | {"too long": "t" * 4097}, "os_version": NO_VERSION | {"too old": "2.2"},
         "app_version": NO_TEXT}),
    "POST /app/v1/password": ({"current": "259173", "new": "804162"},
        {"current": SIX_DIGITS, "new": SIX_DIGITS | {"weak": "000000", "weak too": "123456"}}),
    "POST /app/v1/device/remove": ({"password": "259173"}, {"password": SIX_DIGITS}),
    f"POST /app/v1/verifications/{ID}/unlock": ({"password": "259173"}, {"password": SIX_DIGITS}),
    f"POST /app/v1/verifications/{ID}/deny": ({"reason": "not_me"},
        {"reason": NO_TEXT | {"unknown": "bored", "another case": "NOT_ME"}}),
    "POST /app/v1/releases": ({"password": "259173", "partner_id": ID, "minutes": 10},
        {"password": SIX_DIGITS, "partner_id": NO_TEXT | {"nobody's": ID, "no id": "bookshop"},
         "minutes": {"missing": MISSING, "null": None, "none": 0, "eleven": 11, "a text": "10", "true": True,
                     "a half": 0.5, "huge": 10**400, "a list": [1]}}),
    "PUT /app/v1/controls": ({"stop_all": False, "blocked_partners": []},
        {"stop_all": {"missing": MISSING, "null": None, "a text": "no", "a number": 0},
         "blocked_partners": {"missing": MISSING, "null": None, "a text": ID, "nobody's": [ID]},
         "password": {name: value for name, value in SIX_DIGITS.items() if value is not MISSING}}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("address", "good", "field", "value"),
    [
        pytest.param(address, good, *case.values, id=f"{address.replace(ID, 'id')} {case.id}")
        for address, (good, fields) in OTHERS.items()
        for case in cases(fields | {"unheard_of": {"unknown": 1}})
    ],
)
def test_a_wrong_field_of_any_other_call_is_named_and_is_no_try(signed, address, good, field, value):
    method, target = address.split(" ")
    refused(signed(method, target, replaced(good, field, value)), 400, "invalid", field=field)


@pytest.mark.parametrize("address", OTHERS, ids=lambda address: address.replace(ID, "id"))
def test_broken_bodies_of_any_other_call(signed, address):
    method, target = address.split(" ")
    for raw in (b"", b"{", b"[]", b"null", b'{"a": NaN}', b"\xff"):
        refused(signed(method, target, raw, headers={"Content-Type": "application/json"}), 400, "malformed")
    refused(signed(method, target, b'{"a": "\xff"}'), 400, "invalid", field="a")
    refused(signed(method, target, b'{"password": "259173", "password": "259173"}'), 400, "invalid", field="password")
    refused(signed(method, target, b" " * 66_000), 413, "too_large")
    refused(signed(method, target, b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")


@pytest.mark.parametrize("deed", ["unlock", "deny"])
def test_an_unknown_verification_is_not_found(signed, deed):
    body = {"unlock": {"password": "259173"}, "deny": {"reason": "cancel"}}[deed]
    refused(signed("POST", f"/app/v1/verifications/{ID}/{deed}", body), 404, "not_found")


def test_no_nonsense_counted_as_a_wrong_password(bookshop, mina):
    asked = bookshop.ask(mina.person)
    assert mina.unlock(asked["id"], "774411").json()["tries_left"] == 4
    assert mina.unlock(asked["id"]).status_code == 200
    bookshop.cancel(asked["id"])
