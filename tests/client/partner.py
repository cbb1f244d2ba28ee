import uuid
from typing import Any

import httpx


class PartnerClient:
    """A partner's server: its key, its requests."""

    def __init__(self, base_url: str, key: str) -> None:
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

    def confirm(self, pk: str, code: Any) -> httpx.Response:
        return self.http.post(f"/verifications/{pk}/confirm", json={"code": code})

    def resend(self, pk: str) -> httpx.Response:
        return self.http.post(f"/verifications/{pk}/resend")

    def cancel(self, pk: str) -> httpx.Response:
        return self.http.post(f"/verifications/{pk}/cancel")


def identity(person: dict[str, Any]) -> dict[str, str]:
    return {name: person[name] for name in ("birthdate", "gender_digit", "phone")}
