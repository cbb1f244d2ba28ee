"""Does joining slow verification down? `.venv/bin/python -m bench.waiting_room [RUN_DIR]` against a running copy.

Measured is what a partner waits for when it begins a verification and cancels it: first alone, then while a hundred
joiners press the page that asks the carrier, which answers slowly. Prints both and their ratio as JSON.
"""

import itertools
import json
import random
import statistics
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.client.browser import Browser
from tests.client.partner import PartnerClient
from tests.client.world import World, until

JOINERS = 100
PACE = 10  # seconds
PROVED = 5
ROUNDS = 60


def proved(handles: dict[str, Any], world: World) -> Browser:
    """Somebody who read the consents and was verified by SMS: the next page asks the carrier."""
    person, browser = world.person(), Browser()
    browser.open(f"{handles['base_url']}/join/consents")
    browser.press("", terms="on", collect="on", share="on")
    browser.identify(person)
    text = until(lambda: world.http.get("/world/sms", params={"to": person["phone"]}).json())[0]["text"]
    code = next(word for word in text.split() if word.isdigit() and len(word) == 6)
    browser.press("code", code=code)
    browser.open(f"{handles['base_url']}/join/confirm")
    browser.page.answer.raise_for_status()
    return browser


def waits(partner: PartnerClient) -> list[float]:
    """Seconds of each of ROUNDS verifications."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        begun = partner.create()
        begun.raise_for_status()
        partner.cancel(begun.json()["id"]).raise_for_status()
        taken.append(time.perf_counter() - began)
    return taken


def push(page: str, browsers: list[Browser], over: threading.Event) -> tuple[list[threading.Thread], Counter[str]]:
    """A hundred who ask at the waiting page's own pace; what they were answered is counted by status."""
    answered: Counter[str] = Counter()

    def press(browser: Browser) -> None:
        with httpx.Client(cookies=browser.http.cookies, timeout=60) as http:
            over.wait(random.random() * PACE)  # they do not come in step
            while not over.is_set():
                try:
                    answered[str(http.get(page).status_code)] += 1
                except httpx.HTTPError as error:
                    answered[type(error).__name__] += 1
                over.wait(PACE)

    crowd = itertools.islice(itertools.cycle(browsers), JOINERS)
    threads = [threading.Thread(target=press, args=(one,)) for one in crowd]
    for thread in threads:
        thread.start()
    return threads, answered


def main(run_dir: Path) -> None:
    handles = json.loads((run_dir / "demo.json").read_text())
    world = World(handles["world_url"])
    partner = PartnerClient(handles["base_url"], handles["partners"][0]["key"])
    browsers = [proved(handles, world) for _ in range(PROVED)]
    waits(partner)
    alone = waits(partner)
    over = threading.Event()
    world.http.post("/world/faults", json={"target": "carrier", "mode": "slow"}).raise_for_status()
    threads, answered = push(f"{handles['base_url']}/join/confirm", browsers, over)
    try:
        time.sleep(PACE)
        crowded = waits(partner)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        world.http.post("/world/faults", json={"target": "carrier", "mode": "ok"})
    told = {"alone_ms": shown(alone), "crowded_ms": shown(crowded), "joiners_by_status": answered}
    ratio = statistics.median(crowded) / statistics.median(alone)
    sys.stdout.write(json.dumps({**told, "ratio_of_p50": round(ratio, 2)}) + "\n")


def shown(seconds: list[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(seconds) * 1000, 1), "slowest": round(max(seconds) * 1000, 1)}


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".run"))
