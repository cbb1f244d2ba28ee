"""What every API door shares: what a text is, in which language it says no, and how its answers are written."""

import pytest
from django.utils import translation
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer

from ansim.lib.api import Body, Text
from ansim.lib.strict_json import Json


class Letter(Body):
    to = Text(max_length=5)


def refused(data):
    with pytest.raises(ValidationError) as raised:
        Letter().checked(data, {})
    return raised.value.detail


@pytest.mark.parametrize("spoken", ["ko", "en"])
@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        ({}, "required", "This field is required."),
        ({"to": ""}, "blank", "This field may not be blank."),
        ({"to": None}, "null", "This field may not be null."),
        ({"to": "minsu·"}, "max_length", "Ensure this field has no more than 5 characters."),
        ({"to": 7}, "invalid", "Not a valid string."),
        ({"to": "a\0"}, "null_characters_not_allowed", "Null characters are not allowed."),
        ({"to": "a\ud800"}, "surrogate_characters_not_allowed", "Surrogate characters are not allowed: U+D800."),
    ],
)
def test_programs_are_told_in_english_whatever_the_thread_spoke_before(spoken, data, code, words):
    with translation.override(spoken):
        (said,) = refused(data)["to"]
        assert translation.get_language() == spoken

    assert (said.code, str(said)) == (code, words)


def test_a_text_is_taken_as_it_was_sent():
    assert Letter().checked({"to": " 안심 "}, {}) == {"to": " 안심 "}


def test_what_stands_nowhere_in_the_form_is_refused():
    assert refused({"to": "mina", "cc": "x"})["cc"][0].code == "unknown"


@pytest.mark.parametrize(
    "said",
    [None, {}, {"이름": ["가", None, 1.5, True]}, {"lines": '\u2028\u2029\n\t"\\'}, {"a": {"b": []}}, []],
    ids=lambda said: ascii(said)[:30],
)
def test_an_answer_is_written_as_drf_writes_it(said):
    class Unescaped(JSONRenderer):
        ensure_ascii = False

    assert Json().render(said) == Unescaped().render(said)


@pytest.mark.parametrize("said", [float("nan"), float("inf")])
def test_no_answer_holds_what_json_has_not(said):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Json().render({"said": said})
