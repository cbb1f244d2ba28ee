"""docs/app-protocol.md against the running system: a stranger who knows nothing but that page writes an app from it."""

import base64
import hashlib
import json
import re
import time
import uuid
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from django.urls import URLPattern, get_resolver
from jwt.algorithms import ECAlgorithm

from tests.client.world import until

PAGE = (Path(__file__).resolve().parents[2] / "docs/app-protocol.md").read_text()
BLANK = "00000000-0000-4000-8000-000000000000"
PASSWORD = "580214"


def doors():
    """(method, address) of every call of the app API, as the code has them."""

    def walk(patterns, prefix=""):
        for pattern in patterns:
            address = prefix + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield address, pattern.callback
            else:
                yield from walk(pattern.url_patterns, address)

    for address, view in walk(get_resolver().url_patterns):
        if address.startswith("app/v1/") and hasattr(view, "cls"):
            for method in ("get", "post", "put", "delete"):
                if hasattr(view.cls, method):
                    yield method.upper(), "/" + re.sub(r"<uuid:\w+>", "{id}", address)


def paragraphs():
    return re.split(r"\n\s*\n|\n(?=\d\. )", PAGE)


@pytest.mark.parametrize(("method", "address"), sorted(set(doors())))
def test_every_call_of_the_app_is_on_the_page(method, address):
    named = re.compile(re.escape(address) + r"(?![\w/])")
    assert any(named.search(words) and re.search(rf"\b{method}\b", words) for words in paragraphs())


def test_every_address_on_the_page_is_a_door(town):
    named = {found.rstrip(".") for found in re.findall(r"/app/v1/[\w/{}]+", PAGE)}
    assert len(named) >= 12
    for address in named:
        answer = httpx.get(town.base_url + address.replace("{id}", BLANK))
        assert answer.status_code in (401, 405), address


def test_every_notice_is_on_the_page_and_the_other_way_round():
    from pushes.notices import NOTICES

    table = PAGE[PAGE.index("| `notice` |") :]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(NOTICES)


def fields(*, after):
    """The names of the object that the page shows next after these words; `name?` may be left out."""
    depth, names, word = 0, set(), ""
    start = PAGE.index("{", PAGE.index(after) + len(after))
    for letter in PAGE[start:]:
        if depth == 1 and letter in ",:}":
            names.add(word.strip(' "\n\t'))
            word = "" if letter != ":" else "\0"
        depth += (letter in "{[") - (letter in "}]")
        if depth == 0:
            break
        if depth == 1 and letter not in ",:{}[]":
            word += letter
    return {name for name in names if name and "\0" not in name}


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Stranger:
    """An app written from the page alone; nothing of tests/client."""

    def __init__(self, base_url, activation_code):
        self.http = httpx.Client(base_url=base_url, timeout=15)
        self.signing, self.sealing = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        shown = json.loads(re.search(r"`POST /app/v1/devices`:\n\n```json\n(.*?)```", PAGE, re.DOTALL)[1])
        keys = {"signing_key": self._jwk(self.signing), "sealing_key": self._jwk(self.sealing)}
        self.token = f"stranger-{uuid.uuid4().hex}"
        body = {**shown, **keys, "activation_code": activation_code, "push_token": self.token, "password": PASSWORD}
        thumbprint = json.dumps(keys["signing_key"], separators=(",", ":"), sort_keys=True)
        self.kid = b64(hashlib.sha256(thumbprint.encode()).digest())
        self.registered = self.call("POST", "/app/v1/devices", body, status=201)
        self.kid, self.jwks = self.registered["device_id"], self.registered["jwks"]

    def _jwk(self, key):
        whole = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {name: whole[name] for name in ("kty", "crv", "x", "y")}

    def call(self, method, target, body=None, *, status=200):
        raw = b"" if body is None else json.dumps(body).encode()
        claims = {
            "htm": method, "htu": target, "iat": int(time.time()), "jti": uuid.uuid4().hex,
            "bh": b64(hashlib.sha256(raw).digest()),
        }  # fmt: skip
        proof = jwt.encode(claims, self.signing, "ES256", {"typ": "ansim-proof+jwt", "kid": self.kid})
        headers = {"Authorization": f"Proof {proof}"} | ({"Content-Type": "application/json"} if raw else {})
        answer = self.http.request(method, target, content=raw, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def number(self, envelope, verification):
        raw = base64.urlsafe_b64decode(envelope + "=" * (-len(envelope) % 4))
        suite = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        token = (
            suite.decrypt(raw, self.sealing, f"ansim/number/v1|{self.kid}|{verification}".encode()).decode().rstrip()
        )
        kid = jwt.get_unverified_header(token)["kid"]
        key = ECAlgorithm.from_jwk(next(jwk for jwk in self.jwks["keys"] if jwk["kid"] == kid))
        return jwt.decode(token, key, algorithms=["ES256"], audience=self.kid)


@pytest.fixture(scope="module")
def stranger(town):
    member = town.manage("demo", "member")
    made = town.kept(Stranger(town.base_url, member["activation_code"]))
    made.person = member
    return made


def test_registering_answers_as_the_page_says(stranger):
    assert set(stranger.registered) == fields(after="201 ")


def test_a_number_is_unlocked_opened_and_typed_in_from_the_page_alone(stranger, bookshop, world):
    asked = bookshop.ask(stranger.person)
    (waits,) = stranger.call("GET", "/app/v1/verifications")["items"]
    assert set(waits) == fields(after="call it whenever the app is opened. Items: ")
    answer = stranger.call("POST", f"/app/v1/verifications/{asked['id']}/unlock", {"password": PASSWORD})
    assert set(answer) == fields(after='unlock {"password"}` > 200 ')
    claims = stranger.number(answer["envelope"], asked["id"])
    assert set(claims) == fields(after="and `exp` lies ahead. Claims:\n   ")
    assert bookshop.confirm(asked["id"], claims["code"]).json()["state"] == "verified"
    row = stranger.call("GET", "/app/v1/history")["items"][0]
    said = fields(after="newest first: ")
    assert set(row) == {name.rstrip("?") for name in said}
    until(lambda: world.pushes(stranger.token, "wake"))


def test_not_me_answers_as_the_page_says(stranger, town):
    asked = town.shop().ask(stranger.person)
    answer = stranger.call("POST", f"/app/v1/verifications/{asked['id']}/deny", {"reason": "not_me"})
    assert set(answer) == fields(after="The answer has what to show next:")
    assert answer["offer_stop_all"] is False


def test_what_the_owner_decides_answers_as_the_page_says(stranger, bookshop):
    now = stranger.call("GET", "/app/v1/controls")
    assert set(now) == fields(after="`GET /app/v1/controls` > ")
    stranger.call("PUT", "/app/v1/controls", {**now, "stop_all": True})
    problem = stranger.call("PUT", "/app/v1/controls", now, status=400)
    assert [one["field"] for one in problem["errors"]] == ["password"]
    stranger.call("PUT", "/app/v1/controls", {**now, "password": PASSWORD})

    found = stranger.call("GET", f"/app/v1/partners?q={bookshop.entry['id']}")["items"]
    assert set(found[0]) == fields(after="characters > items ")
    wanted = {"password": PASSWORD, "partner_id": found[0]["id"], "minutes": 5}
    assert set(wanted) == fields(after="`POST /app/v1/releases ")
    release = stranger.call("POST", "/app/v1/releases", wanted, status=201)
    assert set(release) == fields(after="1..10}` > 201 ")
    assert [one["id"] for one in stranger.call("GET", "/app/v1/releases")["items"]] == [release["id"]]
    stranger.call("DELETE", f"/app/v1/releases/{release['id']}", status=204)
    assert stranger.call("DELETE", f"/app/v1/releases/{release['id']}", status=404)["code"] == "not_found"


def test_what_waits_at_the_call_centre_is_seen_and_stopped(stranger, town):
    assert stranger.call("POST", "/app/v1/pending/stop", status=409)["code"] == "wrong_state"
    town.manage("demo", "leave", stranger.person["contract"], "--desk")
    (waits,) = stranger.call("GET", "/app/v1/pending")["items"]
    assert set(waits) == {"kind", "due_at"}
    stranger.call("POST", "/app/v1/pending/stop")
    assert stranger.call("GET", "/app/v1/pending")["items"] == []


def test_the_phone_itself_is_kept_up_to_date_and_removed(stranger):
    news = {"push_token": f"stranger-{uuid.uuid4().hex}", "os_version": "15", "app_version": "1.0.1"}
    assert set(news) == fields(after="`PUT /app/v1/device ")
    stranger.call("PUT", "/app/v1/device", news)
    newer = {"current": PASSWORD, "new": "837465"}
    assert set(newer) == fields(after="`POST /app/v1/password ")
    stranger.call("POST", "/app/v1/password", newer, status=204)
    assert stranger.call("POST", "/app/v1/device/remove", {"password": PASSWORD}, status=422)["tries_left"] == 4
    stranger.call("POST", "/app/v1/device/remove", {"password": "837465"}, status=204)
    assert stranger.call("GET", "/app/v1/verifications", status=401)["code"] == "unauthenticated"
