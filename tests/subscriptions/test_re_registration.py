"""The app again: identity, letters by SMS and the old password; strangers learn nothing (S5, invariants 1, 5, 6)."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from pushes.models import Message
from subscriptions import enrolment, leaving, pending, re_registration
from subscriptions.models import PendingChange
from tests import make
from tests.subscriptions.test_activation import register
from tests.subscriptions.visitors import Visitor
from tests.verification import hours
from tests.verification.crowd import at_once
from verification import letters, registration, sms
from verification.models import Letters, Line

RESET = PendingChange.Kind.RESET


class Owner(Visitor):
    """Somebody at the page where the app is registered again."""

    def __init__(self, person, **browser):
        super().__init__(**browser)
        self.person = person

    def asks(self, **differing):
        typed = make.identity(self.person)
        given = {"birthdate": typed.birthdate, "gender_digit": typed.gender_digit, "phone": typed.phone}
        return self.post("/app-again", **{**given, **differing})

    def types(self, told):
        return self.to(self.post("/app-again/letters", letters=told))

    def proves(self):
        """Up to the password."""
        self.asks()
        assert self.types(told(self.person)) == "/app-again/password"
        return self

    def gives(self, password):
        return self.to(self.post("/app-again/password", password=password))

    def to(self, answer):
        return answer.headers["Location"].removeprefix(self.prefix) if answer.status_code == 303 else None

    def said(self, path):
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.get(path).content.decode()))

    @property
    def code(self):
        first, second = re.search(
            r"<span>(\w{5})</span><span>(\w{5})</span>", self.get("/app-again/code").content.decode()
        ).groups()
        return first + second


def texts(person):
    sent = Message.objects.filter(kind="sms").order_by("created_at")
    return [message.body["text"] for message in sent if message.body["to"] == person.phone]


def told(person):
    """The newest letters that were sent to that person."""
    return re.search(r"[A-Z]{4}-[A-Z]{4}", texts(person)[-1])[0]


def notices(device):
    return [message.body["notice"] for message in Message.objects.filter(device=device, kind="notice")]


def removed():
    """A member who took the app off the phone."""
    mina = make.Member()
    registration.remove(mina.device, password=make.PASSWORD)
    return mina


# --- With the old password --------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_mina_who_removed_the_app_registers_it_again_by_herself(prefix):
    mina = removed()
    browser = Owner(mina.person, prefix=prefix).proves()
    assert browser.gives(make.PASSWORD) == "/app-again/code"
    assert browser.get("/app-again/code/state").json() == {"state": "waiting"}
    register(browser.code)
    assert browser.get("/app-again/code/state").json() == {"state": "registered"}
    assert Line.objects.get().device_id is not None


@pytest.mark.django_db
def test_the_phone_that_is_registered_is_told_twice_and_then_powerless():
    mina = make.Member()
    browser = Owner(mina.person).proves()
    browser.gives(make.PASSWORD)
    assert notices(mina.device) == ["re_registration"]
    assert Line.objects.get().device_id == mina.device.pk, "until then it stays the line's phone"
    register(browser.code)
    assert notices(mina.device) == ["re_registration", "replaced"]
    assert Line.objects.get().device_id != mina.device.pk


@pytest.mark.django_db
def test_small_letters_blanks_and_no_hyphen_are_fine_and_letters_that_are_no_letters_are_no_try():
    mina = removed()
    browser = Owner(mina.person)
    browser.asks()
    for nonsense in ("", "KRTN", "12345678", "한글한글한글한글", "KRTNWQXBB", "krtn wqx!"):
        assert browser.types(nonsense) is None
    assert Letters.objects.get().tries_left == 5
    assert browser.types(told(mina.person).lower().replace("-", " ")) == "/app-again/password"


@pytest.mark.django_db
def test_wrong_passwords_are_counted_with_all_others_and_the_fifth_locks():
    mina = make.Member()
    browser = Owner(mina.person).proves()
    for left in (4, 3, 2):
        answer = browser.post("/app-again/password", password="918273")
        assert f"{left}번 더" in answer.content.decode()
    assert "한 번 더 틀리면 잠겨요" in browser.post("/app-again/password", password="918273").content.decode()
    assert browser.gives("918273") == "/app-again/password"
    assert Line.objects.get().wrong_passwords == 5
    assert "잠갔어요" in browser.said("/app-again/password")
    assert "1566-4380" in browser.said("/app-again/password")
    assert browser.gives(make.PASSWORD) == "/app-again/password", "the right one is too late"
    assert Line.objects.get().activation_fingerprint is None
    assert "locked" in notices(mina.device)


@pytest.mark.django_db
def test_the_right_password_resets_the_count():
    mina = make.Member()
    browser = Owner(mina.person).proves()
    browser.gives("918273")
    browser.gives(make.PASSWORD)
    assert Line.objects.get().wrong_passwords == 0


@pytest.mark.django_db(transaction=True)
def test_letters_are_good_for_one_code_however_many_ask_at_once():
    mina = make.Member()
    asked = letters.ask(make.identity(mina.person), address="203.0.113.9")
    letters.confirm(asked, told(mina.person))

    came = at_once(*[lambda: re_registration.issue(asked, password=make.PASSWORD)] * 6)

    assert sum(isinstance(one, enrolment.Joined) for one in came) == 1
    assert {one.code for one in came if not isinstance(one, enrolment.Joined)} == {"closed"}


@pytest.mark.django_db(transaction=True)
def test_wrong_letters_at_the_same_instant_are_counted_exactly():
    mina = make.Member()
    asked = letters.ask(make.identity(mina.person), address="203.0.113.9")

    came = at_once(*[lambda: letters.confirm(asked, "BBBBBBBB")] * 8)

    assert sorted(refusal.extra.get("tries_left", -1) for refusal in came) == [-1, -1, -1, 0, 1, 2, 3, 4]
    assert letters.confirm(asked, told(mina.person)).code == "closed"


@pytest.mark.django_db
def test_letters_die_after_ten_minutes_and_when_newer_ones_are_sent():
    mina = removed()
    first = Owner(mina.person)
    first.asks()
    old = told(mina.person)
    second = Owner(mina.person)
    second.asks()
    assert first.types(old) == "/app-again"
    hours.pass_by(minutes=11)
    assert second.types(told(mina.person)) == "/app-again"


@pytest.mark.django_db
def test_right_letters_wait_ten_minutes_for_the_password_and_no_longer():
    mina = removed()
    browser = Owner(mina.person).proves()
    hours.pass_by(minutes=11)
    assert browser.gives(make.PASSWORD) == "/app-again"
    assert Line.objects.get().activation_fingerprint is None


@pytest.mark.django_db
def test_only_three_texts_go_to_a_line_in_an_hour_and_the_page_looks_the_same():
    mina = removed()
    pages = []
    for _ in range(5):
        browser = Owner(mina.person)
        assert browser.to(browser.asks()) == "/app-again/letters"
        pages.append(browser.said("/app-again/letters"))
    assert len(texts(mina.person)) == 3
    assert len(set(pages)) == 1
    assert Owner(mina.person).types(told(mina.person)) == "/app-again"


@pytest.mark.django_db
def test_no_more_codes_once_a_phone_was_registered_or_half_an_hour_is_over():
    mina = removed()
    browser = Owner(mina.person).proves()
    browser.gives(make.PASSWORD)
    register(browser.code)
    assert browser.to(browser.post("/app-again/code")) == "/app-again/code"
    assert Line.objects.get().activation_fingerprint is None


# --- Strangers --------------------------------------------------------------------------------------------------------


def strangers():
    """A member, a member without the app, somebody who never joined, a KT line, nobody; each with a wrong birth date
    but the one who never joined, whose data are right."""
    right = make.person()
    wrong = [make.Member().person, make.member_without_app(), make.person(carrier="KT"), make.people.somebody_new()]
    return [(right, {}), *[(one, {"birthdate": "700101", "gender_digit": "1"}) for one in wrong]]


@pytest.mark.django_db
def test_a_stranger_sees_the_same_for_everybody_and_no_text_is_sent():
    seen = set()
    for somebody, differing in strangers():
        thief = Owner(somebody)
        answer = thief.asks(**differing)
        lines = [(answer.status_code, answer.headers["Location"])]
        page = thief.said("/app-again/letters").replace(somebody.phone[-4:], "…")
        lines.append(re.sub("…(으로|로)", "…", page))
        for _ in range(5):
            wrong = thief.post("/app-again/letters", letters="BBBBBBBB")
            text = re.sub(r'value="[^"]{64}"', "", wrong.content.decode()).replace(somebody.phone[-4:], "…")
            lines.append((wrong.status_code, re.sub("…(으로|로)", "…", text)))
        lines.append(thief.to(thief.get("/app-again/password")))
        seen.add(tuple(lines))
        assert texts(somebody) == []
    assert len(seen) == 1


@pytest.mark.django_db
def test_asking_costs_the_same_statements_for_everybody(django_assert_num_queries):
    for somebody, differing in [*strangers(), (make.Member().person, {})]:
        identity = make.identity(somebody)
        if differing:
            identity = type(identity)("700101", "1", identity.phone)
        with django_assert_num_queries(6):  # begin and end, the line, the count, the older ones, the row
            letters.ask(identity, address="203.0.113.9")


@pytest.mark.django_db
def test_guessing_birth_dates_ends_in_silence_for_right_data_as_well():
    mina = removed()
    wrong = make.identity(mina.person)
    for _ in range(10):
        letters.ask(type(wrong)("700101", "1", wrong.phone), address="203.0.113.9")
    letters.ask(wrong, address="203.0.113.9")
    assert texts(mina.person) == []
    letters.ask(wrong, address="198.51.100.7")
    assert len(texts(mina.person)) == 1, "and strangers do not keep the owner out"


@pytest.mark.django_db
def test_the_carrier_away_is_said_and_nothing_is_written(fail):
    mina = removed()
    fail("carrier", "error", 1)
    assert Owner(mina.person).asks().status_code == 503
    assert not Letters.objects.exists()


@pytest.mark.django_db
def test_steps_out_of_turn_start_over():
    mina = removed()
    browser = Owner(mina.person)
    for path in ("/app-again/letters", "/app-again/password", "/app-again/code"):
        assert browser.to(browser.get(path)) == "/app-again"
        assert "처음부터 다시 시작해 주세요" in browser.said("/app-again")
    assert browser.gives(make.PASSWORD) == "/app-again"
    browser.asks()
    assert browser.gives(make.PASSWORD) == "/app-again", "the password without the letters"


@pytest.mark.django_db
def test_letters_alone_or_the_password_alone_register_nothing():
    mina = make.Member()
    Owner(mina.person).proves()
    assert Line.objects.get().activation_fingerprint is None


@pytest.mark.django_db
def test_the_database_knows_no_confirmed_letters_of_a_stranger():
    asked = letters.ask(make.identity(make.person()), address="203.0.113.9")
    with pytest.raises(IntegrityError, match="letters_confirmed_have_line"), transaction.atomic():
        Letters.objects.filter(pk=asked).update(confirmed_at=timezone.now())


# --- What goes by SMS -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_no_text_to_a_protected_line_ever_carries_a_number():
    mina = make.Member()
    Owner(mina.person).proves().gives(make.PASSWORD)
    make.verification(mina.person)
    said = texts(mina.person)
    assert said
    for text in said:
        assert not re.search(r"\d[\d\s-]{2,}\d", text.replace("10분", "")), text


def test_the_text_is_one_sms():
    words = sms.letters_words("KRTNWQXB")
    assert len(words.encode("euc-kr")) <= 90
    assert "KRTN-WQXB" in words


# --- Without the password: the call centre's reset --------------------------------------------------------------------


@pytest.mark.django_db
def test_a_reset_that_nobody_stopped_in_a_day_needs_no_password_and_is_used_once():
    mina = make.Member()
    pending.ask(mina.person.contract, RESET, by=None)
    assert notices(mina.device) == ["reset_requested"]
    hours.pass_by(hours=25)
    browser = Owner(mina.person).proves()
    assert "비밀번호를 묻지 않아요" in browser.said("/app-again/password")
    assert browser.gives("") == "/app-again/code"
    assert notices(mina.device)[-1] == "re_registration"
    register(browser.code)
    assert PendingChange.objects.get().done_at
    again = Owner(mina.person).proves()
    assert "쓰던 앱 비밀번호를 입력해 주세요" in again.said("/app-again/password")


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["waiting", "stopped", "lapsed"])
def test_a_reset_does_not_help_before_its_day_after_a_stop_or_after_a_week(state):
    mina = make.Member()
    pending.ask(mina.person.contract, RESET, by=None)
    if state == "stopped":
        pending.stop(mina.line)
    hours.pass_by(**{"waiting": {"hours": 23}, "stopped": {"hours": 25}, "lapsed": {"days": 9}}[state])
    browser = Owner(mina.person).proves()
    assert browser.gives("") is None
    assert Line.objects.get().activation_fingerprint is None
    assert ("기다려 주세요" in browser.said("/app-again/password")) is (state == "waiting")


@pytest.mark.django_db
def test_a_lapsed_reset_is_over_and_another_one_can_be_taken_down():
    mina = make.Member()
    first = pending.ask(mina.person.contract, RESET, by=None)
    hours.pass_by(days=9)
    pending.lapse()
    first.refresh_from_db()
    assert first.stopped_at
    assert pending.ask(mina.person.contract, RESET, by=None).pk != first.pk


@pytest.mark.django_db
def test_after_five_wrong_passwords_a_reset_is_the_way_and_ends_the_lock():
    mina = make.Member()
    Line.objects.update(wrong_passwords=5)
    pending.ask(mina.person.contract, RESET, by=None)
    browser = Owner(mina.person).proves()
    assert "접수되어 있어요" in browser.said("/app-again/password")
    hours.pass_by(hours=25)
    browser = Owner(mina.person).proves()
    browser.gives("")
    register(browser.code)
    assert Line.objects.get().wrong_passwords == 0


@pytest.mark.django_db
def test_who_never_registered_an_app_is_sent_to_the_call_centre_and_gets_in_a_day_later():
    somebody = make.member_without_app()
    browser = Owner(somebody).proves()
    assert "1566-4380" in browser.said("/app-again/password")
    assert browser.gives("259173") == "/app-again/password"
    pending.ask(somebody.contract, RESET, by=None)
    hours.pass_by(hours=25)
    browser = Owner(somebody).proves()
    assert browser.gives("") == "/app-again/code"
    register(browser.code)


@pytest.mark.django_db
def test_who_left_meanwhile_gets_nothing():
    mina = make.Member()
    browser = Owner(mina.person).proves()
    leaving.cancel(mina.person.contract, reason="customer")
    assert browser.gives(make.PASSWORD) == "/app-again"
    assert Line.objects.get().activation_fingerprint is None


@pytest.mark.django_db
def test_what_no_limit_counts_any_longer_is_forgotten():
    mina = removed()
    letters.ask(make.identity(mina.person), address="203.0.113.9")
    letters.forget(now=timezone.now())
    assert Letters.objects.count() == 1
    letters.forget(now=timezone.now() + timedelta(days=1, seconds=1))
    assert not Letters.objects.exists()
