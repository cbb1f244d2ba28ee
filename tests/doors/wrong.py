"""Wrong values for a field, by what it should be. Each with a name for the test's id."""

from typing import Any


class Missing:
    """What a field is replaced with to leave it out."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()

NO_TEXT: dict[str, Any] = {
    "missing": MISSING,
    "null": None,
    "a number": 1,
    "a fraction": 1.5,
    "a huge number": 10**400,
    "true": True,
    "a list": ["x"],
    "an object": {"a": "x"},
    "empty": "",
    "U+0000": "a\0b",
    "a lone surrogate": "a\ud800b",
}
NO_OBJECT: dict[str, Any] = {
    "null": None,
    "a number": 1,
    "true": True,
    "a text": "x",
    "a list": [{}],
    "an empty object": {},
    "an unknown property": {"unheard_of": 1},
}


def replaced(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy in which the dotted `path` holds `value`, or is gone."""
    name, _, rest = path.partition(".")
    if rest:
        return body | {name: replaced(body[name], rest, value)}
    copy = body | {name: value}
    if value is MISSING:
        del copy[name]
    return copy


def cases(fields: dict[str, dict[str, Any]]) -> list[Any]:
    """Parameters (path, value) for every wrong value of every field, with readable ids."""
    import pytest

    return [
        pytest.param(path, value, id=f"{path} {name}")
        for path, wrong in fields.items()
        for name, value in wrong.items()
    ]
