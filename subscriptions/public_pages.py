"""What the public pages are made of: texts in the language of the page, Markdown, the search, caching."""

import unicodedata
from collections.abc import Callable, Iterable
from difflib import ndiff
from functools import lru_cache, wraps
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control, set_response_etag
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from markdown_it import MarkdownIt

from subscriptions.models import Announcement, ConsentDocument, Question

HELP = "1566-4380"
LONGEST_SEARCH = 100  # letters; the rest of what was typed is not looked at
_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")  # a picture may stand on somebody else's server


def language() -> str:
    return "en" if get_language() == "en" else "ko"


def text(row: models.Model, name: str) -> Any:
    """The column `<name>_ko` or `<name>_en`, as the page speaks."""
    return getattr(row, f"{name}_{language()}")


@lru_cache(maxsize=500)
def html(markdown: str) -> SafeString:
    """Markdown as HTML, our phone number a press away. Tags are shown as they were typed, and no link runs a script."""
    rendered: str = _markdown.render(markdown)
    return mark_safe(rendered.replace(HELP, f'<a href="tel:{HELP.replace("-", "")}">{HELP}</a>'))  # noqa: S308 - html is off in the parser


def announcements() -> QuerySet[Announcement]:
    """The notices whose time has come, newest first."""
    return Announcement.objects.filter(published_at__lte=timezone.now()).order_by("-published_at")


def revalidated(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A browser may keep the page and asks each time whether it is still so (304).

    Not simply kept for a while: each look leaves the page's language with the browser, for the window (languages.py).
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_cache=True)
        if response.status_code == 200:
            set_response_etag(response)
        answer = get_conditional_response(request, etag=response.get("ETag"), response=response)
        return answer if isinstance(answer, HttpResponse) else response

    return wrapped


def wanted(request: HttpRequest) -> str:
    """What is searched for: one line without control characters, cut to LONGEST_SEARCH."""
    typed = unicodedata.normalize("NFC", request.GET.get("q", "")[:LONGEST_SEARCH])
    return " ".join(
        "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in typed).split()
    )


def found(questions: Iterable[Question], words: str) -> list[Question]:
    """The questions that hold every word, in themselves or in their answers."""
    sought = words.casefold().split()
    return [one for one in questions if all(word in _searched(one) for word in sought)]


def _searched(question: Question) -> str:
    said = f"{text(question, 'question')}\n{text(question, 'answer')}"
    return unicodedata.normalize("NFC", said).casefold()


def changes(old: ConsentDocument, new: ConsentDocument) -> list[tuple[str, str]]:
    """("added" | "removed", paragraph) for each paragraph in which two versions differ, in their order."""
    before, after = (text(one, "body").split("\n\n") for one in (old, new))
    marks = {"+ ": "added", "- ": "removed"}
    return [(marks[line[:2]], line[2:]) for line in ndiff(before, after) if line[:2] in marks]
