"""My page: one's own, only one's own, and nothing turned down without the app (mission.md 2, invariants 6, 8, 10)."""

import csv
import io
import json
import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ansim import audit
from ansim.record_models import Action
from pushes.models import Message
from subscriptions import enrolment, leaving, pending, proving
from subscriptions.models import Consent, ConsentDocument, CustomerSession, PendingChange, Subscription
from tests import make
from tests.subscriptions.test_activation import register
from tests.subscriptions.visitors import CHROME, SAFARI, Visitor, by_app, by_sms, identified
from tests.verification import hours
from verification import controls, flow, registration
from verification.models import Case, Line, Release, Verification

pytestmark = pytest.mark.django_db
PAGES = ("/my", "/my/history", "/my/history.csv", "/my/bill", "/my/looks", "/my/sessions")


@pytest.fixture
def mina():
    return Visitor(make.Member()).signed_in()


def words(answer):
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def asked(visitor, *, at=None):
    return make.verification(visitor.member.person, at=at)


def verified(visitor, *, at=None):
    one = asked(visitor, at=at)
    flow.confirm(code=visitor.member.number(one), pk=one.pk)
    one.refresh_from_db()
    return one


# --- Signing in -------------------------------------------------------------------------------------------------------


def test_a_member_signs_in_with_the_app_in_both_languages():
    for prefix in ("", "/en"):
        mina = Visitor(make.Member(), prefix=prefix)
        assert not mina.inside
        assert mina.signed_in().inside


def test_who_comes_without_a_session_is_told_how_and_sees_nothing():
    stranger = Visitor()
    assert "앱으로 로그인하기" in words(stranger.get())
    for page in PAGES[1:]:
        answer = stranger.get(page)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/my")


def test_who_has_not_joined_is_told_so_after_the_identity_matched_and_led_to_joining():
    jiho = Visitor()
    by_sms(make.person(), jiho.begin())
    answer = jiho.get("/my/back")
    assert "아직 가입하지 않은 번호예요" in words(answer)
    assert 'href="/join"' in answer.content.decode()
    assert not CustomerSession.objects.exists()


def test_a_proof_that_did_not_end_well_signs_nobody_in():
    mina = Visitor(make.Member())
    identified(mina.member.person, mina.begin())
    assert "로그인하지 않았어요" in words(mina.get("/my/back"))
    assert not mina.inside


def test_only_the_browser_that_began_can_come_back():
    mina, thief = Visitor(make.Member()), Visitor(agent=CHROME)
    begun = mina.begin()
    by_app(mina.member, begun)
    thief.get("/my/back", verification_id=str(begun), state="verified")
    assert not thief.inside
    own = thief.begin()  # and a thief's own cookie names the thief's own proof, whatever the address says
    thief.get("/my/back", verification_id=str(begun), state="verified")
    assert not thief.inside
    assert own != begun
    mina.get("/my/back")
    assert mina.inside


def test_a_proofs_cookie_that_was_changed_is_none():
    mina = Visitor(make.Member())
    by_app(mina.member, mina.begin())
    for name, cookie in mina.client.cookies.items():
        if name.startswith("my-proof"):
            cookie.set(name, cookie.value[:-6] + "AAAAAA", cookie.coded_value[:-6] + "AAAAAA")
    mina.get("/my/back")
    assert not mina.inside


def test_coming_back_again_neither_fails_nor_opens_a_second_session(mina):
    assert mina.get("/my/back").headers["Location"] == "/my"
    assert CustomerSession.objects.count() == 1


def test_the_windows_of_one_address_are_limited():
    stranger = Visitor()
    answers = [stranger.post("/my/sign-in").status_code for _ in range(32)]
    assert answers.count(429) >= 1
    assert set(answers) == {303, 429}


# --- Staying in and being out -----------------------------------------------------------------------------------------


def test_the_cookie_in_another_browser_is_nobody(mina):
    other = Visitor(agent=SAFARI)
    other.client.cookies.update(mina.client.cookies)
    assert not other.inside
    assert mina.inside


def test_a_session_is_dead_at_once_after_leaving_removing_the_app_or_registering_another_phone(mina):
    person = mina.member.person
    others = [Visitor(make.Member()).signed_in() for _ in range(2)]
    leaving.cancel(person.contract, reason="customer")
    registration.remove(others[0].member.device, password=make.PASSWORD)
    register(enrolment.renew_activation(others[1].member.person.contract).activation_code)
    for visitor in (mina, *others):
        assert not visitor.inside
        assert visitor.post("/my/controls", do="stop_all").headers["Location"] == "/my"
    assert not Line.objects.filter(stop_all=True).exists()


def test_idle_for_a_quarter_of_an_hour_it_is_over_and_the_page_says_until_when(mina):
    answer = mina.get()
    seconds = int(re.search(r'data-seconds="(\d+)"', answer.content.decode())[1])
    assert 890 <= seconds <= 900
    hours.pass_by(minutes=14)
    assert 890 <= mina.post("/my/stay").json()["seconds_left"] <= 900
    hours.pass_by(minutes=15, seconds=1)
    assert not mina.inside
    assert mina.post("/my/stay").status_code == 303


def test_signing_out_ends_this_session_only(mina):
    phone = Visitor(mina.member, agent=SAFARI).signed_in()
    token = mina.client.cookies["my"].value
    mina.post("/my/sign-out")
    mina.client.cookies["my"] = token  # an old cookie is worth nothing
    assert (mina.inside, phone.inside) == (False, True)


def test_sessions_are_listed_by_their_browser_and_ended_one_by_one_or_all(mina):
    phone = Visitor(mina.member, agent=SAFARI).signed_in()
    assert {"Chrome · Windows", "Safari · iPhone"} <= set(
        re.findall(r"[A-Z]\w+ · \w+", words(mina.get("/my/sessions")))
    )
    theirs = CustomerSession.objects.get(browser="Safari · iPhone")
    mina.post("/my/sessions/end", session=str(theirs.pk))
    assert (mina.inside, phone.inside) == (True, False)
    mina.post("/my/sessions/end", session="all")
    assert not mina.inside
    assert Visitor(mina.member).signed_in().post("/my/sessions/end", session="x").status_code == 404


def test_nobody_ends_somebody_elses_session(mina):
    other = Visitor(make.Member()).signed_in()
    theirs = CustomerSession.objects.get(subscription__line=other.member.line)
    mina.post("/my/sessions/end", session=str(theirs.pk))
    assert other.inside


def test_every_form_needs_its_token():
    strict = Client(enforce_csrf_checks=True, headers={"user-agent": CHROME})
    for path in ("sign-in", "sign-out", "stay", "sessions/end", "controls", "pending/stop"):
        assert strict.post(f"/my/{path}").status_code == 403, path


def test_nothing_is_kept_by_a_cache_and_no_number_stands_in_an_address(mina):
    digits = mina.member.person.phone[-8:]
    for page in PAGES:
        answer = mina.get(page)
        assert answer.status_code == 200, page
        assert {"private", "no-store"} <= set(answer.headers["Cache-Control"].replace(" ", "").split(",")), page
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert digits not in content.decode(), page
    assert "010-****-" + digits[-4:] in words(mina.get())
    assert "no-store" in Visitor().get().headers["Cache-Control"]


def test_no_personal_data_reaches_the_log(mina, caplog):
    caplog.set_level(0)
    for page in PAGES:
        mina.get(page)
    said = caplog.text + " ".join(str(record.__dict__) for record in caplog.records)
    person = mina.member.person
    assert not any(secret in said for secret in (person.phone, person.phone[-8:], person.name, person.contract))
    assert mina.client.cookies["my"].value not in said


# --- The state --------------------------------------------------------------------------------------------------------


def test_the_first_card_says_what_is_so(mina):
    assert "보호 중" in words(mina.get())
    assert "SM-" in words(mina.get()) or mina.member.device.model in words(mina.get())

    subscription = Subscription.objects.get()
    subscription.suspended_at = timezone.now()
    subscription.save()
    said = words(mina.get())
    assert "일시 정지" in said
    assert "보호 중 " not in said


def test_a_cancellation_at_the_desk_is_shown_and_one_press_stops_it(mina):
    pending.ask(mina.member.person.contract, pending.Kind.CANCELLATION, by=None)
    assert "해지 접수" in words(mina.get())
    mina.post("/my/pending/stop")
    assert "멈췄어요" in words(mina.get())
    assert PendingChange.objects.get().stopped_at
    mina.post("/my/pending/stop")
    assert "멈췄어요" not in words(mina.get())


def release(visitor, partner):
    """As the app opened it, with the password."""
    now = timezone.now()
    return Release.objects.create(
        line=visitor.member.line, partner=partner, created_at=now, expires_at=now + timedelta(minutes=9)
    )


def test_a_live_release_is_shown_and_one_press_ends_it_but_the_web_never_starts_one(mina):
    shop = make.partner(name="자동서점")
    live = release(mina, shop)
    said = words(mina.get())
    assert "일시 해제 중" in said
    assert "자동서점" in said

    mina.post(f"/my/releases/{live.pk}/end")

    assert "일시 해제를 끝냈어요" in words(mina.get())
    assert asked(mina, at=shop).channel == "app"
    mina.post(f"/my/releases/{live.pk}/end")
    assert "이미 끝났어요" in words(mina.get())


def test_nobody_ends_somebody_elses_release(mina):
    other = Visitor(make.Member()).signed_in()
    live = release(other, make.partner())
    mina.post(f"/my/releases/{live.pk}/end")
    live.refresh_from_db()
    assert live.ended_at is None


# --- Protection up and down -------------------------------------------------------------------------------------------


def test_stop_all_goes_on_with_one_press_and_ends_what_is_open(mina):
    one = asked(mina)
    mina.post("/my/controls", do="stop_all")
    one.refresh_from_db()
    assert (one.state, one.reason) == ("failed", "line_blocked")
    assert mina.member.line.stop_all
    assert "모두 막기 켜짐" in words(mina.get())
    assert asked(mina).reason == "line_blocked"


def test_stop_all_goes_off_only_with_the_app(mina):
    mina.post("/my/controls", do="stop_all")
    begun = mina.begin("/my/controls", do="allow_all")
    assert mina.member.line.stop_all

    mina.get("/my/back", verification_id=str(begun), state="verified")
    assert mina.member.line.stop_all
    by_app(mina.member, begun)
    assert mina.member.line.stop_all  # the proof alone does nothing: the browser has to come back
    mina.get("/my/back")

    assert not mina.member.line.stop_all
    assert "모두 막기를 껐어요" in words(mina.get())


def test_with_stop_all_on_the_owner_still_signs_in_with_the_app_and_nobody_else_gets_through(mina):
    mina.post("/my/controls", do="stop_all")
    assert Visitor(mina.member, agent=SAFARI).signed_in().inside
    assert asked(mina).reason == "line_blocked"


def test_a_partner_is_blocked_with_one_press_and_unblocked_only_with_the_app(mina):
    shop = make.partner(name="어떤가게")
    verified(mina, at=shop)
    mina.post("/my/controls", do="block", partner=str(shop.pk))
    assert asked(mina, at=shop).reason == "line_blocked"
    assert asked(mina).state == "awaiting_app"

    begun = mina.begin("/my/controls", do="unblock", partner=str(shop.pk))
    assert mina.member.line.blocked_partners == [shop.pk]
    by_app(mina.member, begun)
    mina.get("/my/back")

    assert mina.member.line.blocked_partners == []


def test_a_proof_turns_one_thing_down_once(mina):
    shop = make.partner()
    mina.post("/my/controls", do="block", partner=str(shop.pk))
    begun = mina.begin("/my/controls", do="unblock", partner=str(shop.pk))
    by_app(mina.member, begun)
    kept = {name: cookie.value for name, cookie in mina.client.cookies.items() if name.startswith("my-proof")}
    mina.get("/my/back")
    assert mina.member.line.blocked_partners == []

    mina.post("/my/controls", do="block", partner=str(shop.pk))
    for name, value in kept.items():
        mina.client.cookies[name] = value
    mina.get("/my/back")

    assert mina.member.line.blocked_partners == [shop.pk]
    assert "바꾸지 않았어요" in words(mina.get())


@pytest.mark.parametrize("purpose", ["login", "join", "change"])
def test_a_proof_for_anything_else_turns_nothing_down(mina, purpose):
    line = mina.member.line
    proof = proving.ask(purpose, back="/my/back").verification
    by_app(mina.member, proof)
    controls.change_proved(line.pk, lambda former: controls.Controls(True, former.blocked_partners), proof=None)
    with pytest.raises(controls.ProofNeeded):
        controls.change_proved(line.pk, lambda former: controls.Controls(False, former.blocked_partners), proof=proof)


def test_neither_another_lines_proof_nor_a_partners_nor_an_old_one_turns_anything_down(mina):
    jiho = make.Member()
    mina.post("/my/controls", do="stop_all")
    line = mina.member.line
    old = proving.ask("other", back="/my/back").verification
    by_app(mina.member, old)
    hours.pass_by(minutes=5, seconds=1)
    theirs = proving.ask("other", back="/my/back").verification
    by_app(jiho, theirs)
    for proof in (theirs, old, uuid.uuid4()):
        with pytest.raises(controls.ProofNeeded):
            controls.change_proved(line.pk, lambda former: controls.Controls(False, frozenset()), proof=proof)
    assert mina.member.line.stop_all


def test_a_shops_verification_by_the_same_app_turns_nothing_down(mina):
    shop = make.partner()
    one = make.verification(mina.member.person, at=shop, purpose="other")
    flow.confirm(code=mina.member.number(one), pk=one.pk)
    mina.post("/my/controls", do="stop_all")
    with pytest.raises(controls.ProofNeeded):
        controls.change_proved(mina.member.line.pk, lambda former: controls.Controls(False, frozenset()), proof=one.pk)


def test_a_wish_comes_true_for_its_own_session_only(mina):
    jiho = Visitor(make.Member()).signed_in()
    for visitor in (mina, jiho):
        visitor.post("/my/controls", do="stop_all")
    begun = mina.begin("/my/controls", do="allow_all")
    by_app(mina.member, begun)
    for name, cookie in mina.client.cookies.items():
        if name.startswith("my-proof"):
            jiho.client.cookies[name] = cookie.value
    jiho.get("/my/back")
    assert (mina.member.line.stop_all, jiho.member.line.stop_all) == (True, True)


@pytest.mark.parametrize("form", [
    {}, {"do": "release"}, {"do": "block"}, {"do": "block", "partner": "x"}, {"do": "unblock", "partner": "\x00"},
    {"do": "block", "partner": str(uuid.uuid4())}, {"do": "block", "partner": str(proving.SITE)},
])  # fmt: skip
def test_forged_wishes_are_refused(mina, form):
    assert mina.post("/my/controls", **form).status_code == 404
    assert (mina.member.line.stop_all, mina.member.line.blocked_partners) == (False, [])


# --- History ----------------------------------------------------------------------------------------------------------


def test_the_history_shows_all_also_unopened_ones_and_those_from_before_joining():
    person = make.person()
    shop = make.partner(name="옛날가게")
    by_sms_once = make.verification(person, at=shop)
    flow.cancel(reason="cancelled_by_partner", pk=by_sms_once.pk)
    mina = Visitor(make.Member(person)).signed_in()
    asked(mina, at=make.partner())

    said = words(mina.get("/my/history"))

    assert "진행 중" in said
    assert len(re.findall(r"/my/history/[0-9a-f-]{36}\"", mina.get("/my/history").content.decode())) == 3
    assert by_sms_once.line == mina.member.line


def test_what_was_before_this_owner_is_nowhere(mina):
    one = verified(mina)
    line = mina.member.line
    line.owner_since = timezone.now() + timedelta(seconds=1)
    line.save()
    assert str(one.pk) not in mina.get("/my/history").content.decode()
    assert mina.get(f"/my/history/{one.pk}").status_code == 404
    assert mina.get(f"/my/history/{one.pk}/receipt.jws").status_code == 404
    assert mina.post(f"/my/history/{one.pk}/not-me").status_code == 404
    assert len(rows_of(mina.get("/my/history.csv"))) == 1


def test_somebody_elses_is_as_unknown_as_what_there_is_not(mina):
    theirs = verified(Visitor(make.Member()))
    for path in ("", "/receipt.jws", "/not-me"):
        known, unknown = (mina.get(f"/my/history/{pk}{path}") for pk in (theirs.pk, uuid.uuid4()))
        assert (known.status_code, unknown.status_code) == (404, 404)
        same = [re.sub(rb"[0-9a-f-]{36}", b"", answer.content) for answer in (known, unknown)]
        assert same[0] == same[1]
    assert mina.post(f"/my/history/{theirs.pk}/not-me").status_code == 404
    assert not Case.objects.exists()


def many(visitor, count, *, partner=None):
    """That many ended verifications on the line, the newest last."""
    line, partner, now = visitor.member.line, partner or make.partner(name="많은가게"), timezone.now()
    rows = [
        Verification(
            partner=partner, reference=uuid.uuid4().hex, purpose="login",
            site={"name": partner.name, "domain": "a.example"}, state="cancelled", reason="cancelled_by_partner",
            line=line, line_serial=line.serial + 1 + number, tries_left=5, resends_left=3,
            created_at=now - timedelta(hours=count - number),
            matched_at=now - timedelta(hours=count - number), expires_at=now, ended_at=now,
            window_fingerprint=uuid.uuid4().hex,
        )
        for number in range(count)
    ]  # fmt: skip
    Verification.objects.bulk_create(rows, batch_size=1_000)
    Line.objects.filter(pk=line.pk).update(serial=line.serial + count)
    return partner


def test_pages_follow_each_other_without_gap_or_repeat(mina):
    many(mina, 45)
    seen, path = [], "/my/history"
    while path:
        page = mina.client.get(path).content.decode()
        seen += re.findall(r'href="/my/history/([0-9a-f-]{36})"', page)
        older = re.search(r'href="(/my/history\?[^"]*before=\d+)"', page)
        path = older and older[1].replace("&amp;", "&")
    newest_first = [str(pk) for pk in Verification.objects.order_by("-line_serial").values_list("pk", flat=True)]
    assert seen == newest_first
    assert len(seen) == 46


def test_the_filter_takes_site_result_and_month(mina):
    shop = make.partner(name="걸러낼가게")
    one = verified(mina, at=shop)
    many(mina, 3)
    query = {"partner": str(shop.pk), "result": "verified", "month": f"{timezone.localdate():%Y-%m}"}
    for name, value in query.items():
        found = re.findall(
            r'href="/my/history/([0-9a-f-]{36})"', mina.get("/my/history", **{name: value}).content.decode()
        )
        assert str(one.pk) in found
    both = mina.get("/my/history", **query).content.decode()
    assert re.findall(r'href="/my/history/([0-9a-f-]{36})"', both) == [str(one.pk)]
    assert "맞는 인증이 없어요" in words(mina.get("/my/history", month="2020-01"))


@pytest.mark.parametrize("query", [
    {"partner": "x"}, {"partner": "\x00"}, {"result": "x"}, {"month": "2026-13"}, {"month": "0000-01"},
    {"before": "-1"}, {"before": "9" * 19}, {"before": "9" * 400}, {"before": "١"}, {"month": "9999-12"},
])  # fmt: skip
def test_a_forged_filter_is_none(mina, query):
    assert mina.get("/my/history", **query).status_code == 200
    answer = mina.get("/my/history.csv", **query)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)


def test_one_of_them_tells_all_its_facts(mina):
    one = verified(mina, at=make.partner())
    said = words(mina.get(f"/my/history/{one.pk}"))
    for fact in ("책방 · 로그인", "bookshop.example", "인증 완료", "안심 앱", one.match_number, "서명된 영수증"):
        assert fact in said


def test_the_receipt_is_the_signed_one(mina):
    one = verified(mina, at=make.partner())
    answer = mina.get(f"/my/history/{one.pk}/receipt.jws")
    assert answer.content.decode() == one.receipt
    assert re.fullmatch(r'attachment; filename="ansim-receipt-[0-9-]{10}\.jws"', answer.headers["Content-Disposition"])
    unfinished = asked(mina, at=make.partner())
    assert mina.get(f"/my/history/{unfinished.pk}/receipt.jws").status_code == 404


def test_names_of_sites_are_text_and_never_markup(mina):
    shop = make.partner(name="<script>alert(1)</script>")
    one = asked(mina, at=shop)
    Verification.objects.filter(pk=one.pk).update(site={"name": "<img src=x>", "domain": "<b>"})
    for page in ("/my", "/my/history", f"/my/history/{one.pk}", f"/my/history/{one.pk}/not-me"):
        content = mina.get(page).content.decode()
        assert "<script>alert" not in content
        assert "<img src=x>" not in content


def test_not_me_asks_once_opens_a_case_and_slows_that_site(mina):
    shop = make.partner()
    one = verified(mina, at=shop)
    assert "알리면 이렇게 돼요" in words(mina.get(f"/my/history/{one.pk}/not-me"))
    assert not Case.objects.exists()

    for _ in range(2):  # pressed twice: once
        assert mina.post(f"/my/history/{one.pk}/not-me").status_code == 303

    assert Case.objects.get().verification == one
    assert "알려 줘서 막았어요" in words(mina.get(f"/my/history/{one.pk}/not-me"))
    assert asked(mina, at=shop).reason == "line_blocked"


# --- CSV --------------------------------------------------------------------------------------------------------------


def rows_of(answer):
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\tx", " =HYPERLINK(1)", "\r=1"])
def test_a_cell_is_never_a_formula(mina, name):
    one = asked(mina)
    Verification.objects.filter(pk=one.pk).update(site={"name": name, "domain": "a.example"})
    (_, first, *_rest) = rows_of(mina.get("/my/history.csv"))
    assert first[2] == f"'{name}"


def test_the_table_has_all_that_the_filter_shows_in_the_pages_language():
    mina = Visitor(make.Member(), prefix="/en").signed_in()
    many(mina, 30)
    head, *found = rows_of(mina.get("/my/history.csv"))
    assert head == ["Asked", "Ended", "Site", "Address", "Purpose", "Result", "Sent by", "Region"]
    assert len(found) == 31
    assert len(rows_of(mina.get("/my/history.csv", result="verified"))) == 2


# --- Consents, looks --------------------------------------------------------------------------------------------------


@pytest.fixture
def marketing(mina):
    document = ConsentDocument.objects.filter(kind="marketing").first() or ConsentDocument.objects.create(
        kind="marketing", version="2020-01-01", starts_at=timezone.now(), required=False, title_ko="소식",
        title_en="News", body_ko="-", body_en="-",
    )  # fmt: skip
    Consent.objects.create(
        subscription=Subscription.objects.get(), document=document, agreed=True, at=timezone.now(), channel="web"
    )
    return document


def test_an_optional_consent_is_withdrawn_by_a_new_row_and_once(mina, marketing):
    assert "동의 거둬들이기" in words(mina.get())
    for _ in range(2):
        mina.post(f"/my/consents/{marketing.pk}/withdraw")
    rows = Consent.objects.filter(document=marketing).order_by("at")
    assert [row.agreed for row in rows] == [True, False]
    assert "동의 거둬들이기" not in words(mina.get())


def test_a_required_one_is_not_withdrawn_and_neither_is_one_that_is_not_mine(mina, marketing):
    required = ConsentDocument.objects.filter(kind="terms").first()
    assert mina.post(f"/my/consents/{required.pk}/withdraw").status_code == 404
    assert mina.post(f"/my/consents/{uuid.uuid4()}/withdraw").status_code == 404
    other = Visitor(make.Member()).signed_in()
    assert other.post(f"/my/consents/{marketing.pk}/withdraw").status_code == 404
    assert not Consent.objects.filter(agreed=False).exists()


def test_every_look_of_staff_at_my_data_is_shown_and_nobody_elses(mina):
    line, other = mina.member.line, make.Member().line
    clerk = audit.Actor("kim", "agent", "10.0.0.9")
    with transaction.atomic():
        audit.record(clerk, Action.REVEAL, line.contract_fingerprint, what="name", reason="본인 확인 전화")
        audit.record(clerk, Action.LOOK, other.contract_fingerprint, reason="남의 일")
    said = words(mina.get("/my/looks"))
    assert "본인 확인 전화" in said
    assert "상담원" in said
    assert "남의 일" not in said
    assert "kim" not in said


# --- How much it takes ------------------------------------------------------------------------------------------------


def test_my_page_takes_at_most_fourteen_statements_however_much_there_is(mina):
    many(mina, 300)
    hours.pass_by(minutes=1)  # so that its use is noted as well
    with CaptureQueriesContext(connection) as taken:
        assert mina.get().status_code == 200
    assert len(taken) <= 14, "\n".join(query["sql"] for query in taken)


def test_the_history_of_many_years_is_read_by_its_index(mina):
    many(mina, 3000)
    with CaptureQueriesContext(connection) as taken:
        mina.get("/my/history")
    assert len(taken) <= 6, "\n".join(query["sql"] for query in taken)
    (listing,) = [query["sql"] for query in taken if "LIMIT 21" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE verification_verification")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {listing}")
        plan = json.dumps(cursor.fetchone()[0])
    assert "verification_of_line" in plan
    assert '"Sort"' not in plan


def test_nothing_of_all_this_makes_a_number_or_sends_one_by_sms(mina):
    for path in PAGES:
        mina.get(path)
    mina.post("/my/controls", do="stop_all")
    mina.begin("/my/controls", do="allow_all")
    assert not Message.objects.filter(channel="sms").exists()
