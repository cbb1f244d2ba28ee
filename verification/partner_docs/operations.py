"""What each operation of the partner API is for, what it takes and every answer it can give: one row each.

`document` joins these rows with what it reads off the doors: addresses, path parameters, request bodies, keys.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.serializers import Serializer

from verification.models import WebhookDelivery
from verification.partner_docs.answers import EXAMPLE_ID
from verification.partner_forms import Ask, Typed

Text = str | Promise
Example = dict[str, Any]

ANY = ("invalid", "method_not_allowed", "uri_too_long", "internal", "unavailable")
KEY = ("unauthenticated", "too_many_requests")
BODY = ("malformed", "unsupported_media_type", "too_large")

HEADERS: dict[str, dict[str, Any]] = {
    "x-correlator": {
        "description": _("보낸 값 그대로, 없었으면 우리가 만든 값이에요. 문의할 때 알려 주세요."),
        "required": True,
        "schema": {"type": "string", "pattern": "^[a-zA-Z0-9_:;./<>{}-]{1,256}$"},
    },
    "Idempotent-Replayed": {
        "description": _("같은 요청을 다시 보내 처음 답을 그대로 받았으면 `true`예요."),
        "schema": {"type": "string", "const": "true"},
    },
    "ETag": {
        "description": _("지금 모습의 표시예요. `If-None-Match`로 보내면 바뀌었을 때만 본문이 와요."),
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Retry-After": {
        "description": _("몇 초 뒤에 다시 하면 되는지. 기다려서 될 때만 있어요."),
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit": {
        "description": _("지금 쓸 수 있는 만큼이에요: 남은 수 `r`, 다시 채워질 때까지의 초 `t`."),
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": _("정해진 만큼이에요: 수 `q`, 초 `w`."),
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {"required": True, "schema": {"type": "string"}},
    "Allow": {
        "description": _("이 주소가 받는 메서드예요."),
        "required": True,
        "schema": {"type": "string"},
    },
}
_CORRELATOR = {
    "name": "x-correlator",
    "in": "header",
    "description": _("기록을 서로 잇는 값이에요. 답에 그대로 돌아와요."),
    "schema": {"type": "string", "pattern": "^[a-zA-Z0-9_:;./<>{}-]{0,256}$"},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": _("이 요청의 이름이에요. 다시 보낼 때 같은 값을 쓰면 인증은 하나만 생겨요. 24시간 기억해요."),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": _("지난번 답의 ETag예요. 그대로면 304가 와요."),
    "schema": {"type": "string"},
}
_PAGES: tuple[dict[str, Any], ...] = (
    {
        "name": "limit",
        "in": "query",
        "description": _("한 쪽에 몇 개인지예요."),
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": _("앞 쪽의 `next_cursor`예요."),
        "schema": {"type": "string", "minLength": 1},
    },
)

_BY_REFERENCE = {
    "name": "reference",
    "in": "query",
    "description": _("이 이름의 인증만 찾아요."),
    "schema": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^\\u0000]*$"},
}
_BY_VERIFICATION = {
    "name": "verification",
    "in": "query",
    "description": _("이 인증의 것만 찾아요."),
    "schema": {"type": "string", "format": "uuid"},
}
_BY_STATE = {
    "name": "state",
    "in": "query",
    "description": _("이 상태의 것만 찾아요."),
    "schema": {"type": "string", "enum": list(WebhookDelivery.State.values)},
}

ASK: Example = {
    "reference": "order-1234",
    "purpose": "login",
    "identity": {"birthdate": "900505", "gender_digit": "1", "phone": "010-0000-0001"},
    "client_ip": "203.0.113.7",
}
CREATED: Example = {
    "id": EXAMPLE_ID, "reference": "order-1234", "purpose": "login", "state": "awaiting_code", "reason": None,
    "channel": "sms", "released": False, "match_number": None, "created_at": "2026-11-23T05:00:00Z",
    "expires_at": "2026-11-23T05:03:00Z", "code_expires_at": "2026-11-23T05:03:00Z", "tries_left": 5,
    "resends_left": 3, "result": None, "receipt": None, "livemode": False,
}  # fmt: skip
WINDOW: Example = {"window_url": "https://ansim.example/window/3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAA"}
VERIFIED: Example = CREATED | {
    "state": "verified",
    "result": {
        "name": "홍길동", "birthdate": "1990-05-05", "adult": True, "phone": "+821000000001",
        "verified_at": "2026-11-23T05:00:41Z", "channel": "sms",
        "risk": {
            "sim_changed_at": None, "device_changed_at": None, "number_changed_at": None, "protection_ended_at": None,
            "released": False,
        },
    },
    "receipt": "eyJ0eXAiOiJhbnNpbS1yZWNlaXB0K2p3dCJ9.eyJzdWIiOiIwYzFhNmMwZSJ9.c2lnbmF0dXJl",
}  # fmt: skip


DELIVERY: Example = {
    "id": "msg_0c1a6c0e8a534a3c9a0e5f3a1f6f6f1e", "type": "verification.verified", "verification": EXAMPLE_ID,
    "state": "owed", "attempts": 1, "created_at": "2026-11-23T05:00:41Z", "delivered_at": None,
    "next_attempt_at": "2026-11-23T05:00:46Z",
    "log": [{"at": "2026-11-23T05:00:41Z", "status": 500, "error": None, "ms": 31}],
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """An answer that is no problem. `schema` names one of `answers.schemas`, none for no body."""

    status: int
    text: Text
    schema: str = ""
    headers: tuple[str, ...] = ()
    example: Example | None = None


@dataclass(frozen=True)
class Operation:
    """One row. `takes` is the door's own form, `codes` are all problems it can answer beside `ANY`."""

    id: str
    summary: Text
    text: Text
    answers: tuple[Answer, ...]
    codes: tuple[str, ...]
    takes: type[Serializer] | None = None  # type: ignore[type-arg]
    example: Example | None = None
    parameters: tuple[dict[str, Any], ...] = ()
    tag: str = "verifications"

    @property
    def all_parameters(self) -> tuple[dict[str, Any], ...]:
        return (*self.parameters, _CORRELATOR)

    @property
    def rated(self) -> bool:
        return "too_many_requests" in self.codes

    @property
    def all_codes(self) -> tuple[str, ...]:
        return (*self.codes, *ANY)


# By the name of the address in the doors' `urlpatterns`, and the method.
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("partner-verifications", "POST"): Operation(
        id="createVerification",
        summary=_("인증 시작"),
        text=_(
            "누구인지 물어보기 시작해요. `identity`를 주면 바로 번호가 "
        "나가고, 주지 않으면 사람이 인증창에서 직접 입력해요. "
            "본인 정보가 맞지 않아도 201이고 상태가 `failed`예요. 답만 보고는 왜인지 알 수 없어요."
        ),
        takes=Ask,
        example=ASK,
        parameters=(_IDEMPOTENCY_KEY,),
        answers=(
            Answer(
                201,
                _("만들었어요. `window_url`은 이 답에만 있어요."),
                "StartedVerification",
                ("Idempotent-Replayed",),
                CREATED | WINDOW,
            ),
        ),
        codes=(
            *KEY, *BODY, "idempotency_key_missing", "reference_taken", "idempotency_in_flight", "idempotency_mismatch",
        ),
    ),
    ("partner-verifications", "GET"): Operation(
        id="listVerifications",
        summary=_("인증 목록"),
        text=_("새것부터 보여 줘요. 개인정보는 없어요: `result`와 `receipt`는 늘 null이에요."),
        parameters=(_BY_REFERENCE, *_PAGES),
        answers=(
            Answer(200, _("한 쪽이에요."), "VerificationList", example={"items": [CREATED], "next_cursor": None}),
        ),
        codes=KEY,
    ),
    ("partner-verification", "GET"): Operation(
        id="getVerification",
        summary=_("인증 하나"),
        text=_("지금 상태와, `verified`면 결과예요. 브라우저가 하는 말은 믿지 말고 여기서 확인하세요."),
        parameters=(_IF_NONE_MATCH,),
        answers=(
            Answer(200, _("지금 모습이에요."), "Verification", ("ETag",), VERIFIED),
            Answer(304, _("지난번과 같아요. 본문은 없어요."), headers=("ETag",)),
        ),
        codes=(*KEY, "not_found"),
    ),
    ("partner-confirm", "POST"): Operation(
        id="confirmVerification",
        summary=_("번호 확인"),
        text=_("사람이 입력한 6자리를 보내요. 인증창을 쓰면 창이 알아서 해요. "
        "6자리 숫자가 아니면 400이고 세지 않아요."),
        takes=Typed,
        example={"code": "123456"},
        answers=(Answer(200, _("번호가 맞았어요."), "Verification", example=VERIFIED),),
        codes=(*KEY, *BODY, "not_found", "closed", "wrong_state", "wrong_code"),
    ),
    ("partner-resend", "POST"): Operation(
        id="resendVerification",
        summary=_("다시 보내기"),
        text=_("문자는 같은 번호를, 앱은 알림을 다시 보내요. 본문은 없어요."),
        answers=(Answer(200, _("다시 보냈어요."), "Verification", example=CREATED | {"resends_left": 2}),),
        codes=(*KEY, *BODY, "not_found", "closed", "wrong_state", "resend_too_soon", "resends_used_up"),
    ),
    ("partner-cancel", "POST"): Operation(
        id="cancelVerification",
        summary=_("그만두기"),
        text=_("더 알 필요가 없을 때 끝내요. 본문은 없어요."),
        answers=(
            Answer(
                200,
                _("끝냈어요."),
                "Verification",
                example=CREATED | {"state": "cancelled", "reason": "cancelled_by_partner"},
            ),
        ),
        codes=(*KEY, *BODY, "not_found", "closed"),
    ),
    ("partner-webhook-deliveries", "GET"): Operation(
        id="listWebhookDeliveries",
        summary=_("웹훅 기록"),
        text=_("보낸 소식과 보낼 소식을 새것부터 보여 줘요. `log`는 최근 30일의 "
        "시도 가운데 새것 20개예요. 본문은 남기지 않아요."),
        parameters=(_BY_VERIFICATION, _BY_STATE, *_PAGES),
        answers=(Answer(200, _("한 쪽이에요."), "DeliveryList", example={"items": [DELIVERY], "next_cursor": None}),),
        codes=KEY,
        tag="webhooks",
    ),
    ("partner-webhook-replay", "POST"): Operation(
        id="replayWebhook",
        summary=_("웹훅 다시 받기"),
        text=_("같은 `webhook-id`로 처음부터 다시 보내요. 받을 주소가 없거나 꺼져 있으면 409예요. 본문은 없어요."),
        answers=(Answer(202, _("곧 보내요. `log`에 결과가 보여요."), "Delivery", example=DELIVERY),),
        codes=(*KEY, *BODY, "not_found", "wrong_state"),
        tag="webhooks",
    ),
    ("jwks", "GET"): Operation(
        id="getKeys",
        summary=_("공개 열쇠"),
        text=_("영수증의 서명을 확인하는 열쇠예요. 열쇠 없이 누구나 볼 수 "
        "있어요. 모르는 `kid`를 만나면 다시 받으세요."),
        answers=(Answer(200, _("공개 열쇠 모음(RFC 7517)이에요."), "KeySet"),),
        codes=(),
        tag="keys",
    ),
}  # fmt: skip
