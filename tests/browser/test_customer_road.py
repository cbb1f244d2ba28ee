"""A customer's whole road in a browser: the site, the virtual phone, the shop; both languages and sizes."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_joining import KINDS, SIZES
from tests.browser.test_roads import ask_in_this_tab, errors, identify, national, open_page, register, unlock

__all__ = ["errors", "open_page"]


@pytest.fixture
def road(town, open_page, world_url, accessible):
    return lambda prefix, size: Customer(town, open_page, world_url, accessible, prefix, size)


class Customer:
    """Somebody who never joined, with the site and the phone open beside each other."""

    def __init__(self, town, open_page, world_url, look, prefix, size):
        self.base, self.world_url, self.look = f"{town.base_url}{prefix}", world_url, look
        self.person = town.world.person()
        self.open = lambda address: _sized(open_page(address), SIZES[size])
        self.phone = self.open(f"{world_url}/phone/{national(self.person)}?lang={'en' if prefix else 'ko'}")
        self.site = self.open(f"{self.base}/")

    def joins(self, *, texts):
        self.site.goto(f"{self.base}/")
        self.site.click("header a.button")
        self.site.click("main .buttons a.button")
        for kind in KINDS:
            self.site.check(f"[name={kind}]")
        self.site.click("form.agree button")
        identify(self.site, self.person)
        self.site.wait_for_selector("[name=code]")
        self.types(self.number_by_text(texts))
        self.site.wait_for_url("**/join/confirm")
        expect(self.site.locator("main form button")).to_contain_text("1,100")
        self.site.click("main form button")
        self.site.wait_for_url("**/join/app")

    def number_by_text(self, texts):
        self.on("lock")
        came = self.phone.locator(".push--sms")
        expect(came).to_have_count(texts, timeout=15_000)
        return re.search(r"번호 (\d{6})", came.first.inner_text())[1]

    def types(self, number):
        self.site.bring_to_front()
        self.site.fill("[name=code]", number)
        self.site.click("[value=code]")

    def on(self, screen):
        """The phone as it is when somebody takes it up: reloaded, at its lock screen."""
        self.phone.bring_to_front()
        self.phone.reload()
        expect(self.phone.locator(f"[data-screen={screen}]")).to_be_visible()

    def registers(self):
        code = "".join(self.site.locator(".activation__digits span").all_inner_texts())
        self.on("lock")
        self.phone.click("[data-screen=lock] [data-go=app]")
        register(self.phone, code)
        expect(self.phone.locator("[data-screen=waiting]")).to_be_visible()
        self.site.bring_to_front()
        expect(self.site.locator(".done h1")).to_be_visible(timeout=15_000)
        self.look(self.site)

    def number_by_app(self, window):
        match = window.locator(".match__digits").inner_text()
        self.on("lock")
        expect(self.phone.locator(".push--push").first).to_be_visible(timeout=15_000)
        self.phone.locator(".push--push button").first.click()
        expect(self.phone.locator("[data-screen=request] .match__digits")).to_have_text(match)
        return unlock(self.phone)

    def is_verified_at_the_shop(self):
        shop = self.open(f"{self.world_url}/shop/")
        window = ask_in_this_tab(shop)
        identify(window, self.person)
        number = self.number_by_app(window)
        window.bring_to_front()
        window.fill("[name=code]", number)
        window.click("[value=code]")
        expect(shop).to_have_url(re.compile("/shop/back"))
        expect(shop.locator("table")).to_contain_text(self.person["name"])

    def signs_in(self):
        self.site.goto(f"{self.base}/my")
        self.site.click("main form button")
        identify(self.site, self.person)
        self.types(self.number_by_app(self.site))
        expect(self.site).to_have_url(re.compile("/my$"))
        expect(self.site.locator("main")).to_contain_text(re.compile("책방"))
        self.look(self.site)

    def leaves(self):
        self.site.goto(f"{self.base}/cancel")
        self.site.click("main form button")
        identify(self.site, self.person)
        self.types(self.number_by_app(self.site))
        self.site.wait_for_url("**/cancel/confirm")
        self.site.click("main form button")
        self.site.wait_for_url("**/cancel/done")
        self.look(self.site)


def _sized(page, size):
    page.set_viewport_size(size)
    return page


@pytest.mark.parametrize(("prefix", "size"), [("", "phone"), ("/en", "desk")])
def test_join_be_verified_look_leave_and_join_again(road, prefix, size):
    mina = road(prefix, size)
    mina.joins(texts=1)
    mina.registers()
    mina.is_verified_at_the_shop()
    mina.signs_in()
    mina.leaves()
    mina.joins(texts=2)  # her fifth request within ten minutes, and so the last for now
    mina.registers()
