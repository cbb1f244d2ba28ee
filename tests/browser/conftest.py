"""A real Chromium. pytest-playwright's fixtures with our program; the town is that of the tests over HTTP."""

from urllib.parse import urlsplit

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.chromium import playwright_launch
from tests.client.fixtures import bookshop, town
from tests.client.town import Town

__all__ = ["bookshop", "town"]
PHONE_SIZED = {"width": 430, "height": 640}  # as the popup; the shop then opens the window in the same tab


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, **playwright_launch(), "args": ["--no-sandbox"]}


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "ko-KR", "viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def accessible():
    """accessible(page): axe finds nothing wrong, nothing is wider than the screen, and it came as valid HTML."""

    def check(page):
        came = page.evaluate("fetch(location.href).then((answer) => answer.text())")
        parser = html5lib.HTMLParser()
        parser.parse(came)
        assert [(place, what) for place, what, _ in parser.errors] == []
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    return check


@pytest.fixture
def watched(context, town: Town):
    """watched(page): from now on its complaints and its requests are noted, and must be none that should not be."""
    complaints, hosts = [], set()
    ours = {urlsplit(url).netloc for url in (town.base_url, str(town.world.http.base_url))}

    def complain(message):
        # A refusal that the page itself shows (403, 503) is also in the console.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def watch(page):
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        return page

    context.on("page", watch)
    yield context
    assert complaints == []
    assert hosts - {""} <= ours, "no page may ask anybody else"


@pytest.fixture
def new_page(watched):
    """new_page(url): a watched tab of the popup's size."""

    def opened(url):
        page = watched.new_page()
        page.set_viewport_size(PHONE_SIZED)
        page.goto(url)
        return page

    return opened


@pytest.fixture
def window(new_page, bookshop):
    """window(shop=…): a tab with the window of a new verification, which is `.asked`."""

    def opened(shop=bookshop, **body):
        asked = shop.create(**body).json()
        page = new_page(asked["window_url"])
        page.asked = asked
        return page

    return opened
