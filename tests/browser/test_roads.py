"""A person at a shop: the window, the virtual phone and the result, in a real browser. Each screen passes axe."""

import re

import pytest
from playwright.sync_api import expect

PASSWORD = "259173"


@pytest.fixture
def errors():
    """What the browser complained about (a refused call is no complaint)."""
    said = []
    yield said
    assert [text for text in said if "Failed to load resource" not in text] == []


@pytest.fixture
def person(town):
    """A member whose app is not registered yet."""
    return town.manage("demo", "member")


@pytest.fixture
def open_page(context, errors):
    def opened(address):
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    return opened


def national(person):
    return "0" + person["phone"].removeprefix("+82")


def registered(open_page, world_url, person, platform="android"):
    phone = open_page(f"{world_url}/phone/{national(person)}?platform={platform}")
    phone.click("[data-screen=lock] [data-go=app]")
    register(phone, person["activation_code"])
    expect(phone.locator("[data-screen=waiting]")).to_be_visible()
    phone.click("[data-screen=waiting] [data-go=lock]")
    return phone


def register(phone, code):
    phone.fill("#code", code[:5].lower() + "-" + code[5:])
    phone.fill("#password", PASSWORD)
    phone.fill("#again", PASSWORD)
    phone.click("[data-screen=register] form .button")


def identify(window, person):
    for name in ("birthdate", "gender_digit", "phone"):
        window.fill(f"[name={name}]", person[name])
    window.check("[name=consent_collect]")
    window.check("[name=consent_share]")
    window.click("[value=identity]")


def ask_in_popup(shop):
    with shop.expect_popup() as popup:
        shop.click("button.main")
    popup.value.wait_for_selector("[name=birthdate]")
    return popup.value


def ask_in_this_tab(shop):
    shop.check("[value=same]")
    shop.click("button.main")
    shop.wait_for_selector("[name=birthdate]")
    return shop


def unlock(phone):
    phone.click("[data-screen=request] [data-go=password]")
    for digit in PASSWORD:
        phone.click(f'[data-pad="{digit}"]')
    phone.click("[data-screen=password] form > .button")
    expect(phone.locator("[data-screen=number]")).to_be_visible()
    return phone.locator("[data-secret]").inner_text()


@pytest.mark.parametrize(("platform", "ask"), [("android", ask_in_popup), ("ios", ask_in_this_tab)])
def test_a_protected_line_is_verified_by_the_app(open_page, world_url, person, accessible, platform, ask):
    phone = registered(open_page, world_url, person, platform)
    shop = open_page(f"{world_url}/shop/")
    accessible(shop)
    window = ask(shop)
    window.click("[value=identity]")
    expect(window.locator(".errors")).to_be_focused()
    accessible(window)
    identify(window, person)
    match = window.locator(".match__digits").inner_text()
    accessible(window)

    phone.bring_to_front()
    phone.locator(".push--push button").first.click()
    expect(phone.locator("[data-screen=request] .match__digits")).to_have_text(match)
    accessible(phone)
    number = unlock(phone)
    expect(phone.locator('[data-slot="provider"]')).to_have_text("apns" if platform == "ios" else "fcm")
    assert number not in phone.locator('[data-slot="delivery"]').inner_text()
    accessible(phone)

    window.bring_to_front()
    window.fill("[name=code]", f"{number[:3]} {number[3:]}")
    accessible(window)
    window.click("[value=code]")
    expect(shop).to_have_url(re.compile("/shop/back"))
    expect(shop.locator("table")).to_contain_text(person["name"])
    expect(shop.locator("[data-webhooks]")).to_contain_text("verification.verified")
    accessible(shop)


def test_not_me_ends_it_in_the_window_by_itself(open_page, world_url, person, accessible):
    phone = registered(open_page, world_url, person)
    window = ask_in_this_tab(open_page(f"{world_url}/shop/"))
    identify(window, person)
    phone.bring_to_front()
    phone.locator(".push--push button").first.click()
    phone.click("[data-screen=request] [data-deny=not_me]")
    expect(phone.locator("[data-screen=refused]")).to_be_visible()
    accessible(phone)
    window.bring_to_front()
    expect(window.locator("h1")).to_have_text("휴대폰에서 거부했어요")
    expect(window.locator("h1")).to_be_focused()


def test_the_push_brings_the_number_when_the_answer_is_lost(open_page, world_url, person):
    phone = registered(open_page, world_url, person)
    identify(ask_in_this_tab(open_page(f"{world_url}/shop/")), person)
    phone.bring_to_front()
    phone.locator(".push--push button").first.click()

    def lose(route):
        route.fetch()
        route.abort()

    phone.route("**/unlock", lose)
    assert re.fullmatch(r"\d{6}", unlock(phone))


def test_a_changed_envelope_is_not_opened(open_page, world_url, person):
    phone = registered(open_page, world_url, person)
    identify(ask_in_this_tab(open_page(f"{world_url}/shop/")), person)
    phone.bring_to_front()
    phone.locator(".push--push button").first.click()

    def change(route):
        envelope = route.fetch().json()["envelope"]
        other = "A" if envelope[-9] != "A" else "B"
        route.fulfill(json={"envelope": envelope[:-9] + other + envelope[-8:]})

    phone.route("**/unlock", change)
    phone.click("[data-screen=request] [data-go=password]")
    phone.fill("#pad", PASSWORD)
    phone.click("[data-screen=password] form > .button")
    expect(phone.locator("[data-notice]")).to_have_text("믿을 수 없는 알림이라 열지 않았어요.")


def test_a_wrong_clock_is_set_by_the_servers_date(open_page, world_url, person, context):
    context.add_init_script("const real = Date.now; Date.now = () => real() + 600_000")
    registered(open_page, world_url, person)


def test_who_registered_elsewhere_is_told_here(open_page, world_url, person, town):
    old = registered(open_page, world_url, person)
    again = town.manage("demo", "member", "--phone", person["phone"])
    registered(open_page, world_url, again, "ios")
    old.bring_to_front()
    old.click("[data-screen=lock] [data-go=app]")
    expect(old.locator("[data-screen=register]")).to_be_visible()
    expect(old.locator("[data-notice]")).to_contain_text("등록이 풀렸어요")


def test_settings_history_password_and_removal(open_page, world_url, person, accessible):
    phone = registered(open_page, world_url, person)
    phone.click("[data-screen=lock] [data-go=app]")
    phone.click("[data-screen=waiting] [data-go=settings]")
    accessible(phone)
    phone.click("[data-renew]")
    expect(phone.locator("[data-notice]")).to_be_focused()
    phone.click("[data-screen=settings] [data-go=history]")
    expect(phone.locator('[data-empty="history"]')).to_be_visible()
    accessible(phone)
    phone.click("[data-screen=history] [data-go=settings]")
    phone.click("[data-screen=settings] [data-go=change]")
    for name, value in (("current", PASSWORD), ("new", "583914"), ("new_again", "583914")):
        phone.fill(f"#{name}", value)
    phone.click("[data-screen=change] form .button")
    phone.click("[data-screen=settings] [data-go=remove]")
    phone.fill("#remove_password", "583914")
    phone.click("[data-screen=remove] form .button")
    expect(phone.locator("[data-screen=register]")).to_be_visible()
    accessible(phone)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_first_pages_fit_every_screen(page, world_url, site_url, accessible, scheme, width, language):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 640})
    for address in (f"{world_url}/shop/", f"{world_url}/phone/", f"{world_url}/phone/01030010001", f"{site_url}/demo"):
        page.goto(f"{address}?lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        accessible(page)
