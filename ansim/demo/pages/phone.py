"""The virtual phone: `/phone/` lists everybody's, `/phone/<number>` is one. The app itself is static/js/phone/."""

from aiohttp import web
from django.utils.translation import gettext, override

from ansim.demo.pages.cast import Person, demo
from ansim.demo.pages.phone_words import words
from ansim.demo.pages.rendering import language, page
from ansim.lib.phone import national, parse
from ansim.templatetags.korean import hyphenated

# Phones that may join (seed: Android 2.3 or iOS 6.0 and later).
HANDSETS = {
    "android": {"model": "SM-S921N", "os_version": "16", "app_version": "1.0.0"},
    "ios": {"model": "iPhone17,1", "os_version": "26.1", "app_version": "1.0.0"},
}
LABELS = {"android": "Android", "ios": "iPhone"}


async def phones(request: web.Request) -> web.Response:
    """Everybody in the demo, with the way to their phone."""
    cast = demo()
    taken = {person["phone"] for person in cast["members"]}
    lines = [line for line in cast["lines"] if line["phone"] not in taken]
    return page(request, "demo/phones.html", {"members": cast["members"], "lines": lines})


def _owner(number: str) -> Person | None:
    cast = demo()
    everybody = [*cast["members"], *cast["lines"]]
    return next((person for person in everybody if person["phone"] == number), None)


async def phone(request: web.Request) -> web.Response:
    """One phone, also of a number the demo does not know. 404 for what is no Korean mobile number.

    `?platform=ios` makes it an iPhone: pushes then go by APNs. Its keys never leave the browser.
    """
    try:
        number = parse(request.match_info["number"])
    except ValueError as error:
        raise web.HTTPNotFound(text="No Korean mobile number.") from error
    platform = request.query.get("platform", "android")
    if platform not in HANDSETS:
        raise web.HTTPBadRequest(text="platform is android or ios.")
    other = next(name for name in HANDSETS if name != platform)
    owner = _owner(number)
    address = f"/phone/{national(number)}"
    with override(language(request)):
        title = gettext("%(phone)s 휴대폰") % {"phone": hyphenated(number)}
        context = {
            "settings": {
                "phone": number,
                "platform": platform,
                "handset": HANDSETS[platform],
                "activation_code": owner.get("activation_code") if owner else None,
                "title": title,
            },
            "words": words(),
            "phone": hyphenated(number),
            "person": owner,
            "platform": LABELS[platform],
            "phones_url": "/phone/",
            "other_platform": {"url": f"{address}?platform={other}", "label": LABELS[other]},
        }
    return page(request, "demo/phone.html", context)


ROUTES = [
    web.get("/phone/", phones),
    web.get("/phone", phones),
    web.get("/phone/{number}", phone),
]
