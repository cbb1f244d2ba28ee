"""Reading what came: strict JSON, and text that PostgreSQL can keep."""

import json
from typing import Any


class BadInput(ValueError):
    """The caller wrote nonsense; the words name the field. A 400 in the vendor's own shape."""


def parse_object(raw: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8. Refused (BadInput): anything else, duplicate names, lone surrogates, U+0000, NaN."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise BadInput(f"body: not JSON in UTF-8 ({error})") from error
    if not isinstance(value, dict):
        raise BadInput("body: not a JSON object")
    if "\\u0000" in text:
        raise BadInput("body: holds U+0000")
    return value


def storable(raw: bytes) -> str:
    """As text, however broken: PostgreSQL keeps no U+0000."""
    return raw.decode(errors="replace").replace("\x00", "\ufffd")


def shown(text: str) -> Any:
    """The JSON value a stored text holds, or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice")
    return value


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
