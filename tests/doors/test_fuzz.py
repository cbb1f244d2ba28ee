"""Whatever JSON comes, no door breaks: no answer over 499, and each refusal is a problem with a code."""

import json
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.client.phone import public_jwk, thumbprint

TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(
    [
        "",
        "\0",
        "\ud800",
        "900101",
        "1",
        "010-1234-5678",
        "SKT",
        "login",
        "123456",
        "２",
        "x" * 300,
        "203.0.113.7",
        "android",
        "15",
    ]
)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from([10**400, -0.0, 1e308])
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
QUICK = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def objects(*names):
    """Objects that have some of these names, rightly or wrongly filled, and now and then another one."""
    return st.dictionaries(st.sampled_from(names) | TEXT, VALUE, max_size=len(names) + 1)


PERSON = objects("birthdate", "gender_digit", "phone", "name", "carrier")
ASK = st.builds(
    lambda body, person: body | ({"identity": person} if person is not None else {}),
    objects("reference", "purpose", "site", "identity", "return_url", "client_ip"),
    st.none() | PERSON,
)


def sound(answer):
    assert answer.status < 500, answer.body
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]


def raw(body):
    return json.dumps(body).encode()


@QUICK
@given(body=ASK)
def test_any_object_may_come_to_create(create, body):
    sound(create(raw({"reference": uuid.uuid4().hex, "purpose": "login", **body})))


@QUICK
@given(body=VALUE | objects("code"))
def test_anything_may_come_to_confirm(call, asked, body):
    sound(call("POST", f"/partner/v1/verifications/{asked}/confirm", raw(body)))


@QUICK
@given(body=st.binary(max_size=200))
def test_any_bytes_may_come(create, body):
    sound(create(body, Content_Type="application/json"))


@QUICK
@given(
    changes=objects(
        "platform", "os_version", "model", "app_version", "push_token", "signing_key", "sealing_key", "password"
    )
)
def test_any_object_may_come_to_register(signed, mina, changes):
    phone = mina.registration(f"0{uuid.uuid4().hex[:9]}", "259173") | changes
    origin = f"127.{uuid.uuid4().int % 250 + 1}.{uuid.uuid4().int % 250}.7"
    sound(signed("POST", "/app/v1/devices", raw(phone), kid=thumbprint(public_jwk(mina.signing)), origin=origin))


@QUICK
@given(body=objects("push_token", "os_version", "app_version"))
def test_any_object_may_come_from_a_registered_phone(signed, body):
    sound(signed("PUT", "/app/v1/device", raw(body)))


@QUICK
@given(claims=objects("htm", "htu", "iat", "jti", "bh").map(lambda claims: {**claims, "kid2": 1}))
def test_any_claims_may_come_in_a_proof(signed, claims):
    try:
        answer = signed(
            "GET", "/app/v1/history", **{name: value for name, value in claims.items() if name.isidentifier()}
        )
    except (TypeError, ValueError, UnicodeError):
        return  # a token that cannot even be made
    sound(answer)


@pytest.fixture(scope="module")
def asked(town, bookshop):
    """A verification that waits for its number."""
    return bookshop.ask(town.world.person())["id"]
