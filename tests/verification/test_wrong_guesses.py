"""Invariant 3 of mission.md: wrong guesses are counted exactly, also at one instant; asking again resets nothing."""

from collections import Counter
from itertools import count

import pytest

from tests import make
from tests.verification import callers, hours
from tests.verification.crowd import at_once
from tests.verification.test_flow import sms_number
from verification import flow
from verification.models import Line, Verification, WebhookDelivery


def wrong(asked):
    return f"{(int(sms_number(asked)) + 1) % 10**6:06}"


def guess(asked, code):
    return lambda: flow.confirm(code=code, pk=asked.pk).refusal


def counted(refusals):
    """What wrong ones were told to have left, lowest last; what came too late."""
    left = sorted((one.extra["tries_left"] for one in refusals if one.code == "wrong_code"), reverse=True)
    return left, Counter(one.code for one in refusals if one.code != "wrong_code")


@pytest.mark.django_db(transaction=True)
def test_of_fifty_wrong_numbers_at_once_five_are_counted_and_none_is_lost():
    bookshop = callers.Partner()
    asked = Verification.objects.get(pk=bookshop.create(make.person()).json()["id"])
    code = wrong(asked)

    answers = at_once(*[lambda: bookshop.confirm(asked.pk, code)] * 50)

    told = [answer.json() for answer in answers]
    assert sorted(one["tries_left"] for one in told if one["code"] == "wrong_code") == [0, 1, 2, 3, 4]
    assert Counter(one["code"] for one in told) == {"wrong_code": 5, "closed": 45}
    asked.refresh_from_db()
    assert (asked.state, asked.reason, asked.tries_left) == ("failed", "too_many_wrong_codes", 0)
    assert len(Line.objects.get().wrong_numbers_at) == 5
    assert WebhookDelivery.objects.filter(verification=asked, type="verification.failed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_wrong_and_right_ones_at_once_the_right_one_counts_only_while_a_try_is_left():
    for _ in range(5):
        asked = make.verification(make.person())
        right, code = sms_number(asked), wrong(asked)

        refusals = at_once(*[guess(asked, code)] * 6, guess(asked, right), *[guess(asked, code)] * 6)

        asked.refresh_from_db()
        left, late = counted([one for one in refusals if one])
        assert left == [4, 3, 2, 1, 0][: len(left)]
        if asked.state == "verified":
            assert (len(left) < 5, asked.tries_left, sum(late.values())) == (True, 5 - len(left), 12 - len(left))
        else:
            assert (asked.reason, len(left), late) == ("too_many_wrong_codes", 5, {"closed": 8})


@pytest.mark.django_db(transaction=True)
def test_the_tenth_wrong_number_of_a_line_ends_all_that_is_open_there_over_all_partners():
    mina = make.person()
    asked = [make.verification(mina, at=make.partner()) for _ in range(3)]
    codes = [wrong(one) for one in asked]

    refusals = at_once(*[guess(one, code) for one, code in zip(asked, codes, strict=True) for _ in range(12)])

    left, late = counted(refusals)
    assert (len(left), left[-1], late) == (10, 0, {"closed": 26})
    assert len(Line.objects.get().wrong_numbers_at) == 10
    for one in asked:
        one.refresh_from_db()
        assert (one.state, one.reason) == ("failed", "too_many_wrong_codes")
    ends = WebhookDelivery.objects.filter(type="verification.failed")
    assert sorted(ends.values_list("verification", flat=True)) == sorted(one.pk for one in asked)


@pytest.mark.django_db
def test_the_tenth_answer_says_that_no_try_is_left_and_later_requests_are_blocked_until_the_hour_is_over():
    mina = make.person()
    first, second, third = (make.verification(mina, at=make.partner()) for _ in range(3))
    left = [guess(one, wrong(one))().extra["tries_left"] for one in [first] * 4 + [second] * 4 + [third] * 2]
    assert left == [4, 3, 2, 1, 4, 3, 2, 1, 4, 0]

    blocked = make.verification(mina)
    assert (blocked.state, blocked.reason) == ("failed", "line_blocked")
    hours.pass_by(minutes=59)
    assert make.verification(mina).reason == "line_blocked"
    hours.pass_by(minutes=2)
    assert make.verification(mina).state == "awaiting_code"


@pytest.mark.django_db
def test_asking_again_gives_new_tries_but_the_line_forgets_nothing():
    mina, bookshop = make.person(), make.partner()
    told = []
    for tries in (4, 4, 2):
        asked = make.verification(mina, at=bookshop)
        told.append([guess(asked, wrong(asked))().extra["tries_left"] for _ in range(tries)])

    assert told == [[4, 3, 2, 1], [4, 3, 2, 1], [4, 0]]
    assert make.verification(mina, at=bookshop).reason == "line_blocked"


@pytest.mark.django_db
def test_sending_it_again_and_unlocking_it_again_give_no_new_tries():
    mina, bookshop = make.Member(), make.partner(limits={"resend_after": 0})
    by_sms, by_app = make.verification(make.person(), at=bookshop), make.verification(mina.person, at=bookshop)
    numbers = {by_sms: sms_number(by_sms), by_app: mina.number(by_app)}
    again = {by_sms: lambda: flow.resend(pk=by_sms.pk), by_app: lambda: mina.unlock(by_app)}

    for asked, number in numbers.items():
        code, left = f"{(int(number) + 1) % 10**6:06}", []
        for _ in range(3):
            left.append(guess(asked, code)().extra["tries_left"])
            assert again[asked]().refusal is None
        assert left == [4, 3, 2]
        assert flow.confirm(code=number, pk=asked.pk).verification.tries_left == 2


@pytest.mark.django_db(transaction=True)
def test_wrong_passwords_at_once_are_counted_exactly_and_the_fifth_locks():
    mina = make.Member()
    asked = [make.verification(mina.person, at=make.partner()) for _ in range(2)]
    which = count()

    refusals = at_once(*[lambda: mina.unlock(asked[next(which) % 2], "999888").refusal] * 16)

    left = sorted((one.extra["tries_left"] for one in refusals if one.code == "wrong_password"), reverse=True)
    assert left == [4, 3, 2, 1, 0]
    assert Counter(one.code for one in refusals) == {"wrong_password": 5, "locked": 11}
    for one in asked:
        one.refresh_from_db()
        assert (one.state, one.reason) == ("failed", "app_locked")
