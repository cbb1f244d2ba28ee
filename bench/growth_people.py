"""The people who are measured, in one database or the other: what each of them does, and what it cost."""

import re
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CUSTOMERS, HISTORY = 5, 40  # a desk session visits at most five customers
WARM, MEASURED = 2, 25  # of each kind in a turn
LIMITS = {"line_per_10min": 10**6, "line_per_day": 10**6, "partner_per_min": 10**6, "resend_after": 1}
Timed = defaultdict[str, list[tuple[float, float]]]
_connected: dict[str, Any] = {}


class Bench:
    """One database with its people: what is done in it, and how long that took."""

    def __init__(self, name: str, people: list[Any]) -> None:
        from django.test import Client

        from subscriptions.models import Subscription
        from tests import make
        from tests.desk import Staff
        from verification import partner_keys

        self.name = name
        use(name)
        self.partner = make.partner(limits=LIMITS, webhook_url="")
        self.api = Client(headers={"Authorization": f"Bearer {partner_keys.make_key(self.partner, live=False)}"})
        self.members = [make.Member(person) for person in people[:CUSTOMERS]]
        self.strangers = people[CUSTOMERS:]
        for member in self.members:
            _history(member, self.partner)
        self.mine = [_signed_in(member) for member in self.members]
        self.han = Staff("agent").come_in()
        self.pages = [
            f"/admin/customers/{Subscription.objects.get(line__device=member.device).pk}/" for member in self.members
        ]

    def kinds(self) -> Iterator[tuple[str, Callable[[int], None]]]:
        """What is measured; the argument is a running number."""
        yield "desk: find by number", lambda n: self._find(phone=self._member(n).person.phone)
        yield "desk: find by contract", lambda n: self._find(contract=self._member(n).person.contract)
        yield "desk: find by name and birth date", self._by_name
        yield "desk: customer page", lambda n: self._see(self.han.client, self.pages[n % CUSTOMERS])
        yield "desk: first page", lambda n: self._see(self.han.client, "/admin/")
        yield "my page", lambda n: self._see(self.mine[n % CUSTOMERS], "/my")
        yield "my page: history", lambda n: self._see(self.mine[n % CUSTOMERS], "/my/history")
        yield "partner: list", lambda n: self._see(self.api, "/partner/v1/verifications?limit=20")

    def _member(self, n: int) -> Any:
        return self.members[n % CUSTOMERS]

    def _find(self, **by: str) -> None:
        given = {"phone": "", "inquiry": "cancel", "ticket": "C-1042", **by}
        _expect(self.han.client.post("/admin/customers/find/", given), 303)

    def _by_name(self, n: int) -> None:
        person = self._member(n).person
        self._find(name=person.name, birthdate=str(person.birthdate).replace("-", ""))

    @staticmethod
    def _see(client: Any, page: str) -> None:
        _expect(client.get(page), 200)

    def verify(self, n: int, timed: Timed) -> None:
        """A whole verification by SMS and one by app, step by step."""
        from pushes.models import Message

        stranger = self.strangers[n % len(self.strangers)]
        pk = self._create("sms", stranger, timed)
        text = Message.objects.get(about=pk).body["text"]
        self._confirm("sms", pk, re.search(r"(?<!\d)\d{6}(?!\d)", text)[0], timed)
        member = self._member(n)
        pk = self._create("app", member.person, timed)
        from verification.models import Verification

        self._confirm("app", pk, member.number(Verification.objects.get(pk=pk)), timed)

    def _create(self, road: str, person: Any, timed: Timed) -> str:
        body = {
            "reference": uuid.uuid4().hex, "purpose": "login",
            "identity": {"birthdate": person.yymmdd, "gender_digit": person.gender_digit, "phone": person.phone},
        }  # fmt: skip
        key = {"Idempotency-Key": uuid.uuid4().hex}
        with _watch(timed[f"partner: create ({road})"]):
            answer = self.api.post("/partner/v1/verifications", body, content_type="application/json", headers=key)
        _expect(answer, 201)
        return str(answer.json()["id"])

    def _confirm(self, road: str, pk: str, code: str, timed: Timed) -> None:
        with _watch(timed[f"partner: confirm ({road})"]):
            address = f"/partner/v1/verifications/{pk}/confirm"
            answer = self.api.post(address, {"code": code}, content_type="application/json")
        _expect(answer, 200)


def turn(benches: list[Bench], start: int, timed: dict[str, Timed]) -> None:
    """Each kind so many times, in one database and the other by turns: whatever else the machine does meets both."""
    for kind in [kind for kind, _do in benches[0].kinds()]:
        for n in range(start, start + WARM + MEASURED):
            for bench in benches if n % 2 else benches[::-1]:
                use(bench.name)
                with _watch(timed[bench.name][kind] if n >= start + WARM else []):
                    dict(bench.kinds())[kind](n)
    for n in range(start, start + WARM + MEASURED):
        for bench in benches if n % 2 else benches[::-1]:
            use(bench.name)
            bench.verify(n, timed[bench.name] if n >= start + WARM else defaultdict(list))


class _watch:
    """Milliseconds that went by, and milliseconds that this thread and its database process computed."""

    def __init__(self, into: list[tuple[float, float]]) -> None:
        self.into = into

    def __enter__(self) -> None:
        self.began, self.computed = time.perf_counter(), _computed()

    def __exit__(self, *error: object) -> None:
        self.into.append(((time.perf_counter() - self.began) * 1000, (_computed() - self.computed) * 1000))


def _computed() -> float:
    from django.db import connection

    if connection.connection is None:
        return time.thread_time()
    schedule = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.thread_time() + int(schedule.read_text().split()[0]) / 1e9


def _expect(answer: Any, status: int) -> None:
    if answer.status_code != status:
        raise SystemExit(f"{answer.request['PATH_INFO']}: {answer.status_code}\n{answer.content.decode()[:2000]}")


def use(name: str) -> None:
    """From now on that database; both stay connected."""
    from django.db import connections

    if name not in _connected:
        _connected[name] = connections.create_connection("default")
        _connected[name].settings_dict = {**_connected[name].settings_dict, "NAME": name}
    connections["default"] = _connected[name]


def _history(member: Any, partner: Any) -> None:
    """Two pages of verifications that ended."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO verification_verification (id, partner_id, reference, purpose, site, return_url, region,
                   livemode, state, channel, released, line_id, line_serial, match_number, tries_left, resends_left,
                   identity_tries_left, created_at, matched_at, expires_at, opened_at, ended_at, window_fingerprint)
               SELECT gen_random_uuid(), %(partner)s, gen_random_uuid(), 'login',
                      '{"name": "책방", "domain": "bookshop.example"}', '', '서울', false, 'verified', 'app', false,
                      %(line)s, -n, '42', 5, 3, 3, t.at, t.at, t.at, t.at, t.at, gen_random_uuid()
                 FROM generate_series(1, %(most)s) n, LATERAL (SELECT now() - interval '1 day' * n AS at) t""",
            {"partner": partner.pk, "line": member.line.pk, "most": HISTORY},
        )
        cursor.execute(
            "UPDATE subscriptions_subscription SET joined_at = now() - interval '300 days' WHERE line_id = %s",
            [member.line.pk],
        )


def _signed_in(member: Any) -> Any:
    from datetime import timedelta

    from django.test import Client
    from django.utils import timezone

    from ansim.lib import fingerprint
    from subscriptions import sessions
    from subscriptions.models import CustomerSession, Subscription

    token, browser = uuid.uuid4().hex, sessions.Browser("- · -")
    CustomerSession.objects.create(
        subscription=Subscription.objects.get(line=member.line), device=member.device, verification=uuid.uuid4(),
        token_fingerprint=fingerprint.of("session", token), browser=browser.words,
        browser_fingerprint=browser.fingerprint, ends_at=timezone.now() + timedelta(hours=9),
    )  # fmt: skip
    client = Client()
    client.cookies["my"] = token
    return client
