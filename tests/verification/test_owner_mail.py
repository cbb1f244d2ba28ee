"""Notices by e-mail, where the owner gave an address: only a confirmed one, never a number, and no phone is needed."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from pushes import clock, notices
from pushes.models import MailAddress, Message
from tests import make
from tests.verification import hours
from tests.verification.crowd import at_once
from verification import controls, owner_mail, protection, registration

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "mina@example.com"


@pytest.fixture
def mina():
    return make.Member()


def mails(to=ADDRESS):
    """What is owed to that address, oldest first."""
    owed = Message.objects.filter(channel="mail").order_by("created_at")
    return [message.body for message in owed if message.body["to"] == to]


def letters(to=ADDRESS):
    return re.search(r"\b[B-Z]{8}\b", mails(to)[-1]["text"])[0]


def gives(member, address=ADDRESS, language="ko"):
    line = member.line.pk
    owner_mail.ask(line, address=address, language=language)
    assert owner_mail.confirm(line, letters(address))
    return member


def test_nothing_goes_to_an_address_before_its_letters_came_back(mina):
    owner_mail.ask(mina.line.pk, address=ADDRESS, language="ko")
    registration.change_password(mina.device, current=make.PASSWORD, new="837465")
    assert [mail["subject"] for mail in mails()] == ["[안심] 이메일 주소 확인"]
    assert owner_mail.confirm(mina.line.pk, letters().lower()[:4] + " " + letters()[4:])
    registration.change_password(mina.device, current="837465", new=make.PASSWORD)
    assert "앱 비밀번호를 바꿨어요." in mails()[-1]["text"]


def test_letters_are_for_one_line_five_tries_and_half_an_hour(mina):
    line, thief = mina.line.pk, make.Member()
    owner_mail.ask(line, address=ADDRESS, language="ko")
    right = letters()
    owner_mail.ask(thief.line.pk, address="thief@example.com", language="ko")
    assert not owner_mail.confirm(thief.line.pk, right)
    for _ in range(5):
        assert not owner_mail.confirm(line, "BBBBBBBB")
    assert not owner_mail.confirm(line, right)
    owner_mail.ask(line, address=ADDRESS, language="ko")
    assert letters() != right
    hours.pass_by(minutes=31)
    assert not owner_mail.confirm(line, letters())


def test_letters_are_worth_nothing_twice(mina):
    gives(mina)
    used = letters()
    owner_mail.remove(mina.line.pk)
    assert not owner_mail.confirm(mina.line.pk, used)


def test_a_changed_or_removed_address_is_told_at_the_old_one(mina):
    gives(mina)
    owner_mail.ask(mina.line.pk, address="new@example.com", language="ko")
    controls.change(mina.device, wanted=controls.Controls(stop_all=True, blocked_partners=frozenset()), password=None)
    assert "모두 막기를 켰어요" in mails()[-1]["text"], "the confirmed one stands until the new one is confirmed"
    assert owner_mail.confirm(mina.line.pk, letters("new@example.com"))
    assert "이제 안심의 알림을 이 주소로 보내지 않아요" in mails()[-1]["text"]
    owner_mail.remove(mina.line.pk)
    assert "이제 안심의 알림을 이 주소로 보내지 않아요" in mails("new@example.com")[-1]["text"]
    before = len(mails())
    registration.change_password(mina.device, current=make.PASSWORD, new="837465")
    assert len(mails()) == before


def test_a_mail_says_what_to_do_and_holds_no_number_name_or_partner(mina):
    gives(mina)
    bookshop = make.partner()
    mina.release(bookshop)
    asked = make.verification(mina.person, at=bookshop)
    assert asked.released
    told = mails()[1:]
    assert [notices.NOTICES["release_started"].text, notices.NOTICES["release_used"].text] == [
        mail["text"].splitlines()[0] for mail in told
    ]
    number = Message.objects.get(kind="sms", about=asked.pk).body["text"]
    whole = " ".join(f"{mail['subject']} {mail['text']}" for mail in mails())
    assert re.search(r"번호 (\d{6})", number)[1] not in whole
    for personal in (mina.person.name, mina.person.phone, mina.person.phone[-8:], bookshop.name, bookshop.domain):
        assert personal not in whole
    assert f"010-****-{mina.person.phone[-4:]}" in told[-1]["text"]
    assert mina.person.phone[-4:] not in mails()[0]["text"], "before it is confirmed it may be a stranger's mailbox"
    assert str(notices.NOTICES["release_used"].advice) in told[-1]["text"]


def test_it_speaks_the_language_of_the_page_where_it_was_given(mina):
    gives(mina, language="en")
    protection.revoke(mina.line)
    assert mails()[-1]["subject"] == "[Ansim] Something changed in your service"
    assert not re.search("[가-힣]", mails()[-1]["text"])


def test_who_has_lost_the_phone_still_hears(mina):
    gives(mina)
    line = mina.line
    registration.remove(mina.device, password=make.PASSWORD)
    line.refresh_from_db()
    assert line.device is None
    before = len(mails())
    registration.tell(line, "cancellation_requested")
    assert len(mails()) == before + 1


def test_whoever_has_the_line_next_finds_no_address(mina):
    gives(mina)
    line = mina.line
    protection.turn_off(line, at=timezone.now())
    assert "안심을 해지했어요" in mails()[-1]["text"]
    assert not MailAddress.objects.exists()


def test_a_refusal_takes_its_mail_back(mina):
    gives(mina)
    before = len(mails())
    with pytest.raises(registration.Weak):
        registration.change_password(mina.device, current=make.PASSWORD, new="123456")
    assert len(mails()) == before


def test_an_address_that_nobody_confirmed_is_forgotten(mina):
    owner_mail.ask(mina.line.pk, address=ADDRESS, language="ko")
    clock.forget()
    assert MailAddress.objects.exists()
    hours.pass_by(minutes=31)
    clock.forget()
    assert not MailAddress.objects.exists()
    assert Message.objects.get(channel="mail").body is None


def test_two_who_type_the_letters_at_once_count_every_try(mina):
    owner_mail.ask(mina.line.pk, address=ADDRESS, language="ko")
    line = mina.line.pk
    at_once(*[lambda: owner_mail.confirm(line, "BBBBBBBB")] * 5)
    assert MailAddress.objects.get().wrong_letters == 5


def test_a_new_phone_and_the_old_one_are_told(mina):
    gives(mina)
    code = registration.issue_activation(mina.line, life=timedelta(hours=1))
    given = mina.phone.registration(code, make.PASSWORD)
    given.pop("activation_code"), given.pop("password")
    newer, _ = registration.register(
        code, phone=registration.Phone(**given), password=make.PASSWORD, address="203.0.113.77"
    )

    def told(device):
        return [message.body["notice"] for message in Message.objects.filter(device=device, kind="notice")]

    assert (told(mina.device), told(newer)) == (["replaced"], ["registered"])
    assert "휴대폰에 안심 앱을 새로 등록했어요" in mails()[-1]["text"]


def test_the_first_phone_is_told_nothing(mina):
    assert not Message.objects.filter(kind="notice").exists()
