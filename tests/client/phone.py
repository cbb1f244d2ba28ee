import base64
import hashlib
import json
import time
import uuid
from typing import Any
from urllib.parse import quote

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from jwt.algorithms import ECAlgorithm

SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return ECAlgorithm.to_jwk(key.public_key(), as_dict=True)


def thumbprint(jwk: dict[str, Any]) -> str:
    canonical = json.dumps(
        {name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True
    )
    return b64(hashlib.sha256(canonical.encode()).digest())


class PhoneClient:
    """The app on one phone: its two key pairs, its proofs, and what it opens. Speaks api.md section 2."""

    def __init__(self, base_url: str, platform: str = "android") -> None:
        self.http = httpx.Client(base_url=base_url, timeout=15)
        self.platform = platform
        self.signing, self.sealing = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.push_token = f"token-{uuid.uuid4().hex}"
        self.device_id = ""
        self.jwks: dict[str, Any] = {}

    def proof(
        self, method: str, target: str, body: bytes, *, kid: str | None = None, key: Any = None, **changed: Any
    ) -> str:
        claims = {
            "htm": method,
            "htu": target,
            "iat": int(time.time()),
            "jti": uuid.uuid4().hex,
            "bh": b64(hashlib.sha256(body).digest()),
            **changed,
        }
        headers = {"typ": "ansim-proof+jwt", "kid": kid if kid is not None else self.device_id}
        return "Proof " + jwt.encode(claims, key or self.signing, algorithm="ES256", headers=headers)

    def call(self, method: str, target: str, body: Any = None, **proof: Any) -> httpx.Response:
        raw = b"" if body is None else json.dumps(body).encode()
        headers = {"Authorization": self.proof(method, target, raw, **proof)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self.http.request(method, target, content=raw, headers=headers)

    def registration(self, activation_code: str, password: str, **changed: Any) -> dict[str, Any]:
        versions = {"android": ("15", "SM-S921N"), "ios": ("18.1", "iPhone16,1")}[self.platform]
        return {
            "activation_code": activation_code,
            "platform": self.platform,
            "os_version": versions[0],
            "model": versions[1],
            "app_version": "1.0.0",
            "push_token": self.push_token,
            "signing_key": public_jwk(self.signing),
            "sealing_key": public_jwk(self.sealing),
            "password": password,
            **changed,
        }

    def register(self, activation_code: str, password: str = "259173", **changed: Any) -> httpx.Response:
        body = self.registration(activation_code, password, **changed)
        answer = self.call("POST", "/app/v1/devices", body, kid=thumbprint(public_jwk(self.signing)))
        if answer.status_code == 201:
            self.device_id, self.jwks = answer.json()["device_id"], answer.json()["jwks"]
        return answer

    def waiting(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/app/v1/verifications")
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def unlock(self, pk: str, password: str = "259173") -> httpx.Response:
        return self.call("POST", f"/app/v1/verifications/{pk}/unlock", {"password": password})

    def deny(self, pk: str, reason: str = "not_me") -> httpx.Response:
        return self.call("POST", f"/app/v1/verifications/{pk}/deny", {"reason": reason})

    def history(self) -> dict[str, Any]:
        answer = self.call("GET", "/app/v1/history")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def change_password(self, current: str, new: str) -> httpx.Response:
        return self.call("POST", "/app/v1/password", {"current": current, "new": new})

    def remove(self, password: str = "259173") -> httpx.Response:
        return self.call("POST", "/app/v1/device/remove", {"password": password})

    def renew(self, push_token: str) -> httpx.Response:
        """The provider gave another push address."""
        self.push_token = push_token
        body = {"push_token": push_token, "os_version": "18.1", "app_version": "1.0.1"}
        return self.call("PUT", "/app/v1/device", body)

    def controls(self) -> dict[str, Any]:
        return self.call("GET", "/app/v1/controls").json()

    def control(self, *, password: str | None = None, **changed: Any) -> httpx.Response:
        """`stop_all`, `blocked_partners`: what is not given stays."""
        body = {**self.controls(), **changed} | ({} if password is None else {"password": password})
        return self.call("PUT", "/app/v1/controls", body)

    def partners(self, words: str) -> list[dict[str, Any]]:
        answer = self.call("GET", f"/app/v1/partners?q={quote(words, safe='')}")
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def releases(self) -> list[dict[str, Any]]:
        return self.call("GET", "/app/v1/releases").json()["items"]

    def release(self, partner_id: str, *, minutes: int = 10, password: str = "259173") -> httpx.Response:
        body = {"password": password, "partner_id": partner_id, "minutes": minutes}
        return self.call("POST", "/app/v1/releases", body)

    def withdraw(self, release_id: str) -> httpx.Response:
        return self.call("DELETE", f"/app/v1/releases/{release_id}")

    def pending(self) -> list[dict[str, Any]]:
        return self.call("GET", "/app/v1/pending").json()["items"]

    def stop_pending(self) -> httpx.Response:
        return self.call("POST", "/app/v1/pending/stop")

    def open(self, pk: str, envelope: str) -> dict[str, Any]:
        """The claims inside an envelope, after every check that the app must make."""
        padded = SUITE.decrypt(unb64(envelope), self.sealing, info=f"ansim/number/v1|{self.device_id}|{pk}".encode())
        assert len(padded) % 256 == 0
        token = padded.decode().rstrip(" ")
        header = jwt.get_unverified_header(token)
        assert header["typ"] == "ansim-number+jwt"
        (jwk,) = [jwk for jwk in self.jwks["keys"] if jwk["kid"] == header["kid"]]
        claims = jwt.decode(token, ECAlgorithm.from_jwk(jwk), algorithms=["ES256"], audience=self.device_id)
        assert claims["sub"] == pk
        return claims

    def number(self, pk: str, password: str = "259173") -> str:
        answer = self.unlock(pk, password)
        assert answer.status_code == 200, answer.text
        return self.open(pk, answer.json()["envelope"])["code"]
