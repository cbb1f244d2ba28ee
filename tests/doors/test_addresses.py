"""Addresses, methods, headers and query strings as nobody should send them, at every API prefix."""

import base64
import json
import uuid
from urllib.parse import quote

import pytest

from tests.client.problem import refused
from tests.client.raw import exchange

ID = "11111111-2222-4333-8444-555555555555"
ROUTES = {
    "/partner/v1/verifications": {"GET", "POST"},
    f"/partner/v1/verifications/{ID}": {"GET"},
    f"/partner/v1/verifications/{ID}/confirm": {"POST"},
    f"/partner/v1/verifications/{ID}/resend": {"POST"},
    f"/partner/v1/verifications/{ID}/cancel": {"POST"},
    "/.well-known/jwks.json": {"GET"},
    "/app/v1/devices": {"POST"},
    "/app/v1/device": {"PUT"},
    "/app/v1/device/remove": {"POST"},
    "/app/v1/password": {"POST"},
    "/app/v1/verifications": {"GET"},
    f"/app/v1/verifications/{ID}/unlock": {"POST"},
    f"/app/v1/verifications/{ID}/deny": {"POST"},
    "/app/v1/history": {"GET"},
    "/app/v1/controls": {"GET", "PUT"},
    "/app/v1/partners": {"GET"},
    "/app/v1/releases": {"GET", "POST"},
    f"/app/v1/releases/{ID}": {"DELETE"},
    "/app/v1/pending": {"GET"},
    "/app/v1/pending/stop": {"POST"},
}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BODY", "DISPATCH"}
ADDRESSES = [
    "/partner/", "/partner/v1", "/partner/v1/", "/partner/v2/verifications", "/partner/v1/verifications/",
    "/partner/v1/unheard-of", "/partner/v1/verifications/x", f"/partner/v1/verifications/{ID}/",
    "/partner/v1//verifications",
    f"/partner/v1/verifications/{ID}/confirm/", f"/partner/v1/verifications/{ID}/unheard-of",
    "/partner/v1/verifications/%00",
    "/partner/v1/verifications/%FF", "/partner/v1/verifications/%ED%A0%80",
    "/partner/v1/verifications/%0d%0aX-A:b", "/partner/v1/verifications/../../admin/",
    f"/partner/v1/verifications/{ID[:-1]}",
    f"/partner/v1/verifications/{ID}0", f"/partner/v1/verifications/{ID}%00", "/partner/v1/verifications/%",
    "/partner/%2e%2e/",
    "/app/v1", "/app/v1/unheard-of", "/app/v1/devices/", "/app/v1/verifications/x/unlock",
    "/app/v1/verifications/%00/deny",
    "/app/v1/verifications/%FF/unlock", "/carrier/", "/carrier/v1/unheard-of", "/carrier/v1/%00", "/.well-known/",
    "/.well-known/unheard-of", "/.well-known/%00",
]  # fmt: skip


@pytest.fixture(scope="module")
def anybody(town):
    """A call without any credentials."""
    return lambda method, target, **headers: exchange(
        town.base_url, method, target, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize("address", ADDRESSES, ids=repr)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_is_not_found_whoever_asks(anybody, call, address, method):
    refused(anybody(method, address), 404, "not_found")
    refused(call(method, address), 404, "not_found")


@pytest.mark.parametrize("address", ROUTES, ids=lambda address: address.replace(ID, "id"))
def test_a_wrong_method_is_told_the_right_ones_before_anything_else(anybody, call, address):
    for method in sorted(METHODS - ROUTES[address]):
        for answer in (anybody(method, address), call(method, address)):
            refused(answer, 405, "method_not_allowed")
            allowed = {name.strip() for name in answer.headers["allow"].split(",")}
            assert allowed - {"HEAD"} == ROUTES[address], method


@pytest.mark.parametrize(
    "address", [a for a in ROUTES if "jwks" not in a], ids=lambda address: address.replace(ID, "id")
)
def test_without_credentials_every_door_says_the_same(anybody, address):
    bodies = {refused(anybody(method, address), 401, "unauthenticated")["detail"] for method in ROUTES[address]}
    assert len(bodies) == 1


@pytest.mark.parametrize("prefix", ["/partner/v1/", "/app/v1/", "/carrier/v1/", "/.well-known/", "/window/", "/"])
def test_an_address_over_8192_bytes_is_too_long_whatever_it_names(anybody, prefix):
    refused(anybody("GET", prefix + "a" * (8_193 - len(prefix))), 414, "uri_too_long")
    refused(anybody("POST", f"{prefix}?{'a' * 9_000}"), 414, "uri_too_long")
    refused(anybody("GET", prefix + "%41" * 3_000), 414, "uri_too_long")
    assert anybody("GET", prefix + "a" * (8_192 - len(prefix))).status == 404


@pytest.mark.parametrize("sent", [b"/app/v1/\xff", b"/partner/v1/a b", b"/app/v1/\x00", b"", b"*", b"app"], ids=repr)
def test_what_is_no_http_is_refused_by_the_server_itself(anybody, sent):
    assert anybody("GET", sent).status in (400, 404)
    assert anybody("GET", "/partner/v1/verifications", X_Thing=sent + b"\x01").status == 400


@pytest.mark.parametrize("pk", [ID, "8f14e45f-ceea-467f-9a3b-2d1c0b5a7e61"])
@pytest.mark.parametrize("deed", ["", "/confirm", "/resend", "/cancel"])
def test_an_id_that_is_not_ours_is_not_found(call, pk, deed):
    body = {"code": "123456"} if deed == "/confirm" else b""
    answer = call("POST" if deed else "GET", f"/partner/v1/verifications/{pk}{deed}", body)
    refused(answer, 404, "not_found")


# --- Credentials ------------------------------------------------------------------------------------------------------


def test_every_broken_credential_gets_the_same_401(call, bookshop):
    key = bookshop.entry["key"]
    broken = [
        None, "", "Bearer", "Bearer ", f"Basic {key}", key, f"Bearer {key}x", f"Bearer {key[:-1]}",
        f"Bearer {key.upper()}",
        f"Bearer {key} {key}", f"Bearer  {key}, Bearer {key}", "Bearer sk_live_",
        f"Bearer {key[:8]}", b"Bearer \xff\xfe",
        "Bearer " + "x" * 8_000, f"Proof {key}", f"Bearer\t{key}", "Bearer null", "Bearer ' OR 1=1 --",
        f"Bearer\xa0{key}",
    ]  # fmt: skip
    answers = [call("GET", "/partner/v1/verifications", Authorization=header) for header in broken]
    for answer in answers:
        refused(answer, 401, "unauthenticated")
    assert len({answer.body for answer in answers}) == 1
    assert call("GET", "/partner/v1/verifications", Authorization=f"bearer {key}").status == 200


def test_the_key_is_asked_for_before_the_body_is_looked_at(create):
    for body in (b"", b"{", b" " * 70_000, b"\xff"):
        refused(create(body, Authorization="Bearer sk_test_wrong", Content_Type="text/plain"), 401, "unauthenticated")


# --- The order of the checks ------------------------------------------------------------------------------------------


def test_the_media_type_comes_before_the_length_and_the_length_before_the_content(create, call):
    big = b"{" * 70_000
    refused(create(big, Content_Type="text/plain"), 415, "unsupported_media_type")
    refused(create(big), 413, "too_large")
    refused(create(b"{"), 400, "malformed")
    refused(call("POST", f"/partner/v1/verifications/{ID}/confirm", b"{"), 400, "malformed")
    refused(call("POST", f"/partner/v1/verifications/{ID}/confirm", {"code": "x"}), 400, "invalid")


@pytest.mark.parametrize(
    "media_type",
    [
        None, "", "text/plain", "text/json", "application/jsonx", "application/ld+json",
        "application/cloudevents+json",
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "json",
        "*/*", b"\xff",
        "text/plain; application/json", "application/json, application/json",
    ],
    ids=repr,
)  # fmt: skip
def test_only_json_is_read(create, media_type):
    refused(create({"reference": "x", "purpose": "login"}, Content_Type=media_type), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]
)
def test_json_may_be_called_json_in_several_ways(create, media_type):
    assert create({"reference": uuid.uuid4().hex, "purpose": "login"}, Content_Type=media_type).status == 201


def test_a_body_sent_in_chunks_is_a_body_like_any_other(call):
    def chunked(raw):
        parts = [raw[place : place + 1000] for place in range(0, len(raw), 1000)] + [b""]
        sent = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        headers = {"Transfer_Encoding": "chunked", "Content_Type": "application/json"}
        return call("POST", "/partner/v1/verifications", sent, **headers)

    assert chunked(json.dumps({"reference": uuid.uuid4().hex, "purpose": "login"}).encode()).status == 201
    refused(chunked(b"[]"), 400, "malformed")
    refused(chunked(b" " * 66_000), 413, "too_large")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "", "image/png;q=", "\xff"])
def test_json_is_answered_whatever_is_accepted(call, accept):
    answer = call("GET", "/partner/v1/verifications?limit=1", Accept=accept)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


# --- Other headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", " ", "k" * 256, "a\tb", b"\xed\x95\x9c", b"k\xff", "키".encode()], ids=repr)
def test_without_a_printable_idempotency_key_nothing_is_made(create, key):
    refused(
        create({"reference": uuid.uuid4().hex, "purpose": "login"}, Idempotency_Key=key), 400, "idempotency_key_missing"
    )


@pytest.mark.parametrize("key", ["k", "a b", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"])
def test_any_printable_idempotency_key_will_do(create, key):
    body = {"reference": uuid.uuid4().hex, "purpose": "login"}
    assert create(body, Idempotency_Key=f"{key} {uuid.uuid4()}").status == 201
    assert (
        create(body | {"reference": uuid.uuid4().hex}, Idempotency_Key=uuid.uuid4().hex.ljust(255, "k")).status == 201
    )


def test_nonsense_does_not_use_an_idempotency_key_up(create):
    key, good = uuid.uuid4().hex, {"reference": uuid.uuid4().hex, "purpose": "login"}
    refused(create({"purpose": 1}, Idempotency_Key=key), 400, "invalid")
    assert create(good, Idempotency_Key=key).status == 201
    assert create(dict(reversed(good.items())), Idempotency_Key=key).headers["idempotent-replayed"] == "true"
    refused(create(good | {"purpose": "join"}, Idempotency_Key=key), 422, "idempotency_mismatch")


@pytest.mark.parametrize(
    "address", ["/partner/v1/verifications", "/partner/v1/nowhere", "/app/v1/history", "/", "/window/x"]
)
def test_a_sound_correlator_is_echoed_and_a_missing_one_made(anybody, address):
    for given in ("a", "ABC:xyz_-;./<>{}09", "c" * 256):
        assert anybody("GET", address, x_correlator=given).headers["x-correlator"] == given
    made = {anybody("GET", address, **headers).headers["x-correlator"] for headers in ({}, {}, {"x_correlator": ""})}
    assert len(made) == 3


@pytest.mark.parametrize(
    "given", ["c" * 257, "a b", "a,b", "한".encode(), b"\xff", "a\tb", 'a"b', "a\\b", "a=b", "a%0a"], ids=repr
)
def test_a_malformed_correlator_is_refused_and_not_echoed(anybody, call, given):
    for answer in (
        anybody("GET", "/partner/v1/nowhere", x_correlator=given),
        call("GET", "/partner/v1/verifications", x_correlator=given),
    ):
        refused(answer, 400, "invalid", field="x-correlator")
        assert answer.headers["x-correlator"] != given


@pytest.mark.parametrize("tag", ["", '"', "*", "W/", '"a", "b"', '""', "x" * 5_000, b"\xff", 'W/"', ",,,"], ids=repr)
def test_any_if_none_match_is_survived(call, bookshop, tag):
    pk = bookshop.create().json()["id"]
    answer = call("GET", f"/partner/v1/verifications/{pk}", If_None_Match=tag)
    assert answer.status == (304 if tag == "*" else 200)
    etag = call("GET", f"/partner/v1/verifications/{pk}").headers["etag"]
    for form in (etag, f"W/{etag}", f'"other", {etag}', f"{etag},"):
        assert call("GET", f"/partner/v1/verifications/{pk}", If_None_Match=form).status == 304


def test_a_head_is_a_get_without_its_body(call, bookshop):
    pk = bookshop.create().json()["id"]
    answer = call("HEAD", f"/partner/v1/verifications/{pk}")
    assert (answer.status, answer.body) == (200, b"")


# --- Query strings ----------------------------------------------------------------------------------------------------


def cursor(*content):
    return base64.urlsafe_b64encode(json.dumps(list(content)).encode()).decode()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=101", "limit"), ("limit=", "limit"), ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1e2", "limit"), ("limit=٣", "limit"), ("limit=010", "limit"), ("limit=%00", "limit"),
        ("limit=" + "9" * 5_000, "limit"),
        ("limit=5%0a", "limit"), ("limit=+5", "limit"),
        ("reference=", "reference"), ("reference=" + "r" * 65, "reference"), ("reference=%00", "reference"),
        ("cursor=", "cursor"), ("cursor=x", "cursor"), ("cursor=%FF", "cursor"), ("cursor=bnVsbA==", "cursor"),
        ("cursor=한", "cursor"), (f"cursor={cursor(1, 2)}", "cursor"),
        (f"cursor={cursor('2026-01-01', 'x')}", "cursor"),
        (f"cursor={cursor('2026-01-01T00:00:00+00:00')}", "cursor"), (f"cursor={cursor(None, None)}", "cursor"),
        (f"cursor={cursor('0001-01-01T00:00:00+23:59', ID)}", "cursor"),
        (f"cursor={cursor('9999-12-31T23:59:59-23:59', ID)}", "cursor"),
        (f"cursor={base64.urlsafe_b64encode(b'[' * 4000).decode()}", "cursor"),
        ("unheard_of=1", "unheard_of"), ("Limit=5", "Limit"), ("%FF=1", None), ("=1", None), ("limit=5&x", "x"),
    ],
    ids=lambda given: str(given)[:40],
)  # fmt: skip
def test_a_wrong_query_is_named(call, query, field):
    told = refused(call("GET", f"/partner/v1/verifications?{quote(query, safe='=&%+')}"), 400, "invalid")
    if field:
        assert [error["field"] for error in told["errors"]] == [field]


@pytest.mark.parametrize(
    "query", ["", "&&&", "limit=1", "limit=100", "reference=%ED%A0%80", "reference=%FF", "limit=1&limit=2"]
)
def test_a_query_that_can_be_read_is_answered(call, query):
    assert call("GET", f"/partner/v1/verifications?{query}").status == 200
