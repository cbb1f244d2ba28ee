"""The OpenAPI document as the guide's pages need it: operations and schemas as flat tables."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext as _

from verification.partner_docs.document import Json, document

EVERYWHERE = ("x-correlator", "RateLimit", "RateLimit-Policy")  # told once, for all operations
SHOWN = ("StartedVerification", "Result", "Risk", "Problem", "FieldError", "Event", "Delivery")


def operations(language: str) -> Iterator[Json]:
    """Every operation with its parameters, fields, answers and error codes."""
    told = document(language)
    for address, methods in told["paths"].items():
        for method in ("post", "get"):
            if operation := methods.get(method):
                yield {
                    "id": operation["operationId"],
                    "method": method.upper(),
                    "address": address,
                    "summary": operation["summary"],
                    "text": operation["description"],
                    "parameters": [_parameter(one) for one in operation["parameters"] if one["name"] not in EVERYWHERE],
                    "fields": list(_request_fields(operation, told)),
                    "example": _request_example(operation),
                    "answers": [_answer(status, one) for status, one in operation["responses"].items() if status < "4"],
                    "codes": [
                        (status, code)
                        for status, one in operation["responses"].items()
                        if status >= "4"
                        for code in next(iter(one["content"].values()))["schema"]["properties"]["code"]["enum"]
                    ],
                }


def schemas(language: str) -> Iterator[Json]:
    told = document(language)
    for name in SHOWN:
        schema = told["components"]["schemas"][name]
        yield {"name": name, "text": schema.get("description", ""), "fields": list(_fields(schema, told))}


def _parameter(parameter: Json) -> Json:
    where = {"header": _("헤더"), "query": _("질의"), "path": _("경로")}[parameter["in"]]
    return {
        "name": parameter["name"],
        "where": where,
        "kind": _kind(parameter["schema"]),
        "required": parameter.get("required", False),
        "text": parameter.get("description", ""),
    }


def _request_fields(operation: Json, told: Json) -> Iterator[Json]:
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        yield from _fields(_resolved(schema, told), told, nested=True)


def _request_example(operation: Json) -> Any:
    content = operation.get("requestBody", {"content": {"application/json": {}}})["content"]["application/json"]
    return next((one["value"] for one in content.get("examples", {}).values()), None)


def _answer(status: str, answer: Json) -> Json:
    content = answer.get("content", {}).get("application/json", {})
    schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    example = next((one["value"] for one in content.get("examples", {}).values()), None)
    return {
        "status": f"{status} {HTTPStatus(int(status)).phrase}",
        "text": answer["description"],
        "schema": schema if schema in SHOWN else "",
        "headers": [header for header in answer["headers"] if header not in EVERYWHERE],
        "example": example,
    }


def _fields(schema: Json, told: Json, *, nested: bool = False, prefix: str = "") -> Iterator[Json]:
    for name, field in schema["properties"].items():
        inner = _resolved(field, told)
        yield {
            "name": prefix + name,
            "kind": _kind(field),
            "required": name in schema.get("required", ()),
            "text": field.get("description", ""),
            "choices": [choice for choice in field.get("enum", ()) if choice is not None],
            "schemas": [name for name in _named(field) if name in SHOWN],
        }
        if nested and "properties" in inner:
            yield from _fields(inner, told, nested=True, prefix=f"{prefix}{name}.")
        elif field.get("type") == "object":
            yield from _fields(field, told, prefix=f"{prefix}{name}.")
        elif "properties" in field.get("items", {}):
            yield from _fields(field["items"], told, prefix=f"{prefix}{name}[].")


def _resolved(schema: Json, told: Json) -> Json:
    name = next(iter(_named(schema)), "")
    return dict(told["components"]["schemas"][name]) if name else schema


def _named(schema: Json) -> list[str]:
    """The schemas that this one points to."""
    parts = [schema, schema.get("items", {}), *schema.get("allOf", ()), *schema.get("oneOf", ())]
    return [part["$ref"].rpartition("/")[2] for part in parts if "$ref" in part]


def _kind(schema: Json) -> str:
    """`string`, `integer 1–100`, `string ≤ 64`, …: what it is, in a programmer's words."""
    if _named(schema):
        return "array" if schema.get("type") == "array" else "object"
    kinds = schema.get("type", "string")
    kind = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "const" in schema:
        return str(schema["const"]).lower()
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} {schema['minimum']}–{schema['maximum']}"
    return f"{kind} ≤ {schema['maxLength']}" if "maxLength" in schema else kind
