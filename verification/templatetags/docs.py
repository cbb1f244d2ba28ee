"""What the documentation's templates need: `code` in running text, JSON to read."""

import json
import re
from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_CODE = re.compile(r"`([^`<>]+)`")


@register.filter
def coded(text: Any) -> SafeString:
    """Text with `backticks` as <code>. What was not escaped before is escaped."""
    escaped = conditional_escape(text)
    return mark_safe(_CODE.sub(r"<code>\1</code>", escaped))  # noqa: S308


@register.filter
def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
