"""`openapi.json`: OpenAPI 3.1 from the doors' own addresses and forms and the rows of `operations`."""

import re
from functools import cache
from threading import Lock
from typing import Any

from django.conf import settings
from django.urls import URLPattern, get_resolver
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import Serializer

from ansim.lib import problem
from verification.identity import CARRIERS
from verification.partner_docs import answers
from verification.partner_docs.operations import HEADERS, OPERATIONS, Answer, Operation
from verification.states import REASONS, State

Json = dict[str, Any]
# Which addresses are a partner's. What is added there and has no row in `operations` is caught by a test.
OURS = re.compile(r"^/(partner/v1/|\.well-known/)")
_generating = Lock()  # drf-spectacular keeps its statistics, and for a moment the view classes, in globals

# What the doors' forms check in code, and JSON Schema can say as well.
_DAYS = (
    "^[0-9]{2}(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)"
    "|02(?:0[1-9]|1[0-9]|2[0-9]))$"
)
_PHONE = r"^(?:\+82[- ]?|0)1(?:0[- ]?[0-9]{4}|[16789][- ]?[0-9]{3,4})[- ]?[0-9]{4}$"
_SOME_TEXT = {"minLength": 1, "pattern": "^[^\\u0000]*$"}
FIELDS: dict[str, dict[str, Json]] = {
    "Ask": {
        "reference": {
            **_SOME_TEXT,
            "description": _("이 요청에 사이트가 붙인 이름이에요(주문 번호 등). 한 번만 쓸 수 있어요."),
        },
        "purpose": {"description": _("무엇을 하려는지. 창과 앱이 사람에게 보여 줘요.")},
        "site": {"description": _("대행사만: 등록한 사이트 가운데 어느 곳인지예요.")},
        "identity": {"description": _("사람에게서 이미 받은 정보예요. 없으면 인증창이 물어봐요.")},
        "return_url": {
            "format": "uri",
            "pattern": "^https?://",
            "minLength": 1,
            "description": _("끝나면 돌아갈 주소예요. 등록한 출처(origin)여야 해요."),
        },
        "client_ip": {
            "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}],
            "description": _("사람의 IP 주소예요. 앱이 어디서 요청했는지 보여 주고, 추측을 막는 데 써요."),
        },
    },
    "Person": {
        "carrier": {"enum": list(CARRIERS), "description": _("주면 맞는지 확인해요.")},
        "name": {**_SOME_TEXT, "description": _("주면 맞는지 확인해요. 빈칸과 대소문자는 보지 않아요.")},
        "birthdate": {"pattern": _DAYS, "minLength": 6, "description": _("생년월일 6자리(YYMMDD)예요.")},
        "gender_digit": {
            "pattern": "^[0-9]$",
            "minLength": 1,
            "description": _("주민등록번호 뒤 첫째 자리예요."),
        },
        "phone": {
            "pattern": _PHONE,
            "minLength": 1,
            "description": _("휴대폰 번호예요. 하이픈, 빈칸, +82를 써도 돼요."),
        },
    },
    "SiteChoice": {"domain": {"minLength": 1, "description": _("등록한 도메인이에요.")}},
    "Typed": {"code": {"pattern": "^[0-9]{6}$", "minLength": 6, "description": _("숫자 6자리예요.")}},
}  # fmt: skip
PATHS: dict[str, Json] = {
    "verification_id": {"description": _("인증의 이름(`id`)이에요.")},
    "webhook_id": {
        "description": _("머리글의 `webhook-id`예요."),
        "schema": {"type": "string", "pattern": "^msg_[0-9a-f]{32}$"},
    },
}
NAMES = {"Ask": "VerificationRequest", "Person": "Identity", "SiteChoice": "Site", "Typed": "Code"}


class BearerKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself
    """How the partner's key is told in the document."""

    target_class = "verification.partner_auth.PartnerKey"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> Json:
        text = _(
            "`sk_test_…`는 가상 세계에만, `sk_live_…`는 실제 회선에 닿아요. 한 번만 보여 주고 우리는 해시만 남겨요."
        )
        return {"type": "http", "scheme": "bearer", "description": text}


class PartnerSchema(AutoSchema):
    """An operation as its row tells it; addresses, path parameters, request body and key come from the door."""

    row: Operation

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Json | None:
        row = OPERATIONS.get((_names().get(path, ""), method))
        if row is None or not OURS.match(path):
            return None
        self.row = row
        operation: Json = super().get_operation(path, path_regex, path_prefix, method, registry) or {}
        found = [one | PATHS[one["name"]] for one in operation.get("parameters", [])]
        operation["parameters"] = [*found, *row.all_parameters]
        operation["responses"] = _responses(row)
        if row.takes and row.example:
            operation["requestBody"]["content"]["application/json"]["examples"] = {row.id: {"value": row.example}}
        return operation

    def get_operation_id(self) -> str:
        return self.row.id

    def get_summary(self) -> str:
        return str(self.row.summary)

    def get_description(self) -> str:  # type: ignore[override] # as drf-spectacular has it
        return str(self.row.text)

    def get_tags(self) -> list[str]:
        return [self.row.tag]

    def get_request_serializer(self) -> Any:
        return self.row.takes

    def get_response_serializers(self) -> Any:
        return {}

    def get_serializer_name(self, serializer: Serializer[Any], direction: Any) -> str:
        return NAMES[type(serializer).__name__]

    def _postprocess_serializer_schema(self, schema: Json, serializer: Serializer[Any], direction: Any) -> Json:
        for name, more in FIELDS[type(serializer).__name__].items():
            found = schema["properties"][name]
            schema["properties"][name] = ({"allOf": [found]} if "$ref" in found else found) | more
        for found in schema["properties"].values():
            found.pop("x-spec-enum-id", None)
        schema.pop("description", None)  # a docstring for us, not for partners
        return schema | {"additionalProperties": False}


class PartnerGenerator(SchemaGenerator):  # type: ignore[misc] # drf-spectacular is not typed to strict's taste
    """Gives every view our schema class, whatever DEFAULT_SCHEMA_CLASS says."""

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        view = super().create_view(callback, method, request)  # type: ignore[no-untyped-call]
        self._set_schema_to_view(view, PartnerSchema())  # type: ignore[no-untyped-call]
        return view


@cache
def document(language: str) -> Json:
    """The whole document, its words in that language. The same for everybody until the code changes."""
    with _generating, translation.override(language):
        made: Json = PartnerGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
        made["info"] = {
            "title": str(_("안심 이용 사이트 API")),
            "version": "1",
            "description": str(_("휴대폰 본인확인을 시작하고 결과를 받아요. 읽기 좋은 문서: "))
            + f"{settings.BASE_URL}/partner/v1/docs",
        }
        made["servers"] = [{"url": settings.BASE_URL}]
        made["components"]["schemas"] |= answers.schemas()
        made["components"]["headers"] = HEADERS
        made["webhooks"] = {event: {"post": _webhook(event)} for event in answers.EVENTS}
        told = _plain(made)
        return dict(told)


@cache
def _names() -> dict[str, str]:
    """Address as OpenAPI writes it -> its name in the doors' tables."""
    return {path: name for path, name in _walk(get_resolver().url_patterns, "/") if OURS.match(path)}


def _walk(patterns: Any, prefix: str) -> Any:
    for pattern in patterns:
        address = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern)).replace("\\", "")
        if isinstance(pattern, URLPattern):
            yield address, pattern.name or ""
        else:
            yield from _walk(pattern.url_patterns, address)


def _responses(row: Operation) -> Json:
    rate = ("RateLimit", "RateLimit-Policy") if row.rated else ()
    told: Json = {str(answer.status): _answer(answer, rate) for answer in row.answers}
    by_status: dict[int, list[str]] = {}
    for code in row.all_codes:
        by_status.setdefault(problem.STATUS[code], []).append(code)
    return told | {str(status): _refusal(status, codes, rate) for status, codes in sorted(by_status.items())}


def _answer(answer: Answer, rate: tuple[str, ...]) -> Json:
    told: Json = {"description": answer.text, "headers": _headers("x-correlator", *answer.headers, *rate)}
    if answer.schema:
        content: Json = {"schema": answers.ref(answer.schema)}
        if answer.example:
            content["examples"] = {"example": {"value": answer.example}}
        told["content"] = {"application/json": content}
    return told


BEFORE_THE_RATE = (401, 405, 414)  # api.md's order of checks: nobody is counted yet
_WITH_HEADER = {401: "WWW-Authenticate", 405: "Allow", 409: "Retry-After", 429: "Retry-After", 503: "Retry-After"}
EXTRA: dict[str, Json] = {
    "invalid": {"errors": [{"field": "identity.phone", "code": "invalid", "message": "not a Korean mobile number"}]},
    "wrong_code": {"tries_left": 4},
    "closed": {"state": "failed", "reason": "too_many_wrong_codes"},
}


def _refusal(status: int, codes: list[str], rate: tuple[str, ...]) -> Json:
    known = status not in BEFORE_THE_RATE
    headers = ["x-correlator", *([_WITH_HEADER[status]] if status in _WITH_HEADER else []), *(rate if known else ())]
    narrowed = {"status": {"const": status}, "code": {"enum": codes}}
    return {
        "description": ", ".join(f"`{code}`" for code in codes),
        "headers": _headers(*headers),
        "content": {
            problem.MEDIA_TYPE: {
                "schema": {"allOf": [answers.ref("Problem")], "properties": narrowed},
                "examples": {code: {"value": problem.body(code, **EXTRA.get(code, {}))} for code in codes},
            }
        },
    }


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _webhook(event: str) -> Json:
    name = event.replace("verification.", "on_")
    headers = {
        "webhook-id": _("이 소식의 이름이에요. 다시 보내도 같아요."),
        "webhook-timestamp": _("보낸 때(초)예요. 5분 넘게 다르면 버리세요."),
        "webhook-signature": _("`v1,` 뒤에 HMAC-SHA256이에요. 비밀을 바꾸는 동안에는 빈칸으로 이어 둘이에요."),
    }
    state = event.partition(".")[2]
    reason = next(iter(REASONS.get(State(state), ())), None)
    data = {"id": answers.EXAMPLE_ID, "reference": "order-1234", "state": state, "reason": reason}
    return {
        "operationId": name,
        "summary": event,
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {"name": header, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for header, text in headers.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"allOf": [answers.ref("Event")], "properties": {"type": {"const": event}}},
                    "examples": {
                        event: {"value": {"type": event, "timestamp": "2026-11-23T05:00:41+00:00", "data": data}}
                    },
                }
            },
        },
        "responses": {
            "2XX": {"description": _("받았어요.")},
            "410": {"description": _("이 주소는 없어졌어요. 더 보내지 않아요.")},
            "default": {"description": _("받지 못했어요. 정해진 사다리대로 다시 보내요.")},
        },
    }


def _plain(value: Any) -> Any:
    """Words as text, in the language that is active now."""
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
