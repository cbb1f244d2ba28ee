"""Takes the pictures of this folder from a running demo: `make run`, then `python docs/screens/make_screens.py`.

Walks both roads as a person would (app and text message) with one member and one line that nobody uses yet, so after
`make reset`. Needs a Chromium ($CHROMIUM, else the one on the PATH).
"""

import json
import os
import re
import shutil
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

HERE = Path(__file__).resolve().parent
RUN_DIR = Path(os.environ.get("RUN_DIR", HERE.parent.parent / ".run"))
PASSWORD = "259173"  # noqa: S105 - of a made-up person
WINDOW = {"width": 430, "height": 680}
WIDE = {"width": 1120, "height": 780}


def national(phone: str) -> str:
    return "0" + phone.removeprefix("+82")


def picture(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)  # let the font and the last answer come
    page.screenshot(path=HERE / f"{name}.png")


def registered_phone(context: BrowserContext, world: str, member: dict[str, str]) -> Page:
    phone = context.new_page()
    phone.set_viewport_size(WIDE)
    phone.goto(f"{world}/phone/{national(member['phone'])}")
    phone.click("[data-screen=lock] [data-go=app]")
    phone.click("[data-code]")
    picture(phone, "phone-register")
    phone.fill("#password", PASSWORD)
    phone.fill("#again", PASSWORD)
    phone.click("[data-screen=register] form .button")
    expect(phone.locator("[data-screen=waiting]")).to_be_visible()
    phone.click("[data-screen=waiting] [data-go=lock]")
    return phone


def asked(context: BrowserContext, world: str, person: dict[str, str], name: str) -> Page:
    """The window, after this person's identity was typed in."""
    page = context.new_page()
    page.set_viewport_size(WINDOW)
    page.goto(f"{world}/shop/")
    page.check("[value=same]")
    page.click("button.main")
    page.wait_for_selector("[name=birthdate]")
    picture(page, name)
    for field in ("birthdate", "gender_digit", "phone"):
        page.fill(f"[name={field}]", person[field])
    page.check("[name=consent_collect]")
    page.check("[name=consent_share]")
    page.click("[value=identity]")
    return page


def by_app(context: BrowserContext, world: str, member: dict[str, str]) -> None:
    phone = registered_phone(context, world, member)
    window = asked(context, world, member, "window-identity")
    expect(window.locator(".match__digits")).to_be_visible()
    picture(window, "window-app")
    phone.bring_to_front()
    phone.locator(".push--push button").first.click(timeout=9000)
    picture(phone, "phone-request")
    phone.click("[data-screen=request] [data-go=password]")
    phone.fill("#pad", PASSWORD)
    phone.click("[data-screen=password] form > .button")
    expect(phone.locator("[data-screen=number]")).to_be_visible()
    phone.wait_for_timeout(1500)  # the same envelope by data push
    picture(phone, "phone-number")
    number = phone.locator("[data-secret]").inner_text()
    window.bring_to_front()
    window.fill("[name=code]", number, timeout=9000)
    picture(window, "window-code")
    window.click("[value=code]")
    expect(window).to_have_url(re.compile("/shop/back"))
    window.set_viewport_size(WIDE)
    window.wait_for_timeout(2000)  # the webhook
    picture(window, "shop-result")


def by_text(context: BrowserContext, world: str, line: dict[str, str]) -> None:
    phone = context.new_page()
    phone.set_viewport_size(WIDE)
    phone.goto(f"{world}/phone/{national(line['phone'])}")
    window = asked(context, world, line, "window-identity")
    expect(window.locator("[name=code]")).to_be_visible()
    picture(window, "window-text")
    phone.bring_to_front()
    expect(phone.locator(".push--sms").first).to_be_visible(timeout=9000)
    picture(phone, "phone-text")


def main() -> None:
    demo = json.loads((RUN_DIR / "demo.json").read_text(encoding="utf-8"))
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(locale="ko-KR")
        start = context.new_page()
        start.set_viewport_size(WIDE)
        start.goto(demo["base_url"])
        picture(start, "start")
        start.goto(f"{demo['world_url']}/shop/")
        picture(start, "shop")
        by_app(context, demo["world_url"], demo["members"][-1])
        by_text(context, demo["world_url"], next(line for line in demo["lines"] if line["eligible"]))
        browser.close()


if __name__ == "__main__":
    main()
