"""What the partner API answers and what webhooks carry, as JSON Schema. Closed: nothing else is ever in there.

Held by `tests/doors/test_schemathesis.py`, which compares every answer of the running system with it.
"""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ansim.lib import problem
from verification import states
from verification.identity import CARRIERS
from verification.models import GRANTS, WebhookDelivery
from verification.partner_forms import PURPOSES

Schema = dict[str, Any]
Text = str | Promise
EXAMPLE_ID = "0c1a6c0e-8a53-4a3c-9a0e-5f3a1f6f6f1e"
ENDS = tuple(states.REASONS)
EVENTS = tuple(f"verification.{state}" for state in (states.State.AWAITING_CODE, states.State.VERIFIED, *ENDS))


def schemas() -> dict[str, Schema]:
    """The named schemas of everything we send, in the language that is active."""
    return {
        "Verification": _verification(first=False),
        "StartedVerification": _verification(first=True),
        "Result": _result(),
        "Erased": _closed({"erased": {"const": True}}, text=_("개인정보를 지운 뒤의 결과예요.")),
        "Risk": _risk(),
        "VerificationList": _list("Verification"),
        "Problem": _problem(),
        "FieldError": _field_error(),
        "Event": _event(),
        "Delivery": _delivery(),
        "DeliveryList": _list("Delivery"),
        "KeySet": _key_set(),
    }


def _closed(properties: dict[str, Schema], *, text: Text = "", optional: tuple[str, ...] = ()) -> Schema:
    shown: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    required = [name for name in properties if name not in optional]
    return shown | ({"required": required} if required else {}) | ({"description": str(text)} if text else {})


def _field(text: Text, kind: str | list[str] = "string", **more: Any) -> Schema:
    return {"type": kind, "description": str(text), **more}


def _or_null(text: Text, **more: Any) -> Schema:
    if "enum" in more:
        more["enum"] = [*more["enum"], None]
    return _field(text, ["string", "null"], **more)


def _moment(text: Text) -> Schema:
    return _field(text, format="date-time")


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _verification(*, first: bool) -> Schema:
    fields = {
        "id": _field(_("인증의 이름이에요. 뜻이 없는 글자예요."), minLength=1, maxLength=40, examples=[EXAMPLE_ID]),
        "reference": _field(_("사이트가 준 이름 그대로예요."), minLength=1, maxLength=64),
        "purpose": _field(_("무엇을 하려는지. 창과 앱이 사람에게 보여 줘요."), enum=list(PURPOSES)),
        "state": _field(_("지금 상태예요."), enum=[state.value for state in states.State]),
        "reason": _or_null(
            _("왜 끝났는지. 끝나지 않았거나 `verified`면 null이에요."),
            enum=[reason for reasons in states.REASONS.values() for reason in reasons],
        ),
        "channel": _or_null(
            _("번호가 가는 길이에요. 본인 정보가 맞기 전에는 null이에요."),
            enum=[channel.value for channel in states.Channel],
        ),
        "released": _field(
            _("보호 중인 사람이 앱에서 이 사이트를 잠시 풀어 두어 한 번 문자로 갔으면 true예요."), "boolean"
        ),
        "match_number": _or_null(
            _("앱과 맞춰 볼 두 자리예요. 직접 화면을 만들면 꼭 보여 주세요. 앱이 아니면 null이에요."),
            pattern="^[0-9]{2}$",
        ),
        "created_at": _moment(_("시작한 때예요.")),
        "expires_at": _moment(_("지금 상태가 저절로 끝나는 때예요.")),
        "code_expires_at": _or_null(_("번호가 끝나는 때예요. 번호가 나간 뒤에 있어요."), format="date-time"),
        "tries_left": _field(_("틀려도 되는 횟수예요."), "integer", minimum=0),
        "resends_left": _field(_("다시 보낼 수 있는 횟수예요."), "integer", minimum=0),
        "result": {
            "description": str(_("누구인지. `verified`일 때만, 10분 동안만 있어요. 목록에서는 늘 null이에요.")),
            "oneOf": [{"type": "null"}, ref("Result"), ref("Erased")],
        },
        "receipt": _or_null(
            _("서명한 영수증(JWS)이에요. 결과를 지운 뒤에도 남아요."),
            pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        ),
        "livemode": _field(_("`sk_live_` 열쇠로 만들었으면 true예요."), "boolean"),
    }
    if first:
        fields["window_url"] = _field(
            _("사람을 보낼 인증창 주소예요. 한 번 쓰는 비밀이 들어 있고 이 답에만 있어요."), format="uri"
        )
    return _closed(fields)


def _result() -> Schema:
    fields = {
        "name": _field(_("이름"), minLength=1),
        "birthdate": _field(_("생년월일"), format="date"),
        "adult": _field(_("오늘 만 19세 이상인지"), "boolean"),
        "gender": _field(_("성별"), enum=["M", "F"]),
        "foreigner": _field(_("외국인인지"), "boolean"),
        "phone": _field(_("휴대폰 번호(E.164)"), pattern=r"^\+82[0-9]{9,10}$"),
        "carrier": _field(_("통신사"), enum=list(CARRIERS)),
        "ci": _field(_("연계정보(CI)"), minLength=1),
        "di": _field(_("중복가입확인정보(DI). 사이트마다 달라요."), minLength=64, maxLength=64),
        "verified_at": _moment(_("번호가 맞은 때예요.")),
        "channel": _field(_("번호가 간 길이에요."), enum=[channel.value for channel in states.Channel]),
        "risk": ref("Risk"),
    }
    text = _("계약으로 받기로 한 항목만 있어요. `verified_at`, `channel`, `risk`는 늘 있어요.")
    return _closed(fields, text=text, optional=GRANTS)


def _risk() -> Schema:
    fields = {
        "sim_changed_at": _or_null(_("유심을 바꾼 때"), format="date-time"),
        "device_changed_at": _or_null(_("휴대폰을 바꾼 때"), format="date-time"),
        "number_changed_at": _or_null(_("번호를 바꾼 때"), format="date-time"),
        "protection_ended_at": _or_null(_("안심을 해지한 때"), format="date-time"),
        "released": _field(_("주인이 앱에서 일시 해제해 문자로 갔으면 true예요."), "boolean"),
    }
    return _closed(fields, text=_("결과를 얼마나 믿을지 정할 때 보세요. 최근이면 한 번 더 확인하는 것이 좋아요."))


def _list(of: str) -> Schema:
    return _closed(
        {
            "items": {"type": "array", "items": ref(of), "maxItems": 100},
            "next_cursor": _or_null(_("다음 쪽을 부를 때 `cursor`로 보내세요. 마지막 쪽이면 null이에요.")),
        }
    )


def _problem() -> Schema:
    fields: dict[str, Schema] = {
        "type": _field(_("이 오류를 풀어 쓴 문서의 주소예요."), format="uri"),
        "title": _field(_("상태 코드의 이름이에요.")),
        "status": _field(_("HTTP 상태 코드예요."), "integer"),
        "detail": _field(_("사람이 읽을 말이에요. 바뀔 수 있으니 프로그램은 `code`를 보세요.")),
        "code": _field(_("오류의 이름이에요. 바뀌지 않아요."), enum=list(problem.STATUS)),
        "errors": _field(_("고칠 곳들이에요. `invalid`에 있어요."), "array", items=ref("FieldError"), minItems=1),
        "tries_left": _field(_("남은 횟수예요. `wrong_code`에 있어요."), "integer", minimum=0),
        "state": _field(_("끝난 상태예요. `closed`에 있어요."), enum=["verified", *ENDS]),
        "reason": _or_null(_("끝난 까닭이에요. `closed`에 있어요.")),
    }
    return _closed(fields, text="RFC 9457", optional=("errors", "tries_left", "state", "reason"))


def _field_error() -> Schema:
    return _closed(
        {
            "field": _field(_("고칠 곳이에요. 점으로 이어요: `identity.phone`")),
            "code": _field(_("무엇이 문제인지: `required`, `unknown`, `duplicate`, `invalid` 등")),
            "message": _field(_("사람이 읽을 말이에요.")),
        }
    )


def _event() -> Schema:
    data = _closed(
        {
            "id": _field(_("인증의 이름이에요. 뜻이 없는 글자예요."), maxLength=40),
            "reference": _field(_("사이트가 준 이름 그대로예요.")),
            "state": _field(_("이때 된 상태예요."), enum=[event.partition(".")[2] for event in EVENTS]),
            "reason": _or_null(_("왜 끝났는지. 없으면 null이에요.")),
        }
    )
    return _closed(
        {
            "type": _field(_("일의 이름이에요."), enum=list(EVENTS)),
            "timestamp": _moment(_("일어난 때예요.")),
            "data": data,
        }
    )


def _delivery() -> Schema:
    attempt = _closed(
        {
            "at": _moment(_("시도한 때예요.")),
            "status": _field(_("받은 상태 코드예요. 답이 없었으면 null이에요."), ["integer", "null"]),
            "error": _or_null(_("답이 없었던 까닭이에요: `timeout`, `unreachable`, `tls` 등")),
            "ms": _field(_("걸린 시간(밀리초)이에요."), ["integer", "null"], minimum=0),
        }
    )
    fields = {
        "id": _field(_("머리글의 `webhook-id`예요."), pattern="^msg_[0-9a-f]{32}$"),
        "type": _field(_("일의 이름이에요."), enum=list(EVENTS)),
        "verification": _field(_("인증의 이름(`id`)이에요."), maxLength=40),
        "state": _field(
            _("`owed`: 보낼 것, `delivered`: 받음, `given_up`: 그만둠"), enum=list(WebhookDelivery.State.values)
        ),
        "attempts": _field(_("시도한 횟수예요."), "integer", minimum=0),
        "created_at": _moment(_("일어난 때예요.")),
        "delivered_at": _or_null(_("받은 때예요."), format="date-time"),
        "next_attempt_at": _or_null(_("다음에 시도할 때예요. 받았거나 그만뒀으면 null이에요."), format="date-time"),
        "log": _field(_("시도한 기록이에요. 새것부터예요."), "array", items=attempt, maxItems=20),
    }
    return _closed(fields)


def _key_set() -> Schema:
    key = _closed(
        {
            "kty": {"const": "EC"}, "crv": {"const": "P-256"}, "x": {"type": "string"}, "y": {"type": "string"},
            "kid": _field(_("서명의 머리에 적힌 열쇠 이름이에요.")), "use": {"const": "sig"}, "alg": {"const": "ES256"},
        }
    )  # fmt: skip
    return _closed({"keys": {"type": "array", "items": key, "minItems": 1}})
