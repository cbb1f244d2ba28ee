"""The e-mail address on my page: masked, confirmed, one's own (mission.md invariants 5, 6, 10)."""

import re

import pytest

from pushes.models import MailAddress, Message
from tests import make
from tests.subscriptions.visitors import Visitor
from tests.verification import hours
from verification import not_me

pytestmark = pytest.mark.django_db
ADDRESS = "minseo@example.com"


@pytest.fixture
def mina():
    return Visitor(make.Member()).signed_in()


def letters():
    newest = Message.objects.filter(channel="mail").latest("created_at")
    return re.search(r"\b[B-Z]{8}\b", newest.body["text"])[0]


def test_an_address_is_given_confirmed_changed_and_removed(mina):
    assert mina.post("/my/mail", do="ask", address=ADDRESS).status_code == 303
    waiting = mina.get("/my/mail").content.decode()
    assert "확인을 기다려요" in waiting
    assert mina.post("/my/mail", do="confirm", letters=letters()).status_code == 303
    for page in ("/my", "/my/mail"):
        shown = mina.get(page).content.decode()
        assert "mi***@example.com" in shown
        assert ADDRESS not in shown
    assert mina.post("/my/mail", do="remove").status_code == 303
    assert not MailAddress.objects.exists()


def test_what_is_no_address_is_said_and_kept(mina):
    for typed in ("", "minseo", "minseo@", "a@b.c\nBcc: x@y.z", "x" * 250 + "@example.com"):
        answer = mina.post("/my/mail", do="ask", address=typed)
        assert answer.status_code == 400
        assert "이메일 주소로 읽을 수 없어요" in answer.content.decode()
    assert not Message.objects.filter(channel="mail").exists()


def test_wrong_letters_are_said_and_change_nothing(mina):
    mina.post("/my/mail", do="ask", address=ADDRESS)
    answer = mina.post("/my/mail", do="confirm", letters="BBBBBBBB")
    assert answer.status_code == 400
    assert "글자가 다르거나 시간이 지났어요" in answer.content.decode()
    assert MailAddress.objects.get().address is None


def test_nobodys_mailbox_is_filled_from_here(mina):
    answers = [mina.post("/my/mail", do="ask", address=f"someone{n}@example.com").status_code for n in range(6)]
    assert answers == [303] * 5 + [429]


def test_only_who_is_signed_in_and_only_ones_own(mina):
    mina.post("/my/mail", do="ask", address=ADDRESS)
    for deed in ("ask", "confirm", "remove"):
        answer = Visitor().post("/my/mail", do=deed, address="thief@example.com", letters=letters())
        assert (answer.status_code, answer.headers["Location"]) == (303, "/my")
    thief = Visitor(make.Member()).signed_in()
    assert thief.post("/my/mail", do="confirm", letters=letters()).status_code == 400
    assert "mi***" not in thief.get("/my/mail").content.decode()


def test_there_is_no_fourth_deed(mina):
    assert mina.post("/my/mail", do="read").status_code == 404


def test_without_a_mail_server_none_is_asked_for(mina, settings):
    settings.EMAIL_OFFERED = False
    assert mina.get("/my/mail").status_code == 404
    assert mina.post("/my/mail", do="ask", address=ADDRESS).status_code == 404
    assert "/my/mail" not in mina.get("/my").content.decode()


def test_after_three_reports_in_a_day_my_page_offers_to_stop_all(mina):
    member = mina.member
    for times in range(3):
        assert ("신고가 이어져요" in mina.get("/my").content.decode()) is False, times
        asked = make.verification(member.person, at=make.partner())
        not_me.report(asked.pk, line=member.line)
    assert "신고가 이어져요" in mina.get("/my").content.decode()
    mina.post("/my/controls", do="stop_all")
    assert "신고가 이어져요" not in mina.get("/my").content.decode()


def test_the_offer_goes_after_a_day(mina):
    for _ in range(3):
        asked = make.verification(mina.member.person, at=make.partner())
        not_me.report(asked.pk, line=mina.member.line)
    hours.pass_by(hours=25)
    assert not not_me.is_stop_all_offered(mina.member.line)
