"""What every refusal of an API must look like (api.md, common to all doors)."""

import re
from typing import Any

CORRELATOR = re.compile(r"[a-zA-Z0-9_:;./<>{}-]{1,256}")


def refused(answer: Any, status: int, code: str, *, field: str | None = None) -> dict[str, Any]:
    """The problem's body, after checking all that is contract. `field`: one of `errors` must name it."""
    assert answer.status == status, (answer.status, answer.body[:600])
    headers = answer.headers
    assert headers["content-type"] == "application/problem+json", headers
    assert "no-store" in headers["cache-control"], headers
    assert CORRELATOR.fullmatch(headers["x-correlator"]), headers
    told: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(told), told
    assert (told["status"], told["code"]) == (status, code), told
    if code == "invalid":
        assert told["errors"], told
        assert all(set(error) == {"field", "code", "message"} for error in told["errors"]), told
    if field is not None:
        assert field in [error["field"] for error in told["errors"]], told
    if status == 401:
        assert headers["www-authenticate"], headers
        assert headers["date"], headers
        assert set(told) == {"type", "title", "status", "detail", "code"}, told
    if status == 405:
        assert headers["allow"], headers
    return told
