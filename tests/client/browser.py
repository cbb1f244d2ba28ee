"""A browser without JavaScript: pages, forms, cookies and redirects as HTML and HTTP define them, nothing else."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


@dataclass
class Form:
    """Where it goes, what its fields hold, its buttons by value ("" for one without)."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What a person finds on a page."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer, self.status, self.url = answer, answer.status_code, str(answer.url)
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.refresh: str | None = None
        self.words: dict[str, str] = {"title": "", "h1": ""}
        self.text = ""
        self._in: list[str] = []
        self._form: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._elsewhere: list[tuple[str, str, str]] = []  # buttons of another form: its id, their value and name
        self._link = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("title", "h1", "script", "style", "a"):
            self._in.append(tag)
        if tag == "a":
            self._link = given.get("href", "")
        if tag == "form":
            self._form = Form(urljoin(self.url, given.get("action", "")))
            self._by_id[given.get("id", "")] = self._form
            self.forms.append(self._form)
        if tag == "meta" and given.get("http-equiv") == "refresh":
            self.refresh = urljoin(self.url, given["content"].split("url=", 1)[1])
        if tag == "input" and self._form and given.get("type") != "checkbox":
            self._form.fields[given.get("name", "")] = given.get("value", "")
        if tag == "button" and self._form and "form" not in given:
            self._form.buttons[given.get("value", "")] = given.get("name", "")
        if tag == "button" and "form" in given:
            self._elsewhere.append((given["form"], given.get("value", ""), given.get("name", "")))

    def handle_endtag(self, tag: str) -> None:
        if self._in and self._in[-1] == tag:
            self._in.pop()
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        within = self._in[-1] if self._in else ""
        if within in self.words:
            self.words[within] += data
        if within == "a":
            self.links[data.strip()] = urljoin(self.url, self._link)
        if within not in ("script", "style"):
            self.text += data

    @property
    def title(self) -> str:
        return self.words["title"].strip()

    @property
    def h1(self) -> str:
        return self.words["h1"].strip()

    def form(self, button: str) -> Form:
        """The form that has the button with that value."""
        for where, value, name in self._elsewhere:
            self._by_id[where].buttons[value] = name
        return next(form for form in self.forms if button in form.buttons)


class Browser:
    """One person's browser: it keeps cookies and the page it shows."""

    def __init__(self) -> None:
        self.http = httpx.Client(follow_redirects=True, timeout=15)
        self.page: Page

    def open(self, url: str) -> Page:
        self.page = Page(self.http.get(url))
        return self.page

    def reload(self) -> Page:
        return self.open(self.page.url)

    def press(self, button: str, **typed: str) -> Page:
        """Fills the form that has that button, and presses it."""
        form = self.page.form(button)
        name = form.buttons[button]
        data = {**form.fields, **typed, **({name: button} if name else {})}
        self.page = Page(self.http.post(form.action, data=data))
        return self.page

    def identify(self, person: dict[str, str], **differing: str) -> Page:
        """W1 with both consents ticked."""
        typed = {name: person[name] for name in ("birthdate", "gender_digit", "phone")}
        return self.press("identity", **{**typed, "consent_collect": "on", "consent_share": "on", **differing})
