"""A real Chromium. pytest-playwright's fixtures with our program; the town is that of the tests over HTTP."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.chromium import playwright_launch
from tests.client.fixtures import bookshop, town

__all__ = ["bookshop", "town"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, **playwright_launch(), "args": ["--no-sandbox"]}


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "ko-KR", "viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def accessible():
    """accessible(page): axe finds nothing wrong, and nothing is wider than the screen."""

    def check(page):
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    return check
