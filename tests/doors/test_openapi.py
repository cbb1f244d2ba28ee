"""openapi.json and its pages against the doors: everything that exists is documented, and nothing else is."""

import ast
import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path

import httpx
import pytest
from django.urls import URLPattern, get_resolver
from jsonschema import Draft202012Validator

from ansim.lib import problem
from verification.limits import Limits
from verification.partner_docs import contents
from verification.partner_docs.document import document
from verification.partner_docs.errors import ERRORS
from verification.states import REASONS, State

ROOT = Path(__file__).resolve().parents[2]
DOCS = "/partner/v1/docs"
OF_THE_APP = {"wrong_password", "locked"}
HANGUL = re.compile("[가-힣]+")


@pytest.fixture(scope="module")
def site(town):
    with httpx.Client(base_url=town.base_url, timeout=15) as client:
        yield client


@pytest.fixture(scope="module")
def told(site):
    return site.get("/partner/v1/openapi.json").json()


def doors(patterns=None, prefix="/"):
    """(address, method) of every API view that a partner can reach."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if not isinstance(pattern, URLPattern):
            yield from doors(pattern.url_patterns, address)
        elif address.startswith(("/partner/", "/.well-known/")) and hasattr(pattern.callback, "cls"):
            methods = {"get", "post", "put", "patch", "delete"}
            yield from ((address, method) for method in methods if hasattr(pattern.callback.cls, method))


def test_every_door_is_documented_and_every_documented_door_is_there(told):
    documented = {(address, method) for address, methods in told["paths"].items() for method in methods}
    assert documented == set(doors())


def test_every_code_a_partner_can_meet_is_documented(told):
    documented = set()
    for methods in told["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                for content in answer.get("content", {}).values():
                    codes = content["schema"].get("properties", {}).get("code", {}).get("enum", [])
                    assert {problem.STATUS[code] for code in codes} <= {int(status)}
                    assert set(content.get("examples", {})) == set(codes) or not codes
                    documented |= set(codes)
    told_by_nobody = {"forbidden"} - _raised("partner_api", "partner_auth", "idempotency", "flow", "webhook_api")
    assert documented == set(problem.STATUS) - OF_THE_APP - told_by_nobody
    assert _raised("partner_api", "partner_auth", "idempotency", "flow", "ending", "webhook_api") <= documented


def _raised(*modules):
    """The codes that these modules refuse with."""
    found = set()
    for module in modules:
        file = ROOT / "verification" / f"{module}.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if file.is_file() else ():
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused":
                found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return found


def test_it_is_openapi_3_1_kept_for_five_minutes_and_closed(site, told):
    answer = site.get("/partner/v1/openapi.json")
    assert told["openapi"].startswith("3.1")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False
    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    ids = [operation["operationId"] for methods in told["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)


def test_every_end_has_its_webhook(told):
    ends = {f"verification.{state}" for state in (*REASONS, State.VERIFIED, State.AWAITING_CODE)}
    assert set(told["webhooks"]) == ends


def test_examples_keep_to_their_schemas(told):
    for methods in told["paths"].values():
        for operation in methods.values():
            answers = [answer.get("content", {}) for answer in operation["responses"].values()]
            for content in [operation.get("requestBody", {}).get("content", {}), *answers]:
                for kind in content.values():
                    schema = {**kind["schema"], "components": told["components"]}
                    for example in kind.get("examples", {}).values():
                        Draft202012Validator(schema).validate(example["value"])


def test_the_english_document_is_english_and_the_korean_one_korean(site, told):
    descriptions = re.findall(r'"(?:description|summary|title)": "([^"]*)"', json.dumps(told, ensure_ascii=False))
    assert len(descriptions) > 100
    assert [text for text in descriptions if HANGUL.search(text)] == []
    korean = site.get("/partner/v1/openapi.json?lang=ko").json()
    assert HANGUL.search(korean["info"]["title"])
    assert document("ko")["paths"].keys() == told["paths"].keys()


def test_every_code_state_reason_and_limit_has_its_words():
    assert set(ERRORS) == set(problem.STATUS)
    assert set(contents.STATES) == set(State.values)
    assert set(contents.WORDS) == {reason for reasons in REASONS.values() for reason in reasons}
    assert set(contents.LIMITS) <= Limits.names()


@pytest.mark.parametrize("code", problem.STATUS)
def test_a_problem_leads_to_a_page_with_cause_and_cure(site, town, code):
    address = problem.body(code)["type"]
    assert address == f"{town.base_url}{DOCS}/errors/{code}"
    for language, cure in (("ko", "할 일"), ("en", "What to do")):
        page = site.get(address, params={"lang": language})
        assert page.status_code == 200
        assert page.headers["Content-Language"] == language
        assert code in page.text
        assert cure in page.text


def test_a_problem_over_http_names_its_page(site):
    refused = site.get("/partner/v1/verifications").json()
    assert refused["type"].endswith("/docs/errors/unauthenticated")
    assert site.get(refused["type"]).status_code == 200


def test_there_is_no_page_for_what_is_no_code(site):
    assert site.get(f"{DOCS}/errors/made_up").status_code == 404


@pytest.mark.parametrize("address", ["", "/errors/closed", "/webhook-tester"])
def test_the_english_pages_hold_no_korean_but_names_and_code(site, address):
    page = site.get(f"{DOCS}{address}?lang=en").text
    running = re.sub(r'<pre.*?</pre>|<a [^>]*lang="ko".*?</a>', "", page, flags=re.DOTALL)
    assert HANGUL.findall(running) == []


def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(site, town):
    page = site.get(DOCS)
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    loaded = re.findall(r'(?:src=|<link[^>]+href=)"([^"]+)"', page.text)
    assert loaded
    assert [address for address in loaded if not address.startswith("/static/")] == []


# --- The signature tester -------------------------------------------------------------------------

SECRET = "whsec_" + base64.b64encode(b"a secret that nobody has seen yet").decode()


def signed(**changed):
    body = '{"type": "verification.verified"}'
    pasted = {"secret": SECRET, "message_id": "msg_1", "timestamp": str(int(time.time())), "body": body} | changed
    content = f"{pasted['message_id']}.{pasted['timestamp']}.{body}".encode()
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"signature": f"v1,{mac}"} | pasted


@pytest.mark.parametrize(
    ("pasted", "kind", "words"),
    [
        (lambda: signed(), "ok", "Right"),
        (lambda: signed() | {"body": '{"type": "verification.denied"}'}, "bad", "not match|bytes as they came"),
        (lambda: signed() | {"body": "verified"}, "bad", "not JSON"),
        (lambda: signed(timestamp="1000000000"), "ok", "old"),
        (lambda: signed() | {"secret": "whsec_?"}, "bad", "malformed"),
        (lambda: signed() | {"timestamp": "now"}, "bad", "malformed"),
        (lambda: signed() | {"signature": "v2,AAAA"}, "bad", "malformed"),
        (lambda: signed() | {"signature": "v1,AAAA " + signed()["signature"]}, "ok", "Right"),
    ],
    ids=["right", "another body", "no body", "old", "no secret", "no time", "no signature", "two signatures"],
)
def test_the_tester_says_right_or_wrong_and_why(site, pasted, kind, words):
    page = _paste(site, pasted())  # signed now: a whole run lasts longer than a signature
    assert f"notice--{kind}" in page
    assert re.search(words, page)


def test_the_tester_asks_for_what_is_missing(site):
    assert 'class="errors"' in _paste(site, {"secret": SECRET})


def test_the_tester_keeps_nothing(site, town):
    pasted = signed(message_id="msg_seen_once")
    answer = _paste(site, pasted)
    assert "msg_seen_once" in answer  # filled in again
    for log in town.handles()["logs"]:
        said = Path(log).read_text(encoding="utf-8", errors="replace") if Path(log).is_file() else ""
        assert "msg_seen_once" not in said
        assert SECRET not in said


def _paste(site, pasted):
    form = site.get(f"{DOCS}/webhook-tester?lang=en")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)[1]
    answer = site.post(
        f"{DOCS}/webhook-tester?lang=en",
        data=pasted | {"csrfmiddlewaretoken": token},
        headers={"Referer": str(site.base_url)},
    )
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return answer.text
