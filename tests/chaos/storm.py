"""The storm itself: traffic, blows, the month close that is killed; then calm, and what is found."""

import contextlib
import os
import random
import secrets
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from tests.chaos.blows import Blows
from tests.chaos.findings import Findings
from tests.chaos.traffic import Traffic
from tests.client.manage import ROOT
from tests.client.partner import identity
from tests.client.town import Member, Shop, Town
from tests.client.world import until

LIFE = 20  # seconds a number lives, and the app may be opened
MEMBERS = ("android", "ios") * 3
CALM = 150.0  # seconds after which everything must be quiet
CHARGED = 550  # won: joined on the 16th of a month of 30 days at 1,100
MONTH = "2016-04"


@dataclass
class Report:
    """What happened, for people and for `--json`. `wrong` is empty when all invariants held."""

    seed: int
    seconds: float
    blows: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    verifications: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    sent_once_more: int = 0
    webhooks_heard: int = 0
    webhooks_on_the_ladder: int = 0
    back_after: float = 0.0
    quiet_after: float = 0.0
    longest_past_its_time: float = 0.0
    charged: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        return asdict(self)


def storm(
    town: Town, *, seconds: float, seed: int, pause: float = 1.5, tell: Callable[[str], None] = lambda words: None,
    **blow: Any,
) -> Report:  # fmt: skip
    """Everybody walks for so long while something is struck every `pause` seconds or so; every kind at least once.

    `slow`, `fill`, `only`: as `Blows` takes them.
    """
    dice, report, began = random.Random(seed), Report(seed, seconds), time.monotonic()
    town.world.heal()
    shops = [town.shop(code_ttl=LIFE, app_ttl=LIFE) for _ in range(2)]
    probe, members = town.shop(), [town.member(platform) for platform in MEMBERS]
    books = Books(town, dice)
    traffic, blows = Traffic(town, dice=dice, shops=shops, members=members), Blows(town.handles, **blow)
    tell(f"seed {seed}: {len(members)} phones, {len(shops)} partners; set up in {time.monotonic() - began:.1f} s")
    traffic.start()
    books.start()
    try:
        over = _strike(blows, dice, seconds, pause, lambda kind: tell(f"{kind:<22} {len(traffic.walks)} begun"))
        until(lambda: _works(town, probe), seconds=60)
        report.back_after = round(time.monotonic() - over, 1)
    finally:
        traffic.stop()
    findings = _calm(town, traffic, members)
    report.quiet_after = round(time.monotonic() - over, 1)
    _sum_up(report, findings, blows, books)
    return report


def _strike(blows: Blows, dice: random.Random, seconds: float, pause: float, tell: Callable[[str], None]) -> float:
    """When the last one had been struck."""
    began = time.monotonic()
    for kind in blows.order(dice):
        if time.monotonic() - began > seconds and len({kind for _, kind in blows.struck}) == len(blows.kinds):
            break
        time.sleep(pause * dice.uniform(0.5, 1.5))
        blows.one(kind)
        tell(f"{time.monotonic() - began:6.1f} s  {kind}")
    return time.monotonic()


def _works(town: Town, shop: Shop) -> bool:
    """All of it answers, and somebody new is verified from end to end. Nobody lent a hand."""
    with contextlib.suppress(httpx.HTTPError, AssertionError, OSError):
        ready = httpx.get(f"{town.base_url}/readyz", timeout=5)
        if ready.status_code == 200 and all(ready.json().values()) and town.handles()["pids"]:
            someone = town.world.person()
            asked = shop.create(identity=identity(someone))
            return (
                asked.status_code == 201
                and shop.confirm(asked.json()["id"], town.world.number(someone)).status_code == 200
            )
    return False


def _calm(town: Town, traffic: Traffic, members: list[Member]) -> Findings:
    """Waits until nothing is open or owed any more."""
    ends = time.monotonic() + CALM
    while (findings := Findings(town, traffic, members)).unfinished() and time.monotonic() < ends:
        time.sleep(0.5)
    return findings


def _sum_up(report: Report, findings: Findings, blows: Blows, books: "Books") -> None:
    report.blows = dict(Counter(kind for _, kind in blows.struck))
    report.answered = dict(findings.traffic.answered)
    report.verifications = len(findings.rows)
    report.ends = dict(Counter(row.state for row in findings.rows.values()))
    report.sent_once_more, report.webhooks_on_the_ladder = findings.again(), findings.on_the_ladder()
    report.webhooks_heard = len(findings.heard)
    report.longest_past_its_time = round(findings.lag(), 1)
    report.wrong = findings.all()
    if findings.unfinished():
        report.wrong.append(f"not quiet after {CALM:.0f} s")
    report.wrong += books.finish()
    report.charged = {"killed": books.killed, "lines": len(books.contracts), "won": sum(books.won.values())}


class Books:
    """A month close that is killed again and again during the storm, and at last runs to its end."""

    def __init__(self, town: Town, dice: random.Random, lines: int = 4) -> None:
        self._town, self._dice = town, dice
        joined = f"{MONTH}-16T10:00:00+09:00"
        self.contracts = [town.manage("demo", "member", "--joined-at", joined)["contract"] for _ in range(lines)]
        self.killed, self.won = 0, Counter[str]()
        self._thread = threading.Thread(target=self._close_and_kill)

    def start(self) -> None:
        self._thread.start()

    def _close(self) -> subprocess.Popen[bytes]:
        handles = self._town.handles()
        env = {**handles["env"], "PATH": os.environ["PATH"]}
        command = [handles["python"], "manage.py", "close_month", MONTH, "--json"]
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _close_and_kill(self) -> None:
        for _ in range(4):
            with contextlib.suppress(OSError, ValueError):  # demo.json is being written anew
                closing = self._close()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    closing.wait(timeout=self._dice.uniform(0.8, 3.0))
                if closing.poll() is None:
                    closing.send_signal(signal.SIGKILL)
                    self.killed += 1
                closing.wait()

    def finish(self) -> list[str]:
        """Closes once more, undisturbed: every line was charged exactly, once, and the carrier has the same sums."""
        self._thread.join()
        if self._close().wait(timeout=60) != 0:
            return ["the month close did not run to its end"]
        until(lambda: not self._owed(), seconds=60)
        for charge in self._town.world.http.get("/world/charges").raise_for_status().json():
            if charge["month"] == MONTH and charge["contract"] in self.contracts:
                self.won[charge["contract"]] += charge["amount"]
        return [f"{one}: charged {self.won[one]} won" for one in self.contracts if self.won[one] != CHARGED]

    def _owed(self) -> int:
        query = "SELECT count(*) FROM subscriptions_posting WHERE accepted_at IS NULL AND month = %s"
        return int(self._town.rows(query, f"{MONTH}-01")[0][0])


def any_seed() -> int:
    return secrets.randbelow(10**6)
