"""The demo shop 책방: a partner like any other. It knows the partner API, its key, and nothing else of Ansim."""

import json
import secrets
from typing import Any

import httpx
import jwt
from aiohttp import web
from django.core import signing
from django.utils.translation import gettext, override

from ansim.demo.pages.cast import Demo, Partner, demo
from ansim.demo.pages.rendering import language, page

COOKIE = "bookshop"
PURPOSES = {"login": "login", "book": "adult_check"}  # what is pressed: why the shop asks
OPEN_STATES = {"created", "awaiting_app", "awaiting_code"}
TIMEOUT = 6.0  # seconds; the carrier may take 3 of them


def _bookshop() -> tuple[Demo, Partner]:
    cast = demo()
    return cast, cast["partners"][0]


async def _ask(method: str, path: str, partner: Partner, base: str, **more: Any) -> dict[str, Any]:
    """One call to the partner API. Anything but success is the shop's 502 with the problem's code."""
    headers = {"Authorization": f"Bearer {partner['key']}", **more.pop("headers", {})}
    try:
        async with httpx.AsyncClient(base_url=base, timeout=TIMEOUT) as client:
            answer = await client.request(method, f"/partner/v1{path}", headers=headers, **more)
    except httpx.TransportError as error:
        raise web.HTTPBadGateway(text="Ansim does not answer.") from error
    if not answer.is_success:
        raise web.HTTPBadGateway(text=f"Ansim answered {answer.status_code}: {answer.text[:300]}")
    content: dict[str, Any] = answer.json()
    return content


async def shelf(request: web.Request) -> web.Response:
    """Books, a basket, and the two things that need to know who is there."""
    cast, partner = _bookshop()
    context = {"partner": partner, "ansim": cast["base_url"], "phone_url": "/phone/"}
    return page(request, "demo/shop/shelf.html", context, friend=cast["base_url"])


async def start(request: web.Request) -> web.StreamResponse:
    """Creates a verification, remembers it in a signed cookie. A script gets {window_url}, a form is sent there."""
    form = await request.post()
    purpose = PURPOSES.get(str(form.get("for")))
    if purpose is None:
        raise web.HTTPBadRequest(text="for is login or book.")
    cast, partner = _bookshop()
    reference = f"order-{secrets.token_hex(6)}"
    body = {"reference": reference, "purpose": purpose, "return_url": f"{cast['world_url']}/shop/back"}
    made = await _ask(
        "POST", "/verifications", partner, cast["base_url"], json=body, headers={"Idempotency-Key": reference}
    )
    answer: web.Response = (
        web.json_response({"window_url": made["window_url"]})
        if "application/json" in request.headers.get("Accept", "")
        else web.Response(status=303, headers={"Location": made["window_url"]})
    )
    remembered = signing.dumps({"id": made["id"], "reference": reference}, salt=COOKIE)
    answer.set_cookie(COOKIE, remembered, samesite="Lax", httponly=True, path="/shop/")
    return answer


async def back(request: web.Request) -> web.Response:
    """What the shop got. The browser's word is never taken: the id must be the cookie's, and the API is asked."""
    cast, partner = _bookshop()
    try:
        ours = signing.loads(request.cookies.get(COOKIE, ""), salt=COOKIE)
    except signing.BadSignature:
        ours = {}
    if not ours or ours["id"] != request.query.get("verification_id"):
        return page(request, "demo/shop/stranger.html", {"phone_url": "/phone/"}, status=403)
    verification = await _ask("GET", f"/verifications/{ours['id']}", partner, cast["base_url"])
    with override(language(request)):
        context = {
            "verification": verification,
            "trusted": verification["reference"] == ours["reference"],
            "open": verification["state"] in OPEN_STATES,
            "got": _rows(verification.get("result") or {}),
            "receipt": await _receipt(verification, partner, cast["base_url"]),
            "webhooks": await _webhooks(ours["id"], partner, cast["world_url"]),
            "phone_url": "/phone/",
        }
    return page(request, "demo/shop/back.html", context)


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """The result as name and value, one row a member, risk facts included."""
    flat = {**result, **{f"risk.{name}": value for name, value in (result.get("risk") or {}).items()}}
    flat.pop("risk", None)
    return [(name, _word(value)) for name, value in flat.items()]


def _word(value: object) -> str:
    words = {True: gettext("예"), False: gettext("아니요")}
    if isinstance(value, bool):
        return words[value]
    return "–" if value is None else str(value)


async def _receipt(verification: dict[str, Any], partner: Partner, base: str) -> dict[str, Any] | None:
    """The receipt's claims after its signature was checked with the published keys; None when there is none."""
    if not verification.get("receipt"):
        return None
    async with httpx.AsyncClient(timeout=TIMEOUT) as client:
        keys = jwt.PyJWKSet.from_dict((await client.get(f"{base}/.well-known/jwks.json")).json())
    kid = jwt.get_unverified_header(verification["receipt"])["kid"]
    try:
        claims = jwt.decode(verification["receipt"], keys[kid], ["ES256"], audience=partner["id"], issuer=base)
    except (jwt.InvalidTokenError, KeyError) as error:
        return {"valid": False, "text": str(error)}
    return {"valid": claims["sub"] == verification["id"], "text": json.dumps(claims, ensure_ascii=False, indent=2)}


async def _webhooks(identifier: str, partner: Partner, world: str) -> list[dict[str, str]]:
    """The webhooks about this verification that reached the shop's address, newest first."""
    async with httpx.AsyncClient(base_url=world, timeout=TIMEOUT) as client:
        arrived = (await client.get("/world/webhooks", params={"partner": partner["id"]})).json()
    return [
        {"received_at": one["received_at"], "body": one["body"]} for one in arrived if identifier in str(one["body"])
    ]


ROUTES = [
    web.get("/shop/", shelf),
    web.get("/shop", shelf),
    web.post("/shop/start", start),
    web.get("/shop/back", back),
]
