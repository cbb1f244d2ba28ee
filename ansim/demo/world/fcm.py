"""FCM HTTP v1, as Google answers it: what a message must be, and google.rpc.Status for what it is not."""

import re
import secrets
from typing import Any

from ansim.demo.world.answer import Answer
from ansim.demo.world.body import BadInput, parse_object
from ansim.demo.world.faults import Mode
from ansim.demo.world.google import ServiceAccount

LIMIT = 4096  # bytes of data and notification together
RECIPIENTS = ("token", "fid", "topic", "condition")
MEMBERS = {*RECIPIENTS, "name", "data", "notification", "android", "webpush", "apns", "fcm_options"}
DURATION = re.compile(r"\d+(\.\d{1,9})?s")
CREDENTIAL = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class Refusal(Exception):
    """What Google would answer instead of taking the message."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def recipient(raw: bytes) -> str | None:
    """Whose phone the request names, also where it is broken elsewhere."""
    try:
        message = parse_object(raw).get("message")
    except BadInput:
        return None
    named = message.get("token") or message.get("fid") if isinstance(message, dict) else None
    return named if isinstance(named, str) else None


def answer(account: ServiceAccount, project: str, authorization: str, raw: bytes, mode: Mode) -> Answer:
    """`POST /v1/projects/<project>/messages:send`. Any token is a phone's until the mode says it is rejected."""
    if mode is Mode.ERROR:
        return _status(500, "INTERNAL", "Internal error encountered.", _fcm_error("INTERNAL"))
    try:
        _check_credential(account, authorization)
        if project != account.project:
            raise Refusal(_no_permission(project))
        _check_message(_message(raw))
    except Refusal as refusal:
        return refusal.answer
    if mode is Mode.REJECT_TOKEN:
        return _status(404, "NOT_FOUND", "Requested entity was not found.", _fcm_error("UNREGISTERED"))
    return Answer(
        200, {"name": f"projects/{project}/messages/0:{secrets.randbelow(10**16):016}%{secrets.token_hex(8)}"}
    )


def _check_credential(account: ServiceAccount, authorization: str) -> None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refusal(
            _status(
                401,
                "UNAUTHENTICATED",
                f"Request is missing required authentication credential. {CREDENTIAL}",
                _error_info("CREDENTIALS_MISSING", domain="googleapis.com"),
            )
        )
    if not account.accepts(token):
        raise Refusal(
            _status(
                401,
                "UNAUTHENTICATED",
                f"Request had invalid authentication credentials. {CREDENTIAL}",
                _error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
            )
        )


def _message(raw: bytes) -> dict[str, Any]:
    try:
        body = parse_object(raw)
    except BadInput as bad:
        raise Refusal(_invalid("", f"Invalid JSON payload received. {bad}")) from bad
    for name in body.keys() - {"message", "validate_only"}:
        raise Refusal(_unknown_name(name))
    message = body.get("message")
    if not isinstance(message, dict):
        raise Refusal(
            _invalid(
                "message",
                f"Invalid value at 'message' (type.googleapis.com/google.firebase.fcm.v1.Message), {_quoted(message)}",
            )
        )
    return message


def _check_message(message: dict[str, Any]) -> None:
    for name in message.keys() - MEMBERS:
        raise Refusal(_unknown_name(name, "message"))
    data, notification, android = (_part(message, name) for name in ("data", "notification", "android"))
    for index, value in enumerate(data.values()):
        _check_string(f"message.data[{index}].value", value)
    for name in ("title", "body", "image"):
        _check_string(f"message.notification.{name}", notification.get(name, ""))
    _check_android(android)
    recipients = [message[name] for name in RECIPIENTS if message.get(name)]
    if len(recipients) != 1:
        raise Refusal(_invalid("message", "Recipient of the message is not set.", _fcm_error("INVALID_ARGUMENT")))
    _check_string("message.token", recipients[0])
    if _size(data) + _size(notification) > LIMIT:
        raise Refusal(_invalid("message", "Android message is too big", _fcm_error("INVALID_ARGUMENT")))


def _check_android(android: dict[str, Any]) -> None:
    priority, ttl = android.get("priority", "normal"), android.get("ttl", "0s")
    if priority not in ("normal", "high", "NORMAL", "HIGH"):
        field = "message.android.priority"
        enum = "type.googleapis.com/google.firebase.fcm.v1.AndroidMessagePriority"
        raise Refusal(_invalid(field, f"Invalid value at '{field}' ({enum}), {_quoted(priority)}"))
    if not isinstance(ttl, str) or not DURATION.fullmatch(ttl):
        field = "message.android.ttl"
        raise Refusal(
            _invalid(
                field,
                f"Invalid value at '{field}' (type.googleapis.com/google.protobuf.Duration), "
                "Field 'ttl', Illegal duration format; duration must end with 's'",
            )
        )
    _check_string("message.android.collapse_key", android.get("collapse_key", ""))


def _part(message: dict[str, Any], name: str) -> dict[str, Any]:
    part = message.get(name) or {}
    if not isinstance(part, dict):
        raise Refusal(_invalid(f"message.{name}", f"Invalid value at 'message.{name}' (Map), {_quoted(part)}"))
    return part


def _check_string(field: str, value: object) -> None:
    if not isinstance(value, str):
        raise Refusal(_invalid(field, f"Invalid value at '{field}' (TYPE_STRING), {_quoted(value)}"))


def _size(part: dict[str, Any]) -> int:
    return sum(len(text.encode()) for pair in part.items() for text in pair if isinstance(text, str))


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _status(code: int, status: str, message: str, *details: dict[str, Any]) -> Answer:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return Answer(code, {"error": error})


def _invalid(field: str, description: str, *more: dict[str, Any]) -> Answer:
    violation = {"field": field, "description": description} if field else {"description": description}
    bad_request = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
    return _status(400, "INVALID_ARGUMENT", description, bad_request, *more)


def _unknown_name(name: str, where: str = "") -> Answer:
    at = f" at '{where}'" if where else ""
    return _invalid(where, f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.')


def _no_permission(project: str) -> Answer:
    resource = f"//cloudresourcemanager.googleapis.com/projects/{project}"
    return _status(
        403,
        "PERMISSION_DENIED",
        f"Permission 'cloudmessaging.messages.create' denied on resource '{resource}' (or it may not exist).",
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "IAM_PERMISSION_DENIED",
            "domain": "cloudresourcemanager.googleapis.com",
            "metadata": {"resource": f"projects/{project}", "permission": "cloudmessaging.messages.create"},
        },
    )


def _fcm_error(code: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def _error_info(reason: str, **more: str) -> dict[str, Any]:
    method = {"service": "fcm.googleapis.com", "method": "google.firebase.fcm.v1.FcmService.SendMessage"}
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, **more, "metadata": method}
