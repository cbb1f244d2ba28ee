"""Joining on the web: the wizard, its verdict, its last button, and everything a browser does wrong (S4, S5, S7)."""

import re
import uuid
from datetime import date, timedelta

import pytest
from django.utils import timezone
from django.utils.translation import override

from ansim.lib import birth, fingerprint
from subscriptions import consents, enrolment, forecast, join_pages, leaving, proving
from subscriptions.models import Consent, ConsentDocument, Subscription
from tests import make
from tests.subscriptions.test_activation import register
from tests.subscriptions.visitors import Visitor, by_app, by_sms, identified
from tests.verification import hours
from tests.verification.crowd import at_once
from verification import carrier, flow
from verification.models import Line, Verification

REQUIRED = {"terms": "on", "collect": "on", "share": "on"}


class Newcomer(Visitor):
    """Somebody with a browser who wants to join."""

    def __init__(self, person=None, **browser):
        super().__init__(**browser)
        self.person = person or make.person()

    def agrees(self, **ticked):
        return self.begin("/join/consents", **(ticked or REQUIRED))

    def proves(self, **ticked):
        """Up to the last page, proved by SMS."""
        by_sms(self.person, self.agrees(**ticked))
        assert self.to(self.get("/join/proved")) == "/join/confirm"
        return self

    def joins(self):
        return self.to(self.post("/join/confirm"))

    def to(self, answer):
        """Where it leads, without the language; None for a page."""
        return answer.headers["Location"].removeprefix(self.prefix) if answer.status_code == 303 else None

    def said(self, path):
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.get(path).content.decode()))

    @property
    def code(self):
        """The activation code on the page."""
        first, second = re.search(r"<span>(\w{5})</span><span>(\w{5})</span>", self.page()).groups()
        return first + second

    def page(self, path="/join/app"):
        return self.get(path).content.decode()


def nothing_is_stored():
    return not Subscription.objects.exists() and not Consent.objects.exists()


# --- The straight road ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_mina_joins_and_registers_the_app_with_the_code_on_the_page(prefix):
    mina = Newcomer(prefix=prefix)
    assert mina.get("/join").status_code == 200
    mina.proves()
    assert nothing_is_stored(), "nothing is kept before the last button"

    assert mina.joins() == "/join/app"

    subscription = Subscription.objects.get()
    line = subscription.line
    assert (subscription.state, line.protection, line.phone) == ("active", "on", mina.person.phone)
    kept = subscription.consents.values_list("document__kind", "agreed", "channel")
    assert sorted(kept) == [(kind, True, "web") for kind in ("collect", "share", "terms")]
    assert mina.get("/join/app/state").json() == {"state": "waiting"}
    register(mina.code)
    assert mina.get("/join/app/state").json() == {"state": "registered"}
    assert "activation" not in mina.page()


@pytest.mark.django_db
def test_the_last_page_names_the_price_the_first_bill_and_only_masked_data():
    mina = Newcomer().proves()
    said, bill = mina.said("/join/confirm"), forecast.of_joining(Line.objects.get())
    assert "월 1,100원으로 가입하기" in said
    assert f"{bill.days}일분 {bill.amount}원" in said
    assert mina.person.name not in said
    assert mina.person.phone[-8:] not in said.replace("-", "")


@pytest.mark.django_db
def test_the_first_step_asks_nothing_and_the_second_has_nothing_ticked():
    mina = Newcomer()
    assert "<input" not in mina.page("/join")
    page = mina.page("/join/consents")
    assert page.count('type="checkbox"') == 4
    assert " checked" not in page


@pytest.mark.django_db
def test_marketing_is_kept_only_when_it_was_ticked():
    mina = Newcomer().proves(**REQUIRED, marketing="on")
    mina.joins()
    assert Consent.objects.filter(document__kind="marketing", agreed=True).count() == 1


@pytest.mark.django_db
def test_who_leaves_joins_again_at_once_in_the_same_browser():
    mina = Newcomer().proves()
    mina.joins()
    leaving.cancel(mina.person.contract, reason="customer")
    assert mina.to(mina.get("/join/app")) == "/join"

    mina.proves()

    assert mina.joins() == "/join/app"
    assert list(Subscription.objects.order_by("joined_at").values_list("state", flat=True)) == ["ended", "active"]


@pytest.mark.django_db
def test_the_app_can_be_registered_in_that_browser_for_a_day_with_new_codes():
    mina = Newcomer().proves()
    mina.joins()
    first = mina.code
    assert mina.to(mina.post("/join/app")) == "/join/app"
    second = mina.code
    assert first != second
    hours.pass_by(minutes=11)
    assert "코드의 시간이 지났어요" in mina.page()
    mina.post("/join/app")
    register(mina.code)


@pytest.mark.django_db
def test_once_the_app_is_registered_that_browser_gets_no_more_codes():
    mina = Newcomer().proves()
    mina.joins()
    register(mina.code)
    before = Line.objects.get()
    mina.post("/join/app")
    assert Line.objects.get().activation_fingerprint is None
    assert Line.objects.get().device_id == before.device_id


# --- Consents ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("left_out", sorted(REQUIRED))
def test_without_a_required_consent_nobody_is_even_asked_who_they_are(left_out):
    mina = Newcomer()
    answer = mina.post("/join/consents", **{kind: "on" for kind in REQUIRED if kind != left_out}, marketing="on")
    assert answer.status_code == 200
    assert "<title>오류: " in answer.content.decode()
    assert answer.content.decode().count(" checked") == 3, "what was ticked stays ticked"
    assert not Verification.objects.exists()


@pytest.mark.django_db
def test_a_version_that_begins_on_the_way_is_asked_again_without_another_proof():
    mina = Newcomer().proves()
    new = ConsentDocument.objects.create(
        kind="terms", version="2999-01-01", starts_at=timezone.now(), required=True, title_ko="새 약관",
        title_en="New terms", body_ko="새", body_en="new",
    )  # fmt: skip

    assert mina.joins() == "/join/consents"
    assert nothing_is_stored()
    assert "약관이 바뀌었어요" in mina.page("/join/consents")
    assert mina.to(mina.post("/join/consents", **REQUIRED)) == "/join/confirm"
    assert mina.joins() == "/join/app"
    assert Consent.objects.get(document__kind="terms").document_id == new.pk


# --- The verdict ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_reason_stands_on_the_page_at_once_with_what_would_change_it_and_nothing_is_kept():
    child = make.person(
        carrier="SKT_MVNO", plan_type="prepaid",
        handset={"model": "iPad16,3", "os": "ios", "os_version": "5.1", "form": "tablet"},
    )  # fmt: skip
    said = (visitor := Newcomer(child).proves()).said("/join/confirm")
    for words in ("SKT 알뜰폰 회선이에요", "선불 요금제예요", "태블릿(iPad16,3)", "5.1 버전", "저장하지 않았어요"):
        assert words in said
    assert "가입하기</button>" not in visitor.page("/join/confirm")
    assert visitor.joins() == "/join/confirm"
    assert nothing_is_stored()


@pytest.mark.django_db
@pytest.mark.parametrize("days", [0, 1])
def test_a_minor_is_told_from_which_day_on_also_one_day_before(days):
    today = birth.today()
    turns = today + timedelta(days=days)
    born = turns.replace(year=turns.year - 19)
    mina = make.people.Person("안유진", born.isoformat(), "F", make.people.somebody_new().phone)
    make.httpx.post(f"{make.settings.WORLD_URL}/world/lines", json=mina.in_the_world()).raise_for_status()
    visitor = Newcomer(mina).proves()
    said = visitor.said("/join/confirm")
    if days:
        assert f"{turns.year}년 {turns.month}월 {turns.day}일부터 가입할 수 있어요" in said
        assert visitor.joins() == "/join/confirm"
        assert nothing_is_stored()
    else:
        assert visitor.joins() == "/join/app"


def test_who_was_born_on_29_february_may_join_on_1_march_of_a_common_year():
    assert birth.adult_on(date(2008, 2, 29)) == date(2027, 3, 1)


@pytest.mark.django_db
def test_every_code_of_the_contract_has_its_words_in_both_languages():
    facts = carrier.look_up(make.person(carrier="KT").phone)
    codes = [
        "not_skt",
        "not_individual",
        "not_own_name",
        "minor",
        "prepaid",
        "m2m",
        "special_plan",
        "unsupported_os",
        "old_os",
        "tablet",
        "line_not_active",
        "already_joined",
    ]
    for language in ("ko", "en"):
        with override(language):
            words = [(str(reason.what), str(reason.cure)) for reason in join_pages.reasons(codes, facts)]
        assert all(what and cure for what, cure in words)
        assert len(set(words)) == len(codes)
        assert language == "ko" or not re.search("[가-힣]", str(words))


@pytest.mark.django_db
def test_a_member_learns_it_only_after_the_app_proved_it():
    member = make.Member()
    visitor = Newcomer(member.person)
    proof = visitor.agrees()
    assert "이미 가입한 번호예요" not in visitor.said("/join/proved")
    by_app(member, proof)
    assert visitor.to(visitor.get("/join/proved")) == "/join/confirm"
    assert "이미 가입한 번호예요" in visitor.said("/join/confirm")
    assert visitor.joins() == "/join/confirm"
    assert Subscription.objects.count() == 1


@pytest.mark.django_db
def test_a_member_without_the_app_never_gets_a_number_by_sms_and_is_led_to_the_app():
    somebody = make.member_without_app()
    visitor = Newcomer(somebody)
    assert identified(somebody, visitor.agrees()).reason == "app_not_registered"
    said = visitor.page("/join/proved")
    assert "이미 가입한 번호예요" in said
    assert "/app-again" in said
    assert not make.Verification.objects.filter(channel="sms").exists()


@pytest.mark.django_db
def test_a_stranger_who_guesses_the_birth_date_sees_the_same_for_members_others_and_nobody():
    pages = []
    for somebody in (make.Member().person, make.person(), make.person(carrier="KT"), make.people.somebody_new()):
        visitor = Newcomer(somebody)
        asked = Verification.objects.get(pk=visitor.agrees())
        wrong = make.identity(somebody)
        other = "1" if wrong.gender_digit != "1" else "2"
        guess = type(wrong)("700101", other, wrong.phone)
        for _ in range(3):
            flow.identify(asked, identity=guess, address="203.0.113.9", region="")
        pages.append(visitor.said("/join/proved"))
    assert len(set(pages)) == 1
    assert "본인확인을 마치지 못했어요" in pages[0]


# --- Steps out of turn ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["/join/proved", "/join/confirm", "/join/app"])
def test_a_step_that_is_skipped_starts_over_and_says_why(step):
    mina = Newcomer()
    assert mina.to(mina.get(step)) == "/join"
    assert "처음부터 다시 시작해 주세요" in mina.said("/join")
    assert "처음부터 다시 시작해 주세요" not in mina.said("/join"), "it is said once"


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["/join/confirm", "/join/app", "/join/again"])
def test_a_forged_form_without_the_steps_before_stores_nothing(step):
    mina = Newcomer()
    assert mina.to(mina.post(step, verification=str(uuid.uuid4()), phone=mina.person.phone)) == "/join"
    assert nothing_is_stored()


@pytest.mark.django_db
def test_the_query_of_the_way_back_is_not_believed():
    mina = make.person()
    other = proving.ask("join", back="/join/proved")
    by_sms(mina, other.verification)
    thief = Newcomer()
    thief.agrees()
    answer = thief.get("/join/proved", verification_id=str(other.verification), state="verified")
    assert thief.to(answer) is None
    assert thief.to(thief.post("/join/confirm")) == "/join"


@pytest.mark.django_db
def test_another_browser_cannot_go_on_with_a_proof_nor_with_a_changed_cookie():
    mina = Newcomer().proves()
    thief = Newcomer(mina.person)
    assert thief.joins() == "/join"
    for cookie in list(mina.client.cookies.values()):
        if cookie.key.startswith("join"):
            thief.client.cookies[cookie.key] = cookie.value[:-6] + "AAAAAA"
    assert thief.joins() == "/join"
    assert nothing_is_stored()


@pytest.mark.django_db
def test_a_cookie_of_another_road_is_no_proof_here():
    mina = Newcomer().proves()
    for language in ("ko", "en"):
        mina.client.cookies[f"cancel-{language}"] = mina.client.cookies[f"join-{language}"].value
    assert mina.to(mina.get("/cancel/confirm")) == "/cancel"


@pytest.mark.django_db
def test_a_result_that_was_erased_after_ten_minutes_joins_nobody():
    mina = Newcomer().proves()
    hours.pass_by(minutes=11)
    assert mina.joins() == "/join"
    assert nothing_is_stored()
    assert mina.to(mina.get("/join/confirm")) == "/join"


@pytest.mark.django_db
def test_a_proof_that_is_given_up_can_be_begun_again_with_the_same_consents():
    mina = Newcomer()
    proof = mina.agrees()
    assert "이어서 확인하기" in mina.said("/join/proved")
    flow.cancel(reason="cancelled_by_customer", pk=proof)
    assert "다시 확인하기" in mina.said("/join/proved")
    by_sms(mina.person, mina.begin("/join/again"))
    assert mina.to(mina.get("/join/proved")) == "/join/confirm"
    assert mina.joins() == "/join/app"


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused():
    mina = Newcomer().proves()
    mina.client.handler.enforce_csrf_checks = True
    assert mina.post("/join/confirm").status_code == 403
    assert nothing_is_stored()


@pytest.mark.django_db
def test_the_carrier_away_changes_nothing_and_the_form_can_be_sent_again(fail):
    mina = Newcomer().proves()
    fail("carrier", "error", 1)
    assert mina.post("/join/confirm").status_code == 503
    assert nothing_is_stored()
    assert mina.joins() == "/join/app"


@pytest.mark.django_db
def test_a_line_that_became_somebody_elses_meanwhile_joins_nobody():
    mina = Newcomer().proves()
    make.httpx.post(
        f"{make.settings.WORLD_URL}/world/lines",
        json={
            "contract": mina.person.contract,
            "holder": {"name": "도둑", "birthdate": "1980-01-01", "gender": "M", "foreigner": False, "ci": "A" * 88},
        },
    ).raise_for_status()
    assert mina.joins() == "/join"
    assert nothing_is_stored()


# --- Twice, and at once -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_form_again_joins_once_and_leads_to_the_same_next_page():
    mina = Newcomer().proves()
    kept = {cookie.key: cookie.value for cookie in mina.client.cookies.values()}
    assert mina.joins() == "/join/app"
    assert mina.joins() == "/join/app", "the answer came, and the button was pressed again"
    mina.client.cookies.load(kept)  # it never came
    assert mina.joins() == "/join/app"
    assert Subscription.objects.count() == 1
    assert Consent.objects.count() == 3
    register(mina.code)


@pytest.mark.django_db(transaction=True)
def test_of_many_presses_at_the_same_instant_one_joins_and_all_go_on():
    somebody = make.person()
    asked = proving.ask("join", back="/join/proved")
    by_sms(somebody, asked.verification)
    person, agreed = proving.proved(asked.verification), consents.required_now()

    came = at_once(*[lambda: enrolment.join_proved(person, agreed=agreed)] * 6)

    assert len({one.subscription.pk for one in came}) == 1
    assert Subscription.objects.count() == 1
    newest = Line.objects.get().activation_fingerprint
    assert newest in {fingerprint.of("activation", one.activation_code) for one in came}


@pytest.mark.django_db
def test_one_proof_never_joins_a_second_time_after_leaving():
    asked = proving.ask("join", back="/join/proved")
    somebody = make.person()
    by_sms(somebody, asked.verification)
    person = proving.proved(asked.verification)
    enrolment.join_proved(person, agreed=consents.required_now())
    leaving.cancel(somebody.contract, reason="customer")
    with pytest.raises(enrolment.ProofUsed):
        enrolment.join_proved(person, agreed=consents.required_now())


# --- What the world sees ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_pages_are_kept_by_no_cache_and_cookies_are_closed_to_scripts_and_to_other_paths():
    mina = Newcomer().proves()
    mina.joins()
    for path in ("/join", "/join/consents", "/join/app", "/join/app/state"):
        assert "no-store" in mina.get(path).headers["Cache-Control"]
    ours = [cookie for cookie in mina.client.cookies.values() if cookie.key.startswith("join") and cookie.value]
    assert ours
    for cookie in ours:
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] in ("/join", "/en/join")
        assert mina.person.phone[-8:] not in cookie.value


@pytest.mark.django_db
def test_what_the_waiting_page_asks_is_small():
    mina = Newcomer().proves()
    mina.joins()
    assert len(mina.get("/join/app/state").content) <= 300
    assert Newcomer().get("/join/app/state").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/join", "/join/", "/en/join", "/en/join/", "/cancel", "/cancel/", "/app-again"])
def test_the_fixed_addresses_answer_with_and_without_a_slash(path):
    assert Visitor().get(path).status_code == 200
