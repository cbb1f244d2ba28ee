"""People who verify themselves without a pause, and partners and phones that repeat what was not answered.

A client here does what api.md asks of one: after a lost connection, a 503 or `idempotency_in_flight` it sends the same
again (a create with the same Idempotency-Key). What it was told is kept, to be compared with what the system knows.
"""

import queue
import random
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.client.partner import identity
from tests.client.town import Member, Shop, Town

PATIENCE = 60.0  # seconds after which a client gives up
WALKERS = 16
PEOPLE = 60
AGAIN = {502, 503, 504}


class GaveUp(Exception):
    """Nobody answered for PATIENCE."""


@dataclass
class Walk:
    """One verification as its clients saw it."""

    shop: Shop
    road: str
    protected: bool
    contract: str
    reference: str = field(default_factory=lambda: uuid.uuid4().hex)
    ids: set[str] = field(default_factory=set)
    wrong_sent: int = 0
    wrong_told: int = 0
    right_sent: int = 0
    accepted: int = 0
    numbers: set[str] = field(default_factory=set)
    gave_up: bool = False

    @property
    def pk(self) -> str:
        return next(iter(self.ids))


class Traffic:
    """Some walkers; each goes road after road until `over`. `walks` is what they saw, `answered` counts by status."""

    def __init__(self, town: Town, *, dice: random.Random, shops: list[Shop], members: list[Member]) -> None:
        self.town, self._dice, self.shops = town, dice, shops
        self.walks: list[Walk] = []
        self.answered: Counter[str] = Counter()
        self.failures: list[str] = []
        self.over = threading.Event()
        self.people: queue.Queue[dict[str, Any]] = queue.Queue()
        self.members: queue.Queue[Member] = queue.Queue()
        self.met: dict[str, dict[str, Any]] = {}
        for _ in range(PEOPLE):
            self.people.put(town.world.person())
        for member in members:
            self.members.put(member)
        self._threads = [threading.Thread(target=self._walk_on, args=(dice.random(),)) for _ in range(WALKERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(timeout=2 * PATIENCE)

    def _walk_on(self, seed: float) -> None:
        dice = random.Random(seed)
        while not self.over.is_set():
            road = dice.choices(
                [self._right, self._guessing, self._too_many, self._crowd, self._app, self._denied, self._cancelled,
                 self._left],
                weights=[4, 3, 1, 3, 6, 1, 1, 1],
            )[0]  # fmt: skip
            try:
                road(dice)
            except GaveUp:
                pass
            except Exception as error:
                self.failures.append(f"{road.__name__}: {type(error).__name__}: {str(error)[:300]}")

    # --- the roads -----------------------------------------------------------------------------------------

    def _right(self, dice: random.Random) -> None:
        walk, person = self._by_sms(dice, "sms")
        self._confirm(walk, self._texted(walk, person))
        self.people.put(person)

    def _guessing(self, dice: random.Random) -> None:
        walk, person = self._by_sms(dice, "sms, wrong first")
        number = self._texted(walk, person)
        for _ in range(dice.randint(1, 2)):
            self._guess(walk, number)
        self._confirm(walk, number)  # a wrong number stays on the line for an hour: this person does not come again

    def _too_many(self, dice: random.Random) -> None:
        walk, person = self._by_sms(dice, "sms, five wrong")
        number = self._texted(walk, person)
        while self._guess(walk, number):
            pass
        self._confirm(walk, number)

    def _crowd(self, dice: random.Random) -> None:
        walk, person = self._by_sms(dice, "sms, confirmed at once")
        number = self._texted(walk, person)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: self._confirm(walk, number), range(3)))
        self.people.put(person)

    def _app(self, dice: random.Random) -> None:
        member = self.members.get()
        try:
            walk = self._asked(dice, "app", member.person, protected=True)
            unlocked = self._stubborn(walk, lambda: member.unlock(walk.pk))
            if unlocked.status_code == 200:
                number = member.open(walk.pk, unlocked.json()["envelope"])["code"]
                walk.numbers.add(number)
                self._confirm(walk, number)
        finally:
            self.members.put(member)

    def _denied(self, dice: random.Random) -> None:
        member = self.members.get()
        try:
            walk = self._asked(dice, "app, cancelled there", member.person, protected=True)
            self._stubborn(walk, lambda: member.deny(walk.pk, "cancel"))
        finally:
            self.members.put(member)

    def _cancelled(self, dice: random.Random) -> None:
        walk, _ = self._by_sms(
            dice, "cancelled by the partner"
        )  # nobody read that text: the person does not come again
        self._stubborn(walk, lambda: walk.shop.cancel(walk.pk))

    def _left(self, dice: random.Random) -> None:
        self._by_sms(dice, "left alone")
        self.over.wait(0.5)

    # --- what clients do -----------------------------------------------------------------------------------

    def _by_sms(self, dice: random.Random, road: str) -> tuple[Walk, dict[str, Any]]:
        try:
            person = self.people.get_nowait()
        except queue.Empty:
            person = self._of_the_world(self.town.world.person)
        self.met[person["contract"]] = person
        return self._asked(dice, road, person, protected=False), person

    def _asked(self, dice: random.Random, road: str, person: dict[str, Any], *, protected: bool) -> Walk:
        walk = Walk(dice.choice(self.shops), road, protected, person["contract"])
        self.walks.append(walk)
        body = {"idempotency_key": walk.reference, "reference": walk.reference, "identity": identity(person)}
        answer = self._stubborn(walk, lambda: walk.shop.create(**body))
        if answer.status_code != 201:
            raise AssertionError(f"create: {answer.status_code} {answer.text[:200]}")
        walk.ids.add(answer.json()["id"])
        return walk

    def _texted(self, walk: Walk, person: dict[str, Any]) -> str:
        """The number in the text of this verification: its lines never have two open ones."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            known = {number for other in self.walks if other.contract == walk.contract for number in other.numbers}
            texts = self._of_the_world(lambda: self.town.world.texts(person))
            found = [hit[1] for text in texts if (hit := re.search(r"본인확인 번호 (\d{6}) ", text["text"]))]
            fresh = [number for number in found if number not in known]
            if fresh:
                walk.numbers.add(fresh[0])
                return fresh[0]
            time.sleep(0.05)
        walk.gave_up = True
        raise GaveUp

    def _guess(self, walk: Walk, number: str) -> bool:
        """A wrong number; False when it did not count any more."""
        wrong = f"{(int(number) + 1 + walk.wrong_sent) % 10**6:06}"

        def call() -> httpx.Response:
            walk.wrong_sent += 1
            return walk.shop.confirm(walk.pk, wrong)

        answer = self._stubborn(walk, call)
        counted = answer.status_code == 422
        walk.wrong_told += counted
        return counted

    def _confirm(self, walk: Walk, number: str) -> None:
        def call() -> httpx.Response:
            walk.right_sent += 1
            return walk.shop.confirm(walk.pk, number)

        answer = self._stubborn(walk, call)
        if answer.status_code == 200:
            walk.accepted += 1
        elif answer.status_code != 409:
            raise AssertionError(f"confirm: {answer.status_code} {answer.text[:200]}")

    def _stubborn(self, walk: Walk, call: Callable[[], httpx.Response]) -> httpx.Response:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            try:
                answer = call()
            except httpx.TransportError as error:
                self.answered[type(error).__name__] += 1
            else:
                self.answered[str(answer.status_code)] += 1
                if answer.status_code == 500:
                    correlator = answer.headers.get("x-correlator", "-")
                    self.failures.append(f"{walk.road}: 500 {answer.request.url.path} {correlator}")
                flying = answer.status_code == 409 and answer.json().get("code") == "idempotency_in_flight"
                if answer.status_code not in AGAIN and answer.status_code != 500 and not flying:
                    return answer
            time.sleep(0.1)
        walk.gave_up = True
        raise GaveUp

    def _of_the_world(self, look: Callable[[], Any]) -> Any:
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                return look()
            except httpx.HTTPError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.1)
