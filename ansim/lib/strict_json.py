"""JSON as api.md wants it, in and out, whatever `Accept` says."""

import json
import re
from collections.abc import Iterator
from typing import Any

from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")  # U+0000, or half of a pair; unescaped JSON itself refuses them


class Json(JSONRenderer):
    """As DRF writes it, by a writer that is made once: `Accept` has no say in its form here."""

    charset = None
    _written = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        return self._written(data).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


class OnlyJson(BaseContentNegotiation):
    """We answer JSON whatever `Accept` says."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        return next((parser for parser in parsers if parser.media_type == media_type_of(request)), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class StrictJson(BaseParser):
    """A JSON object in UTF-8. Duplicate names, broken text and U+0000 are refused with their field."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        text, suspicious = _text(stream.read())
        twice: list[str] = []

        def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
            names = [name for name, _ in found]
            twice.extend(name for name in set(names) if names.count(name) > 1)
            return dict(found)

        try:
            parsed = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError from error
        if not isinstance(parsed, dict):
            raise exceptions.ParseError
        errors = {_shown(name): [exceptions.ErrorDetail("stands twice", "duplicate")] for name in twice}
        if suspicious:
            broken = exceptions.ErrorDetail("holds U+0000 or broken text", "invalid")
            errors |= {path: [broken] for path in _broken(parsed)}
        if errors:
            raise exceptions.ValidationError(errors)
        return parsed


def _text(raw: bytes) -> tuple[str, bool]:
    """The body's text, and whether there may be something in it that `_broken` looks for: most have nothing."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape"), True
    return text, bool(ESCAPED.search(text))


def _no_constant(name: str) -> None:
    raise ValueError(name)


def media_type_of(request: Request) -> str:
    return str(request.content_type or "").partition(";")[0].strip().lower()


def _sound(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode().replace("\0", "?")[:64]


def _broken(value: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of the texts (and names) that hold what PostgreSQL, logs and other programs cannot hold."""
    if isinstance(value, str):
        if not _sound(value):
            yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            inner_path = f"{path}.{_shown(name)}".lstrip(".")
            if not _sound(name):
                yield inner_path
            yield from _broken(inner, inner_path)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _broken(inner, f"{path}.{place}".lstrip("."))
