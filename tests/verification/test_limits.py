"""How much a line, a partner and a stranger may ask (mission.md section 5), on real PostgreSQL and Redis."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from ansim import once, rates
from subscriptions import enrolment
from tests import make
from verification import breaker
from verification.lines import Asker
from verification.models import Mismatch, Partner, Verification

pytestmark = pytest.mark.django_db


def rule(limit, seconds=60):
    return rates.Rule(f"test:{uuid.uuid4()}", limit, seconds)


@pytest.fixture
def no_redis(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    once.store.cache_clear()
    yield
    once.store.cache_clear()


def stranger(mina, birthdate="190101"):
    right = make.identity(mina)
    return type(right)(birthdate, right.gender_digit, right.phone)


def mismatches(mina, times, *, at, address="203.0.113.7"):
    for _ in range(times):
        assert make.verification(None, at=at, identity=stranger(mina), address=address).reason == "identity_mismatch"


def test_as_many_pass_as_the_rule_says_and_the_next_is_told_when_to_come_back():
    three = rule(3)
    passed = [rates.take(three) for _ in range(4)]
    assert [one.allowed for one in passed] == [True, True, True, False]
    assert [one.left for one in passed] == [2, 1, 0, 0]
    assert 1 <= passed[-1].wait <= 120
    assert passed[-1].headers()["RateLimit-Policy"] == '"test";q=3;w=60'


def test_after_the_time_it_was_told_the_next_passes():
    one = rule(1, seconds=1)
    assert rates.take(one).allowed
    refused = rates.take(one)
    assert not refused.allowed
    time.sleep(refused.wait + 0.05)
    assert rates.take(one).allowed


def test_fifty_at_once_are_counted_exactly():
    ten = rule(10)
    with ThreadPoolExecutor(50) as pool:
        assert sum(one.allowed for one in pool.map(lambda _: rates.take(ten), range(50))) == 10


def test_a_claim_is_had_once_and_not_by_who_was_refused():
    two, claim = rule(2), f"test:{uuid.uuid4()}"
    first, second, third = (rates.take(two, claim=claim) for _ in range(3))
    assert (first.claimed, second.claimed, third.claimed) == (True, False, False)


def test_without_redis_the_database_counts_the_same(no_redis):
    three, claim = rule(3), f"test:{uuid.uuid4()}"
    passed = [rates.take(three, claim=claim) for _ in range(4)]
    assert [one.allowed for one in passed] == [True, True, True, False]
    assert [one.claimed for one in passed] == [True, False, False, False]


def test_after_more_than_ten_mismatches_of_one_address_right_data_are_a_mismatch_too():
    mina, bookshop = make.person(), make.partner()
    mismatches(mina, 10, at=bookshop)
    assert make.verification(mina, at=bookshop, address="203.0.113.7").state == "awaiting_code"
    mismatches(mina, 1, at=bookshop)

    refused = make.verification(mina, at=bookshop, address="203.0.113.7")

    assert (refused.state, refused.reason, refused.line) == ("failed", "identity_mismatch", None)


def test_a_strangers_mismatches_do_not_touch_the_owner_elsewhere():
    mina, bookshop = make.person(), make.partner()
    mismatches(mina, 12, at=bookshop)
    assert make.verification(mina, at=bookshop, address="198.51.100.1").state == "awaiting_code"
    assert make.verification(mina, at=make.partner(), address="203.0.113.7").state == "awaiting_code"


def test_a_hundred_mismatches_from_everywhere_close_the_number_for_an_hour():
    mina, bookshop = make.person(), make.partner(limits={"mismatches_per_number": 12})
    for place in range(13):
        mismatches(mina, 1, at=bookshop, address=f"203.0.113.{place}")
    assert make.verification(mina, at=bookshop, address="198.51.100.1").reason == "identity_mismatch"

    Mismatch.objects.update(at=timezone.now() - timedelta(hours=1, seconds=1))

    assert make.verification(mina, at=bookshop, address="198.51.100.1").state == "awaiting_code"


def test_the_owner_who_tries_again_does_not_make_the_closure_last():
    mina, bookshop = make.person(), make.partner()
    mismatches(mina, 11, at=bookshop)
    for _ in range(5):
        make.verification(mina, at=bookshop, address="203.0.113.7")
    assert Mismatch.objects.filter(at__gt=timezone.now() - timedelta(minutes=59)).count() == 11


def test_unknown_numbers_are_counted_as_well():
    bookshop, nobody = make.partner(), make.person(status="terminated")
    mismatches(nobody, 3, at=bookshop)
    assert Mismatch.objects.count() == 3


def test_strangers_who_guess_do_not_keep_the_owner_from_joining():
    mina, bookshop = make.person(), make.partner()
    make.verification(mina, at=bookshop)
    Mismatch.objects.bulk_create(
        Mismatch(partner=bookshop, at=timezone.now(), **Asker(mina.phone, bookshop.pk, "").fingerprints())
        for _ in range(150)
    )
    assert enrolment.join(mina.phone).activation_code


def test_a_stranger_uses_nothing_up_of_what_the_line_may_ask():
    mina, bookshop = make.person(), make.partner(limits={"mismatches_per_hour": 1000, "mismatches_per_number": 1000})
    mismatches(mina, 25, at=bookshop)
    assert [make.verification(mina, at=bookshop).state for _ in range(5)] == ["awaiting_code"] * 5
    assert make.verification(mina, at=bookshop).reason == "line_blocked"


def sms_of(shop, *, lines, completed):
    """So many SMS verifications of different lines that ended a moment ago, as rows: the breaker only counts."""
    line, now = make.verification(make.person(), at=shop).line, timezone.now()
    Verification.objects.filter(partner=shop).delete()
    for number in range(lines):
        other = type(line)(
            contract=f"c{number}", contract_fingerprint=uuid.uuid4().hex * 2, phone="+82", phone_fingerprint="x"
        )
        other.save()
        done = number < completed
        Verification.objects.create(
            partner=shop, reference=uuid.uuid4().hex, purpose="login", site={}, line=other, line_serial=1,
            channel="sms",
            state="verified" if done else "expired", reason=None if done else "code_not_entered", tries_left=5,
            resends_left=3, created_at=now, expires_at=now, ended_at=now, window_fingerprint=uuid.uuid4().hex,
        )  # fmt: skip


@pytest.mark.parametrize(("completed", "slowed"), [(4, True), (5, False)])
def test_a_partner_whose_sms_are_rarely_completed_is_slowed_and_the_desk_is_told(
    completed, slowed, monkeypatch, caplog
):
    monkeypatch.setattr(breaker, "ENOUGH_LINES", 50)
    pump = make.partner()
    sms_of(pump, lines=50, completed=completed)

    breaker.trip()

    assert bool(Partner.objects.get(pk=pump.pk).slowed_until) is slowed
    assert ("partner_slowed" in caplog.text) is slowed


def test_few_lines_prove_nothing():
    shop = make.partner()
    sms_of(shop, lines=5, completed=0)
    assert breaker.trip() == []
