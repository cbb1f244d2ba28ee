"""The carrier's door, byte for byte (api.md section 3): who may, what is an event, and that nothing counts twice."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.client.problem import refused
from tests.client.raw import exchange
from tests.doors.wrong import MISSING, NO_OBJECT, NO_TEXT, cases, replaced

PATH = "/carrier/v1/events"
HANDSET = {"model": "SM-S931N", "os": "android", "os_version": "16", "form": "phone"}


def rfc3339(**ahead):
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def event(type_="suspended", data=MISSING, **differing):
    body = {
        "specversion": "1.0", "id": uuid.uuid4().hex, "source": "/tests/carrier", "type": f"kr.ansim.line.{type_}",
        "subject": f"T-{uuid.uuid4().hex}", "time": rfc3339(), **differing,
    }  # fmt: skip
    return body if data is MISSING else body | {"data": data}


def signature(secret, message, at, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((message.encode(), at.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@pytest.fixture
def tell(town):
    """tell(body): signed as the carrier does. A dict goes as JSON; None drops a header."""
    secret = town.handles()["carrier"]["secret"]

    def send(body, *, at=None, secret=secret, method="POST", path=PATH, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = str(int(time.time() if at is None else at))
        given = {
            "Content-Type": "application/cloudevents+json", "webhook-id": "msg_1", "webhook-timestamp": at,
            "webhook-signature": signature(secret, "msg_1", at, raw),
        }  # fmt: skip
        given |= {name.replace("_", "-").lower(): value for name, value in headers.items()}
        if "content-type" in given:
            del given["Content-Type"]
        return exchange(
            town.base_url, method, path, body=raw,
            headers={name: value for name, value in given.items() if value is not None},
        )  # fmt: skip

    return send


@pytest.fixture
def kept(town):
    """kept(event): the standings of the rows that were made of it."""

    def rows(body):
        query = "SELECT standing FROM subscriptions_carrierevent WHERE source = %s AND event_id = %s"
        return [row[0] for row in town.rows(query, body["source"], body["id"])]

    return rows


def accepted(answer):
    assert (answer.status, answer.json()) == (202, {"accepted": True}), answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-correlator"]


# --- What is taken ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("suspended", MISSING), ("suspended", {}), ("resumed", None), ("terminated", {}), ("owner_changed", {}),
        ("sim_changed", {}), ("ported_out", {"to": "KT"}), ("ported_out", {"to": "SKT_MVNO"}),
        ("number_changed", {"phone": "+821012345678"}), ("device_changed", {"handset": HANDSET}),
        ("device_changed", {"handset": HANDSET | {"os": "windows_mobile"}}), ("plan_changed", {"plan_type": "m2m"}),
        ("exploded", {"how": ["loudly"]}), ("exploded", [1]), ("exploded", "x"), ("exploded", 1.5),
    ],
)  # fmt: skip
def test_an_event_is_answered_202_once_it_is_kept(tell, kept, type_, data):
    told = event(type_, data)
    accepted(tell(told))
    assert kept(told) == ["stuck"]  # nobody has that contract


@pytest.mark.parametrize(
    "type_", ["suspended", "kr.ansim.lines.suspended", "com.example.thing", "KR.ANSIM.LINE.resumed"]
)
def test_a_type_that_only_looks_like_ours_is_an_unknown_one(tell, town, type_):
    told = event(type=type_)
    accepted(tell(told))
    rows = town.rows("SELECT type, standing FROM subscriptions_carrierevent WHERE event_id = %s", told["id"])
    assert rows == [(f"unknown:{type_}", "stuck")]


@pytest.mark.parametrize(
    "more",
    [
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"sampledrate": 30},
        {"dataref": "x", "a1": True}, {"datacontenttype": "application/json"}, {"dataschema": "https://x.example/1"},
        {"datacontenttype": "application/vnd.x+json; charset=utf-8"}, {"dataschema": None, "traceparent": None},
        {"time": "2019-02-28T23:59:60.5+09:00".replace(":60", ":59")}, {"time": "2026-11-01t00:00:00z"},
        {"source": "https://carrier.example/seoul?x=1#a"}, {"source": "urn:event:1"}, {"id": "시험 1"},
    ],
    ids=ascii,
)  # fmt: skip
def test_what_cloudevents_allow_is_allowed(tell, more):
    accepted(tell(event(**more)))


@pytest.mark.parametrize("ahead", [{"minutes": 4, "seconds": 50}, {"days": -4000}])
def test_a_clock_a_little_ahead_and_a_report_years_late_are_taken(tell, ahead):
    accepted(tell(event(time=rfc3339(**ahead))))


def test_a_clock_six_minutes_ahead_is_refused(tell, kept):
    told = event(time=rfc3339(minutes=6))
    refused(tell(told), 400, "invalid", field="time")
    assert kept(told) == []


def test_a_repeat_is_answered_alike_whatever_it_says_and_kept_once(tell, kept, town):
    told = event("suspended")
    for body in (told, told, told | {"type": "kr.ansim.line.terminated", "subject": "another"}):
        accepted(tell(body))
    accepted(tell(told | {"time": "yesterday", "type": "kr.ansim.line.ported_out", "data": {"to": "nowhere"}}))
    accepted(tell({"source": told["source"], "id": told["id"]}))
    assert kept(told) == ["stuck"]
    assert town.rows("SELECT type FROM subscriptions_carrierevent WHERE event_id = %s", told["id"]) == [("suspended",)]
    refused(tell({"source": told["source"], "id": "another"}), 400, "invalid", field="type")


# --- What is refused --------------------------------------------------------------------------------------------------

NO_TIME = NO_TEXT | {
    "words": "now", "a date": "2026-11-01", "without zone": "2026-11-01T00:00:00", "a blank": "2026-11-01 00:00:00Z",
    "no such day": "2026-02-30T00:00:00Z", "no such hour": "2026-11-01T25:00:00Z", "unix": "1790000000",
    "a week": "2026-W01-1T00:00:00Z", "full width": "２０２６-11-01T00:00:00Z",
    "before the calendar": "0001-01-01T00:00:00+09:00", "the year 9999": "9999-12-31T23:59:59Z",
}  # fmt: skip
FIELDS = {
    "specversion": NO_TEXT | {"0.3": "0.3", "1": "1"},
    "id": NO_TEXT | {"too long": "x" * 256},
    "source": NO_TEXT | {"blanks": "a b", "letters of Korea": "통신사", "too long": "x" * 256},
    "type": NO_TEXT | {"too long": "x" * 256},
    "subject": NO_TEXT | {"too long": "x" * 201},
    "time": NO_TIME,
    "datacontenttype": {"XML": "application/xml", "a number": 1},
    "unheard_of": {"a name that no attribute can have": "x"},
    "data_base64": {"binary": "AA=="},
    "extended": {"an object": {"a": 1}, "a list": [], "a fraction": 1.5},
}


@pytest.mark.parametrize(("field", "value"), cases(FIELDS))
def test_a_wrong_attribute_is_named(tell, kept, field, value):
    told = event()
    body = replaced(told, field, value)
    refused(tell(body), 400, "invalid", field=field)
    assert kept(told) == []


DATA = {
    "ported_out": {"to": NO_TEXT | {"a stranger": "NTT", "nowhere": "SKT"}},
    "number_changed": {
        "phone": NO_TEXT | {"a land line": "+8225550100", "of Japan": "+819012345678", "letters": "010-ABCD-EFGH"}
    },
    "plan_changed": {"plan_type": NO_TEXT | {"unknown": "gold"}},
    "device_changed": {
        "handset": NO_OBJECT,
        "handset.model": NO_TEXT,
        "handset.os": NO_TEXT | {"unknown": "symbian"},
        "handset.os_version": NO_TEXT,
        "handset.form": NO_TEXT | {"unknown": "watch"},
    },
    "suspended": {"reason": {"unknown": "unpaid"}},
}  # fmt: skip
GOOD = {
    "ported_out": {"to": "KT"}, "number_changed": {"phone": "+821012345678"}, "plan_changed": {"plan_type": "prepaid"},
    "device_changed": {"handset": HANDSET}, "suspended": {},
}  # fmt: skip
WRONG_DATA = [
    pytest.param(type_, *case.values, id=f"{type_} {case.id}")
    for type_, fields in DATA.items()
    for case in cases(fields)
]


@pytest.mark.parametrize(("type_", "field", "value"), WRONG_DATA)
def test_wrong_data_of_a_known_type_is_named(tell, kept, type_, field, value):
    told = event(type_, replaced(GOOD[type_], field, value))
    answer = refused(tell(told), 400, "invalid")
    assert all(error["field"].startswith("data") for error in answer["errors"]), answer
    assert kept(told) == []


@pytest.mark.parametrize("data", [MISSING, None, {}, [], "x", 1, True])
@pytest.mark.parametrize("type_", ["ported_out", "number_changed", "device_changed", "plan_changed"])
def test_data_that_a_type_needs_must_be_there(tell, type_, data):
    refused(tell(event(type_, data)), 400, "invalid")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe{}", b'{"a": NaN}', b"[" * 30_000], ids=ascii
)
def test_what_is_no_json_object_is_malformed(tell, body):
    refused(tell(body), 400, "malformed")


def test_a_name_that_stands_twice_is_refused(tell):
    body = json.dumps(event())[:-1].encode() + b', "type": "kr.ansim.line.resumed"}'
    refused(tell(body), 400, "invalid", field="type")


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/cloudevents-batch+json", "text/plain", "application/cloudevents+xml", None],
)
def test_only_one_media_type_is_taken(tell, kept, media_type):
    told = event()
    refused(tell(told, content_type=media_type), 415, "unsupported_media_type")
    assert kept(told) == []


def test_the_media_type_may_name_its_letters(tell):
    accepted(tell(event(), content_type="application/CloudEvents+JSON; charset=UTF-8"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_id": None}, {"webhook_timestamp": None}, {"webhook_signature": None}, {"webhook_id": "msg_2"},
        {"webhook_signature": "v1,"}, {"webhook_signature": "v1,not base64"}, {"webhook_signature": "v2,AAAA"},
        {"webhook_signature": "v1a,AAAA"}, {"webhook_signature": "\xe9"}, {"webhook_timestamp": "now"},
        {"webhook_timestamp": "1e9"}, {"webhook_timestamp": "-1"}, {"webhook_timestamp": "9" * 400},
        {"webhook_timestamp": ""}, {"webhook_signature": "v1," + "A" * 43 + "="}, {"at": 1_000_000_000},
        {"at": 4_000_000_000}, {"secret": "whsec_" + base64.b64encode(b"guess").decode()},
    ],
    ids=ascii,
)  # fmt: skip
def test_a_wrong_signature_or_clock_is_nobodys(tell, kept, wrong):
    told = event()
    refused(tell(told, **wrong), 401, "unauthenticated")
    assert kept(told) == []


def test_a_changed_body_has_no_right_signature(tell, town):
    told, at = event(), str(int(time.time()))
    old = signature(town.handles()["carrier"]["secret"], "msg_1", at, json.dumps(told).encode())
    refused(tell(event(), webhook_timestamp=at, webhook_signature=old), 401, "unauthenticated")


def test_one_right_signature_among_others_is_enough(tell, town):
    raw, at = json.dumps(event()).encode(), str(int(time.time()))
    right = signature(town.handles()["carrier"]["secret"], "msg_1", at, raw)
    accepted(tell(raw, webhook_timestamp=at, webhook_signature=f"v1,AAAA v2,x {right}"))


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
def test_five_minutes_of_clock_are_forgiven(tell, minutes):
    accepted(tell(event(), at=time.time() + minutes * 60))


def test_the_order_of_the_checks(tell):
    refused(tell(b"{", content_type="text/plain", webhook_signature=None), 401, "unauthenticated")
    refused(tell(b"{", content_type="text/plain"), 415, "unsupported_media_type")
    refused(tell(b"x" * 65_537, webhook_id=None), 401, "unauthenticated")
    refused(tell(b"x" * 65_537), 413, "too_large")
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        refused(tell(event(), method=method, webhook_signature=None), 405, "method_not_allowed")
    refused(tell(event(), path="/carrier/v1/event"), 404, "not_found")


def test_a_large_event_of_the_largest_size_is_taken(tell):
    told = event("exploded", "")
    told["data"] = "x" * (65_536 - len(json.dumps(told)))
    assert len(json.dumps(told)) == 65_536
    accepted(tell(told))


def test_nothing_personal_stands_in_the_log(tell, logged):
    told = event("number_changed", {"phone": "+821077778888"})
    accepted(tell(told))
    assert told["subject"] not in logged()
    assert "77778888" not in logged()
