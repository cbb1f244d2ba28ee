"""A partner's and a phone's program, over HTTP like anybody's: nothing in here imports our code."""

import json
import uuid
from typing import Any

import httpx
import jwt
from jwt.algorithms import ECAlgorithm
from standardwebhooks.webhooks import Webhook


class PartnerClient:
    """A partner's server: its key, its requests, what it checks."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self.http = httpx.Client(
            base_url=f"{base_url}/partner/v1", headers={"Authorization": f"Bearer {key}"}, timeout=15
        )

    def create(
        self, *, idempotency_key: str | None = None, reference: str | None = None, **body: Any
    ) -> httpx.Response:
        asked = {"reference": reference or uuid.uuid4().hex, "purpose": "login", **body}
        return self.http.post(
            "/verifications", json=asked, headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        )

    def ask(self, person: dict[str, Any], **body: Any) -> dict[str, Any]:
        """Create with that person's identity; the 201's body."""
        answer = self.create(identity=identity(person), **body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, pk: str, **headers: str) -> httpx.Response:
        return self.http.get(f"/verifications/{pk}", headers=headers)

    def now(self, pk: str) -> dict[str, Any]:
        """The verification as it stands."""
        answer = self.get(pk)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def end(self, pk: str) -> tuple[str, str | None]:
        """Its state and reason."""
        now = self.now(pk)
        return now["state"], now["reason"]

    def listed(self, **query: Any) -> httpx.Response:
        return self.http.get("/verifications", params=query)

    def confirm(self, pk: str, code: Any) -> httpx.Response:
        return self.http.post(f"/verifications/{pk}/confirm", json={"code": code})

    def resend(self, pk: str) -> httpx.Response:
        return self.http.post(f"/verifications/{pk}/resend")

    def cancel(self, pk: str) -> httpx.Response:
        return self.http.post(f"/verifications/{pk}/cancel")

    def receipt(self, token: str, *, partner: str) -> dict[str, Any]:
        """The claims of a receipt, checked offline as any partner can: signature by a published key, audience, type."""
        header = jwt.get_unverified_header(token)
        assert header["typ"] == "ansim-receipt+jwt"
        keys = self.http.get(f"{self.base_url}/.well-known/jwks.json").json()["keys"]
        (jwk,) = [jwk for jwk in keys if jwk["kid"] == header["kid"]]
        return jwt.decode(
            token, ECAlgorithm.from_jwk(jwk), algorithms=["ES256"], audience=partner, issuer=self.base_url
        )


def heard(webhook: dict[str, Any], *, secret: str) -> dict[str, Any]:
    """A webhook's body, after its signature was checked. Raises WebhookVerificationError."""
    return Webhook(secret).verify(webhook["body"], webhook["headers"])


def told(webhooks: list[dict[str, Any]], pk: str) -> list[str]:
    """The types of the events about that verification, oldest first; a repeated delivery counts once."""
    bodies = {hook["headers"]["webhook-id"]: json.loads(hook["body"]) for hook in reversed(webhooks)}
    return [body["type"] for body in bodies.values() if body["data"]["id"] == pk]


def identity(person: dict[str, Any]) -> dict[str, str]:
    return {name: person[name] for name in ("birthdate", "gender_digit", "phone")}
