"""The app's activation code (mission.md section 5, S5): it works once, for ten minutes, for one phone."""

from datetime import timedelta

import pytest

from ansim.lib.problem import Refused
from pushes.models import Device
from subscriptions import enrolment, leaving
from tests import make
from tests.client.phone import PhoneClient
from tests.verification import hours
from tests.verification.crowd import at_once
from verification import registration
from verification.models import Line, WrongActivation


def phone():
    given = PhoneClient("").registration("", make.PASSWORD)
    return registration.Phone(**{name: given[name] for name in registration.Phone.__dataclass_fields__})


def register(code, *, password=make.PASSWORD, address="here"):
    return registration.register(code, phone=phone(), password=password, address=address)


@pytest.mark.django_db
def test_an_activation_code_works_once():
    code = enrolment.join(make.person().phone).activation_code
    device, line = register(code)
    assert line.device == device

    with pytest.raises(Refused, match="not_found"):
        register(code)
    assert Line.objects.get().device == device


@pytest.mark.django_db(transaction=True)
def test_of_many_phones_with_the_same_code_at_once_one_is_registered():
    code = enrolment.join(make.person().phone).activation_code

    def one():
        try:
            return register(code)[0]
        except Refused as refusal:
            return refusal.code

    came = at_once(*[one] * 6)

    assert sorted(str(entry) for entry in came if not isinstance(entry, Device)) == ["not_found"] * 5
    assert Device.objects.count() == 1


@pytest.mark.django_db
def test_an_activation_code_is_good_for_ten_minutes():
    code = enrolment.join(make.person().phone).activation_code
    hours.pass_by(minutes=10, seconds=1)
    with pytest.raises(Refused, match="not_found"):
        register(code)

    later = enrolment.join(make.person().phone).activation_code
    hours.pass_by(minutes=9, seconds=50)
    assert register(later)[0]


@pytest.mark.django_db
def test_a_new_code_makes_the_older_one_void():
    mina = make.person()
    older = enrolment.join(mina.phone).activation_code
    newer = enrolment.renew_activation(mina.contract).activation_code

    with pytest.raises(Refused, match="not_found"):
        register(older)
    assert register(newer)[0]


@pytest.mark.django_db
def test_a_code_is_typed_as_people_type_it():
    code = enrolment.join(make.person().phone).activation_code
    typed = f" {code[:5]}-{code[5:]} ".lower().replace("0", "o").replace("1", "l")
    assert register(typed)[0]


@pytest.mark.django_db
def test_a_weak_password_does_not_use_the_code_up():
    mina = make.person()
    code = enrolment.join(mina.phone).activation_code
    for weak in ("000000", "123456", mina.yymmdd, mina.phone[-6:]):
        with pytest.raises(registration.Weak):
            register(code, password=weak)
    assert register(code)[0]


@pytest.mark.django_db
def test_ten_wrong_codes_from_an_address_close_it_for_an_hour_for_right_ones_too():
    code = enrolment.join(make.person().phone, activation_life=timedelta(hours=3)).activation_code
    for _ in range(10):
        with pytest.raises(Refused, match="not_found"):
            register("0000000000", address="thief")

    with pytest.raises(Refused, match="too_many_requests") as refused:
        register(code, address="thief")
    assert 3500 < refused.value.retry_after <= 3600
    hours.pass_by(minutes=61)
    assert register(code, address="thief")[0]
    assert WrongActivation.objects.count() == 10


@pytest.mark.django_db
@pytest.mark.parametrize("left", [False, True])
def test_no_code_is_renewed_for_a_line_that_is_no_member(left):
    mina = make.person()
    if left:
        enrolment.join(mina.phone)
        leaving.cancel(mina.contract, reason="customer")
    with pytest.raises(Refused, match="not_found"):
        enrolment.renew_activation(mina.contract)
