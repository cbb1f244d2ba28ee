"""APNs, as Apple answers it: provider token, headers, payload, and a `reason` for whatever is wrong."""

import re
import time
import uuid
from collections import Counter
from urllib.parse import unquote

import jwt

from ansim.demo.world.answer import Answer
from ansim.demo.world.arrivals import Arrivals, headers_text
from ansim.demo.world.body import BadInput, parse_object, storable
from ansim.demo.world.faults import Faults, Mode, Target
from ansim.demo.world.http2 import Request
from ansim.demo.world.surroundings import Apple

LIMIT = 4096  # bytes of a payload
COLLAPSE_LIMIT = 64  # bytes
TOKEN_LIMIT = 200  # characters; the phones of the demo make up their own tokens
TOKEN_AGE = 3600  # seconds a provider token is good for
SKEW = 60  # seconds
PATH = "/3/device/"
PUSH_TYPES = {
    *("alert", "background", "controls", "complication", "fileprovider", "liveactivity"),
    *("location", "mdm", "pushtotalk", "voip", "widgets"),
}
APNS_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Refusal(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Apns:
    """The provider API (`POST /3/device/<token>`)."""

    def __init__(self, apple: Apple, arrivals: Arrivals, faults: Faults) -> None:
        self._apple = apple
        self._arrivals = arrivals
        self._faults = faults

    async def __call__(self, request: Request) -> Answer | None:
        """None: cut the connection."""
        mode = self._faults.take(Target.APNS)
        row = {
            "provider": "apns",
            "token": unquote(request.path.removeprefix(PATH)).replace("\x00", "\ufffd"),
            "headers": headers_text(request.headers),
            "body": storable(request.body),
        }
        return await self._arrivals.play(
            "pushes", row, mode=mode, answer=self._answer(request, mode), there=request.there
        )

    def _answer(self, request: Request, mode: Mode) -> Answer:
        headers = dict(request.headers)
        given = headers.get("apns-id", "")
        known = {"apns-id": given if APNS_ID.fullmatch(given) else str(uuid.uuid4()).upper()}
        try:
            if mode is Mode.ERROR:
                raise Refusal(500, "InternalServerError")
            self._check(request, headers)
        except Refusal as refusal:
            return Answer(refusal.status, {"reason": refusal.reason}, known)
        if mode is Mode.REJECT_TOKEN:
            return Answer(410, {"reason": "Unregistered", "timestamp": int(time.time() * 1000)}, known)
        return Answer(200, None, known)

    def _check(self, request: Request, headers: dict[str, str]) -> None:
        if not request.path.startswith(PATH):
            raise Refusal(404, "BadPath")
        if request.method != "POST":
            raise Refusal(405, "MethodNotAllowed")
        names = Counter(name for name, _ in request.headers)
        if any(count > 1 and (name.startswith("apns-") or name == "authorization") for name, count in names.items()):
            raise Refusal(400, "DuplicateHeaders")
        self._check_provider_token(headers.get("authorization", ""))
        token = unquote(request.path.removeprefix(PATH))
        if not token:
            raise Refusal(400, "MissingDeviceToken")
        if len(token) > TOKEN_LIMIT or "/" in request.path.removeprefix(PATH):
            raise Refusal(400, "BadDeviceToken")
        self._check_headers(headers)
        _check_payload(request)

    def _check_provider_token(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(403, "MissingProviderToken")
        try:
            header = jwt.get_unverified_header(token)
            options: jwt.types.Options = {
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
            }
            claims = jwt.decode(token, self._apple.key, algorithms=["ES256"], options=options)
        except jwt.PyJWTError as error:
            raise Refusal(403, "InvalidProviderToken") from error
        issued, now = claims.get("iat"), time.time()
        named = header.get("kid") == self._apple.key_id and claims.get("iss") == self._apple.team_id
        if not named or not isinstance(issued, int | float) or issued > now + SKEW:
            raise Refusal(403, "InvalidProviderToken")
        if issued < now - TOKEN_AGE:
            raise Refusal(403, "ExpiredProviderToken")

    def _check_headers(self, headers: dict[str, str]) -> None:
        topic, push_type = headers.get("apns-topic"), headers.get("apns-push-type", "alert")
        if not topic:
            raise Refusal(400, "MissingTopic")
        if topic != self._apple.topic:
            raise Refusal(400, "TopicDisallowed")
        if "apns-id" in headers and not APNS_ID.fullmatch(headers["apns-id"]):
            raise Refusal(400, "BadMessageId")
        if push_type not in PUSH_TYPES:
            raise Refusal(400, "InvalidPushType")
        priority = headers.get("apns-priority")
        if priority not in (None, "10", "5", "1") or (push_type == "background" and priority == "10"):
            raise Refusal(400, "BadPriority")
        if not headers.get("apns-expiration", "0").isdecimal():
            raise Refusal(400, "BadExpirationDate")
        if len(headers.get("apns-collapse-id", "").encode()) > COLLAPSE_LIMIT:
            raise Refusal(400, "BadCollapseId")


def _check_payload(request: Request) -> None:
    if request.length > LIMIT:
        raise Refusal(413, "PayloadTooLarge")
    try:
        payload = parse_object(request.body)
    except BadInput as bad:
        raise Refusal(400, "PayloadEmpty") from bad
    if not isinstance(payload.get("aps"), dict):
        raise Refusal(400, "PayloadEmpty")
