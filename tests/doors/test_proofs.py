"""`Authorization: Proof`: a call is the phone's own only when every claim fits, once, within a minute; else one 401."""

import base64
import hashlib
import hmac
import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.client.phone import b64, public_jwk, thumbprint
from tests.client.problem import refused
from tests.client.raw import exchange

TARGET = "/app/v1/verifications"


@pytest.fixture(scope="module")
def get(town):
    """get(authorization): Mina's list with that header, byte for byte."""
    return lambda authorization, target=TARGET: exchange(
        town.base_url, "GET", target, headers={} if authorization is None else {"Authorization": authorization}
    )


def claims(**changed):
    return {
        "htm": "GET", "htu": TARGET, "iat": int(time.time()), "jti": uuid.uuid4().hex,
        "bh": b64(hashlib.sha256(b"").digest()),
        **changed,
    }  # fmt: skip


def token(mina, body=None, *, key=None, alg="ES256", **headers):
    said = {"typ": "ansim-proof+jwt", "kid": mina.device_id, **headers}
    return jwt.encode(body or claims(), key or mina.signing, algorithm=alg, headers=said)


def by_hand(header, body, signature=b""):
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, body)]
    return ".".join(b64(part) for part in [*parts, signature])


def test_a_right_proof_passes(get, mina):
    assert get(f"Proof {token(mina)}").status == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"htm": "POST"}, {"htm": "get"}, {"htm": None}, {"htm": ["GET"]},
        {"htu": "/app/v1/history"}, {"htu": f"{TARGET}/"}, {"htu": f"{TARGET}?"}, {"htu": f"{TARGET}?a=1"},
        {"htu": TARGET.upper()},
        {"htu": f"http://127.0.0.1{TARGET}"}, {"htu": None}, {"htu": ""}, {"htu": "/app/v1/%76erifications"},
        {"iat": lambda: int(time.time()) - 75}, {"iat": lambda: int(time.time()) + 75},
        {"iat": lambda: time.time() * 1000},
        {"iat": None}, {"iat": True}, {"iat": []}, {"iat": {}}, {"iat": -1}, {"iat": 10**400},
        {"iat": lambda: str(int(time.time()))},
        {"jti": ""}, {"jti": None}, {"jti": 7}, {"jti": "j" * 256}, {"jti": ["a"]}, {"jti": {}},
        {"bh": None}, {"bh": ""}, {"bh": 1}, {"bh": b64(hashlib.sha256(b"{}").digest())},
        {"bh": b64(hashlib.sha512(b"").digest())},
        {"bh": base64.urlsafe_b64encode(hashlib.sha256(b"").digest()).decode()},
        {"bh": hashlib.sha256(b"").hexdigest()},
    ],
    ids=lambda changed: " ".join(f"{name}={callable(value) or str(value)[:30]}" for name, value in changed.items()),
)  # fmt: skip
def test_one_claim_that_does_not_fit_is_enough(get, mina, changed):
    wrong = {name: value() if callable(value) else value for name, value in changed.items()}
    refused(get(f"Proof {token(mina, claims(**wrong))}"), 401, "unauthenticated")


@pytest.mark.parametrize("missing", ["htm", "htu", "iat", "jti", "bh"])
def test_a_missing_claim_too(get, mina, missing):
    body = claims()
    del body[missing]
    refused(get(f"Proof {token(mina, body)}"), 401, "unauthenticated")


@pytest.mark.parametrize("iat", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1" * 5_000])
def test_times_that_are_no_times(get, mina, iat):
    raw = json.dumps(claims(iat="MARK")).encode().replace(b'"MARK"', iat)
    refused(get(f"Proof {_signed_by_hand(mina, raw)}"), 401, "unauthenticated")


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b"[" * 3_000, b'{"jti": "\\ud800"}', b'{"a": 1, "a": 2}'],
    ids=range(10),
)
def test_claims_that_are_no_object(get, mina, raw):
    refused(get(f"Proof {_signed_by_hand(mina, raw)}"), 401, "unauthenticated")


def _signed_by_hand(mina, raw, header=None):
    said = header or {"typ": "ansim-proof+jwt", "alg": "ES256", "kid": mina.device_id}
    text = f"{b64(json.dumps(said).encode())}.{b64(raw)}"
    return f"{text}.{_signature(mina, text)}"


def _signature(mina, text):
    r, s = decode_dss_signature(mina.signing.sign(text.encode(), ec.ECDSA(SHA256())))
    return b64(r.to_bytes(32) + s.to_bytes(32))


def test_a_lone_surrogate_in_the_jti_breaks_nothing(get, mina):
    raw = json.dumps(claims(jti="MARK")).encode().replace(b"MARK", b"\\ud800")
    assert get(f"Proof {_signed_by_hand(mina, raw)}").status in (200, 401)


def test_a_proof_counts_once(get, mina):
    used = token(mina)
    assert get(f"Proof {used}").status == 200
    refused(get(f"Proof {used}"), 401, "unauthenticated")
    same_jti = claims(jti=jwt.decode(used, options={"verify_signature": False})["jti"])
    refused(get(f"Proof {token(mina, same_jti)}"), 401, "unauthenticated")


def test_a_refused_proof_does_not_use_up_the_right_one(get, mina):
    body = claims()
    refused(get(f"Proof {token(mina, body, key=ec.generate_private_key(ec.SECP256R1()))}"), 401, "unauthenticated")
    assert get(f"Proof {token(mina, body)}").status == 200


@pytest.mark.parametrize("seconds", [-50, 50])
def test_a_clock_that_is_a_little_off_is_forgiven(get, mina, seconds):
    assert get(f"Proof {token(mina, claims(iat=int(time.time()) + seconds))}").status == 200


def test_the_query_is_signed_exactly_as_it_is_sent(get, mina):
    sent = f"{TARGET}?b=2&a=%7E"
    assert get(f"Proof {token(mina, claims(htu=sent))}", sent).status == 200
    for signed in (TARGET, f"{TARGET}?a=%7E&b=2", f"{TARGET}?b=2&a=~", f"{TARGET}?b=2&a=%7e"):
        refused(get(f"Proof {token(mina, claims(htu=signed))}", sent), 401, "unauthenticated")


def test_the_body_is_signed_byte_for_byte(signed, mina):
    def put(body, hashed):
        return signed("PUT", "/app/v1/device", body, bh=b64(hashlib.sha256(hashed).digest()))

    news = {"push_token": mina.push_token, "os_version": "15", "app_version": "1.0.0"}
    raw = json.dumps(news).encode()
    refused(put(raw, raw + b" "), 401, "unauthenticated")
    refused(put(raw, json.dumps(news, separators=(",", ":")).encode()), 401, "unauthenticated")
    assert put(raw, raw).status == 200


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"}, {"typ": None}, {"typ": "ansim-number+jwt"}, {"kid": ""}, {"kid": "x"}, {"kid": "\x00"},
        {"kid": None},
        {"kid": 7}, {"kid": "../../x"}, {"kid": "' OR 1=1"}, {"kid": "8f14e45f-ceea-467f-9a3b-2d1c0b5a7e61"},
        {"kid": "k" * 5_000},
        {"alg": "none"}, {"alg": "ES384"}, {"alg": "es256"}, {"alg": None},
        {"crit": ["exp"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"b64": True},
        {"b64": True, "crit": ["b64"]}, {"crit": None},
    ],
    ids=lambda header: str(header)[:40],
)  # fmt: skip
def test_a_header_that_is_not_as_agreed(get, mina, header):
    said = {"typ": "ansim-proof+jwt", "alg": "ES256", "kid": mina.device_id, **header}
    raw = json.dumps(claims()).encode()
    refused(get(f"Proof {_signed_by_hand(mina, raw, said)}"), 401, "unauthenticated")


def test_a_thief_cannot_bring_his_own_key(get, mina):
    thief = ec.generate_private_key(ec.SECP256R1())
    jwk = public_jwk(thief)
    for more in ({}, {"jwk": jwk}, {"jku": "http://127.0.0.1:1/jwks"}, {"x5c": ["x"]}, {"kid": thumbprint(jwk)}):
        refused(get(f"Proof {token(mina, key=thief, **more)}"), 401, "unauthenticated")


def test_no_other_algorithm_is_taken(get, mina):
    header = {"typ": "ansim-proof+jwt", "kid": mina.device_id}
    for alg in ("none", "None", "NONE", "", None, 7):
        refused(get(f"Proof {by_hand(header | {'alg': alg}, claims())}"), 401, "unauthenticated")
    public = mina.signing.public_key()
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(public_jwk(mina.signing)).encode(),
        b"",
    ]
    for secret in secrets:
        text = by_hand(header | {"alg": "HS256"}, claims()).rsplit(".", 1)[0]
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        refused(get(f"Proof {text}.{b64(mac)}"), 401, "unauthenticated")
    p384 = ec.generate_private_key(ec.SECP384R1())
    refused(get(f"Proof {token(mina, key=p384, alg='ES384')}"), 401, "unauthenticated")


def test_a_signature_that_is_not_one(get, mina):
    text, good = token(mina).rsplit(".", 1)
    for signature in (
        "",
        "x",
        "A" * 86,
        good[:-2],
        good + "AA",
        good[::-1],
        b64(b"\0" * 64),
        b64(b"\xff" * 64),
        b64(b"\0" * 32),
    ):
        refused(get(f"Proof {text}.{signature}"), 401, "unauthenticated")


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SPELT = {
    "right": lambda part: part,
    "padded": lambda part: part + "=" * (-len(part) % 4 or 1),
    "with a spare bit": lambda part: part[:-1] + LETTERS[LETTERS.index(part[-1]) ^ 1],
    "in plain base64": lambda part: part.replace("-", "+").replace("_", "/") + "+",
    "with a blank": lambda part: f"{part[:4]} {part[4:]}",
}


@pytest.mark.parametrize("spelt", SPELT)
@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
def test_each_part_has_one_spelling(get, mina, part, spelt):
    """RFC 7515: base64url, nothing after it. Signed as it is spelt, so that nothing but the spelling is wrong."""
    header = json.dumps({"typ": "ansim-proof+jwt", "alg": "ES256", "kid": mina.device_id}).encode()
    body = json.dumps(claims()).encode()
    parts = [b64(one + b" " * (1 - len(one) % 3)) for one in (header, body)]  # with bits to spare at its end
    for place in range(2):
        parts[place] = SPELT[spelt if part == place else "right"](parts[place])
    parts.append(SPELT[spelt if part == 2 else "right"](_signature(mina, ".".join(parts))))

    answer = get(f"Proof {'.'.join(parts)}")

    assert answer.status == (200 if spelt == "right" else 401)


def test_every_other_authorization_gets_the_same_401(get, mina):
    good = token(mina)
    broken = [
        None, "", "Proof", "Proof ", f"Bearer {good}", good, f"proof{good}", "Proof a.b.c", "Proof ..",
        "Proof " + "." * 500, f"Proof {good}.",
        f"Proof {good} {good}", f"Proof {good}, Proof {good}", b"Proof \xff\xfe",
        "Proof " + "A" * 9_000, f"Proof {good[:-10]}",
        "Proof eyJhbGciOiJFUzI1NiJ9.e30.", f"Proof {by_hand(b'x', {})}", f"Proof {by_hand(b'[]', {})}",
        f"Proof {by_hand(b'[' * 3000, {})}",
        f"Proof {by_hand({'alg': 'ES256', 'typ': 'ansim-proof+jwt', 'kid': {}}, {})}",
    ]  # fmt: skip
    answers = [get(header) for header in broken]
    for answer in answers:
        refused(answer, 401, "unauthenticated")
    assert len({answer.body for answer in answers}) == 1


def test_another_phones_proof_is_for_that_phone_only(town, get, mina):
    thief = town.member()
    refused(get(f"Proof {token(thief, kid=mina.device_id)}"), 401, "unauthenticated")
    refused(get(f"Proof {token(mina, kid=thief.device_id)}"), 401, "unauthenticated")


def test_the_proof_is_checked_before_the_body_is_looked_at(town):
    for raw in (b"{", b" " * 70_000, b"\xff"):
        headers = {"Authorization": "Proof x", "Content-Type": "text/plain"}
        answer = exchange(town.base_url, "POST", "/app/v1/password", body=raw, headers=headers)
        refused(answer, 401, "unauthenticated")
