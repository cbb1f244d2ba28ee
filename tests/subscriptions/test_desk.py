"""The desk's customers: found exactly or not at all, masked, every look on record, nothing that an agent does alone."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from ansim.lib import fingerprint
from ansim.models import AccessRecord, Agent
from subscriptions import customer_record, leaving, pending
from subscriptions.models import CarrierEvent, FoundBy, PendingChange, Subscription
from tests import make
from tests.desk import Staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_the_desk")]
CHECKS = {"check0": "on", "check1": "on", "check2": "on", "detail": "휴대폰을 잃어버림"}


@pytest.fixture
def han():
    return Staff("agent").come_in()


def subscription(person):
    found = Subscription.objects.filter(line__contract_fingerprint=fingerprint.of("contract", person.contract))
    return found.order_by("-joined_at").first()


def words(answer):
    return re.sub(r"<[^>]+>", " ", answer.content.decode())


# --- Finding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["{0}", "{1}", "{2}"])
def test_a_number_is_found_however_it_is_typed(han, typed):
    mina = make.member_without_app()
    national = "0" + mina.phone.removeprefix("+82")
    hyphens = f"{national[:3]}-{national[3:7]}-{national[7:]}"
    answer = han.find(mina, phone=typed.format(mina.phone, national, hyphens))
    assert answer["Location"] == f"/admin/customers/{subscription(mina).pk}/"


def test_a_contract_is_found_exactly(han):
    mina = make.member_without_app()
    assert han.find(mina, phone="", contract=mina.contract).status_code == 303
    assert han.find(mina, phone="", contract=mina.contract[:-1]).status_code == 404


def test_by_name_and_birth_date_people_are_found_exactly(han):
    mina = make.member_without_app()
    born = str(mina.birthdate).replace("-", "")
    made = subscription(mina)
    FoundBy.objects.exclude(customer=made.pk).delete()
    answer = han.find(mina, phone="", name=mina.name, birthdate=born)
    assert answer["Location"] == f"/admin/customers/{made.pk}/"
    assert han.find(mina, phone="", name=mina.name[:-1], birthdate=born).status_code == 404
    assert han.find(mina, phone="", name=mina.name, birthdate="19010101").status_code == 404
    assert mina.name not in str(FoundBy.objects.values())


def test_of_several_that_fit_the_customer_helps_to_choose(han):
    first, second = make.member_without_app(), make.member_without_app()
    FoundBy.objects.update(fingerprint=fingerprint.of("person", "홍길동|1990-01-01"))
    answer = han.find(first, phone="", name="홍길동", birthdate="1990-01-01")
    for one in (first, second):
        assert f"/admin/customers/{subscription(one).pk}/" in answer.content.decode()
        assert one.name not in words(answer)


def test_a_search_is_on_record_with_its_reason_and_without_the_number(han):
    mina = make.member_without_app()
    han.find(mina)
    row = AccessRecord.objects.get(action="search")
    assert (row.actor, row.what) == (han.username, "number.found")
    assert row.subject == subscription(mina).line.contract_fingerprint
    assert row.reason == "해지 (C-1042)"
    assert row.address == han.address


def test_what_is_not_found_is_on_record_too(han):
    answer = han.find(make.person())
    assert answer.status_code == 404
    assert "가입한 회선이 없습니다" in words(answer)
    assert han.own_records == [("search", "number.not_found")]


def test_the_number_stands_in_no_address(han):
    mina = make.member_without_app()
    assert mina.phone[-8:] not in han.opens(mina)
    assert han.client.get("/admin/customers/find/", {"phone": mina.phone}).status_code == 405


@pytest.mark.parametrize(
    "typed",
    [
        {"phone": "010-12"}, {"phone": "' OR 1=1"}, {"phone": "\0"}, {"phone": ""}, {"ticket": ""}, {"inquiry": "x"},
        {"ticket": "<script>"}, {"contract": "x"}, {"phone": "", "name": "홍"}, {"phone": "", "birthdate": "19900101"},
        {"phone": "", "name": "홍길동", "birthdate": "19901301"}, {"phone": "", "contract": "\0"},
    ],
)  # fmt: skip
def test_nonsense_finds_nobody_and_records_nothing(han, typed):
    answer = han.find(make.member_without_app(), **typed)
    assert answer.status_code == 422
    assert han.own_records == []


def test_searches_are_limited_per_hour(han, settings):
    settings.DESK_SEARCHES_PER_HOUR = 3
    mina = make.member_without_app()
    answers = [han.find(mina).status_code for _ in range(4)]
    assert answers == [303, 303, 303, 429]
    assert han.own_records[-1] == ("refused", "search_limit")


# --- Who may open a page --------------------------------------------------------------------------------------------


def test_a_guessed_id_opens_nothing_and_is_on_record(han):
    answer = han.get(f"/admin/customers/{uuid.uuid4()}/")
    assert answer.status_code == 404
    assert han.own_records == [("refused", "no_customer")]


def test_a_known_id_asks_for_a_reason_first(han):
    mina = make.member_without_app()
    page = f"/admin/customers/{subscription(mina).pk}/"
    asked = han.get(page)
    assert asked["Location"] == f"{page}open/"
    assert mina.name not in words(han.get(asked["Location"]))
    assert han.own_records == []
    opened = han.post(asked["Location"], inquiry="lost", ticket="C-7")
    assert opened["Location"] == page
    assert han.get(page).status_code == 200
    assert AccessRecord.objects.get(action="look").reason == "분실·도난 (C-7)"


def test_a_visit_ends(han):
    mina = make.member_without_app()
    page = han.opens(mina)
    session = han.client.session
    held = session["desk"]
    for visit in held["visits"].values():
        visit["until"] = 0
    session["desk"] = held
    session.save()
    assert han.get(page).status_code == 303


@pytest.mark.parametrize("way", ["search", "open", "reveal", "do"])
def test_nobody_opens_their_own_line(han, way):
    mina = make.member_without_app()
    page = f"/admin/customers/{subscription(mina).pk}/"
    if way != "search":
        han.opens(mina)
    Agent.objects.filter(pk=han.agent.pk).update(own_phone=fingerprint.of("phone", mina.phone))
    answer = {
        "search": lambda: han.find(mina),
        "open": lambda: han.get(page),
        "reveal": lambda: han.post(f"{page}reveal/name/", why="identify"),
        "do": lambda: han.post(f"{page}do/cancel/", **CHECKS, otp_token=han.code()),
    }[way]()
    assert answer.status_code == 403
    assert "본인의 회선" in words(answer)
    assert han.own_records[-1][0] == "refused"
    assert not PendingChange.objects.exists()


# --- The page -------------------------------------------------------------------------------------------------------


def test_the_page_is_masked(han):
    mina = make.Member()
    answer = han.get(han.opens(mina.person))
    whole = answer.content.decode()
    assert mina.person.name not in whole
    assert mina.person.phone[-8:] not in whole
    assert f"010-****-{mina.person.phone[-4:]}" in whole
    assert "no-store" in answer["Cache-Control"]


def test_it_tells_everything_that_happened_in_words(han):
    mina = make.Member()
    asked = make.verification(mina.person)
    CarrierEvent.objects.create(
        source="carrier", event_id="ev-1", type="sim_changed", contract=mina.person.contract, time=timezone.now(),
        contract_fingerprint=mina.line.contract_fingerprint, data={}, standing="applied",
    )  # fmt: skip
    pending.ask(mina.person.contract, PendingChange.Kind.CANCELLATION, by=None)
    said = words(han.get(han.opens(mina.person)))
    told = ("가입", "책방 · 로그인", "유심 변경", "해지 접수", "고객 휴대폰에 알림", "해지가 접수됐어요", "동의 ·")
    for expected in told:
        assert expected in said, expected
    assert asked.match_number is None or asked.match_number not in re.findall(r"\d{6}", said)


def test_a_page_costs_at_most_twelve_statements(han):
    mina = make.Member()
    make.verification(mina.person)
    page = han.opens(mina.person)
    for path in (page, f"{page}?kind=desk", f"{page}reveal/name/", f"{page}do/cancel/", "/admin/"):
        with CaptureQueriesContext(connection) as asked:
            assert han.get(path).status_code == 200
        real = [one["sql"] for one in asked if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        assert len(real) <= 12, (path, len(real), real)


def test_the_timeline_goes_on_page_by_page_and_loses_nothing(han):
    mina = make.Member()
    for number in range(70):
        CarrierEvent.objects.create(
            source="carrier", event_id=f"ev-{number:03}", type="sim_changed", contract=mina.person.contract,
            time=timezone.now() + timedelta(seconds=number // 2), contract_fingerprint=mina.line.contract_fingerprint,
            data={}, standing="applied",
        )  # fmt: skip
    customer = customer_record.of(subscription(mina.person).pk)
    customer = customer_record.Customer(
        customer.subscription, customer.line, customer.subscriptions, timezone.now() + timedelta(hours=1), []
    )
    seen, after = [], None
    while True:
        entries, after = customer_record.timeline(customer, kind="line", after=after)
        seen += entries
        if after is None:
            break
        assert len(entries) == customer_record.PAGE
        after = customer_record.Place.read(str(after))
    assert len(seen) == len({(entry.source, entry.id) for entry in seen}) == 71
    assert seen == sorted(seen, reverse=True)


def test_what_belongs_to_the_owner_before_is_not_shown(han):
    mina = make.Member()
    first = subscription(mina.person)
    leaving.cancel(mina.person.contract, reason="customer")
    Subscription.objects.filter(pk=first.pk).update(joined_at=timezone.now() - timedelta(days=30))
    second = Subscription.objects.create(
        line=first.line, holder={"name": "김새롬", "birthdate": "1980-05-05", "ci": "x"},
        holder_fingerprint=fingerprint.of("ci", "x"), joined_at=timezone.now(),
    )  # fmt: skip
    newer, older = customer_record.of(second.pk), customer_record.of(first.pk)
    assert newer.subscriptions == [second]
    assert older.until == second.joined_at
    assert [entry.source for entry in customer_record.timeline(newer)[0]] == ["joined"]
    assert "ended" in [entry.source for entry in customer_record.timeline(older)[0]]


def test_agents_see_their_own_looks_and_supervisors_all(han):
    mina, boss = make.member_without_app(), Staff("supervisor").come_in()
    boss.get(boss.opens(mina))
    page = han.opens(mina)
    assert boss.username not in words(han.get(f"{page}?kind=desk"))
    han.get(page)
    assert han.username in words(boss.get(f"{page}?kind=desk"))


@pytest.mark.parametrize(
    "query",
    [
        "kind=x",
        "after=x",
        "after=9.look.",
        f"after={'9' * 17}.look.1",
        "after=9999999999999999.look.1",
        "after=1.x.%00",
    ],
)
def test_nonsense_in_the_address_shows_the_first_page(han, query):
    page = han.opens(make.member_without_app())
    assert han.client.get(f"{page}?{query}").status_code == 200


# --- Revealing ------------------------------------------------------------------------------------------------------


def test_one_field_is_shown_once_for_a_reason_and_is_on_record(han):
    mina = make.member_without_app()
    page = han.opens(mina)
    asked = han.get(f"{page}reveal/name/")
    assert mina.name not in words(asked)
    shown = han.post(f"{page}reveal/name/", why="identify")
    assert mina.name in words(shown)
    assert "no-store" in shown["Cache-Control"]
    assert mina.name not in words(han.get(page))
    row = AccessRecord.objects.get(action="reveal")
    assert (row.what, row.reason) == ("name", "해지 (C-1042): 전화한 사람이 본인인지 확인")


@pytest.mark.parametrize("given", [{"why": "other"}, {"why": "other", "detail": "abc"}, {"why": "x"}, {}])
def test_without_a_reason_nothing_is_revealed(han, given):
    mina = make.member_without_app()
    answer = han.post(f"{han.opens(mina)}reveal/name/", **given)
    assert answer.status_code == 422
    assert mina.name not in words(answer)


@pytest.mark.parametrize("field", ["ci", "holder", "password", "line"])
def test_there_is_no_other_field(han, field):
    assert han.post(f"{han.opens(make.member_without_app())}reveal/{field}/", why="identify").status_code == 404


def test_mass_reveals_stop_and_are_on_record(han, settings):
    settings.DESK_REVEALS_PER_HOUR = 2
    page = han.opens(make.member_without_app())
    answers = [han.post(f"{page}reveal/phone/", why="identify").status_code for _ in range(4)]
    assert answers == [200, 200, 429, 429]
    assert han.own_records[-1] == ("refused", "reveal_limit")


def test_a_script_in_a_name_is_text_wherever_the_desk_shows_it(han):
    mina = make.Member()
    shop = make.partner(name="<script>alert(1)</script>")
    make.verification(mina.person, at=shop, site={"name": "<script>alert(2)</script>", "domain": "x.example"})
    one = subscription(mina.person)
    one.holder = {**one.holder, "name": "<script>alert(3)</script>"}
    one.save(update_fields=["holder"])
    page = han.opens(mina.person)
    shown = han.get(page).content.decode() + han.post(f"{page}reveal/name/", why="identify").content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(2)" in shown
    assert "&lt;script&gt;alert(3)" in shown


# --- Deeds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "kind"), [("cancel", "cancellation"), ("reset", "reset")])
def test_what_turns_protection_down_waits_a_day(han, code, kind):
    mina = make.Member()
    page = han.opens(mina.person)
    answer = han.post(f"{page}do/{code}/", **CHECKS, otp_token=han.code())
    assert answer.status_code == 303, words(answer)
    change = PendingChange.objects.get()
    assert (change.kind, change.asked_by, change.done_at) == (kind, han.agent, None)
    assert change.due_at - change.asked_at == timedelta(days=1)
    assert subscription(mina.person).state == "active"
    assert AccessRecord.objects.filter(actor=han.username, what=kind).get().reason == "해지 (C-1042): 휴대폰을 잃어버림"
    assert "접수했습니다" in words(han.get(page))


@pytest.mark.parametrize("missing", ["check0", "check1", "check2", "detail", "otp_token"])
def test_every_check_the_reason_and_the_code_are_needed(han, missing):
    page = han.opens(make.member_without_app())
    given = {**CHECKS, "otp_token": han.code(), missing: ""}
    assert han.post(f"{page}do/cancel/", **given).status_code == 422
    assert not PendingChange.objects.exists()


def test_a_used_or_wrong_code_does_nothing_and_counts(han):
    page = han.opens(make.member_without_app())
    code = han.code()
    assert han.post(f"{page}do/cancel/", **CHECKS, otp_token="000000").status_code == 422
    assert han.post(f"{page}do/cancel/", **CHECKS, otp_token=code).status_code == 303
    assert han.post(f"{page}do/reset/", **CHECKS, otp_token=code).status_code == 422
    assert [change.kind for change in PendingChange.objects.all()] == ["cancellation"]


def test_what_cannot_be_done_is_offered_with_the_reason_why_not(han):
    mina = make.member_without_app()
    page = han.opens(mina)
    pending.ask(mina.contract, PendingChange.Kind.CANCELLATION, by=None)
    assert "이미 접수되어 있습니다" in words(han.get(page))
    answer = han.post(f"{page}do/cancel/", **CHECKS, otp_token=han.code())
    assert answer.status_code == 409
    assert han.own_records[-1] == ("refused", "cancel.impossible")


def test_an_agent_stops_what_was_taken_down(han):
    mina = make.member_without_app()
    pending.ask(mina.contract, PendingChange.Kind.CANCELLATION, by=None)
    page = han.opens(mina)
    assert han.post(f"{page}do/stop/", detail="고객이 마음을 바꿈").status_code == 303
    assert PendingChange.objects.get().stopped_at
    assert han.own_records[-1] == ("change", "pending_stopped")


def test_the_customer_reads_who_looked_and_why(han):
    from ansim import audit

    mina = make.member_without_app()
    han.get(han.opens(mina))
    looks = audit.looks_at(mina.contract)
    assert ("상담원", "정보 열람", "해지 (C-1042)") in [(look.role, look.action, look.reason) for look in looks]


def test_a_forged_post_does_nothing():
    han = Staff("agent")
    mina = make.member_without_app()
    han.client = Client(enforce_csrf_checks=True, REMOTE_ADDR=han.address)
    token = han.get("/admin/login/").cookies["csrftoken"].value
    assert han.sign_in(csrfmiddlewaretoken=token).status_code == 302
    assert han.find(mina).status_code == 403
    assert han.own_records == []


# --- Every page and every role --------------------------------------------------------------------------------------

YES, NO = "yes", "no"
A, S, U, P = "agent", "supervisor", "auditor", "partner_manager"
ROLES = (A, S, U, P)
# Which roles may come to which page; a page of the desk that is not in here fails the test below.
MAY = {
    "desk": ROLES, "admin:index": ROLES, "admin:all": ROLES,
    "desk-find": (A, S), "desk-customer": (A, S), "desk-open": (A, S), "desk-reveal": (A, S),
    "desk-bills": (A, S), "desk-bill": (A, S),
    "desk-deed": (A, S), "desk-tasks": (A, S),
    "desk-review": (S, U), "desk-status": (S, U), "desk-export": (U,),
    "desk-retention": (S, U), "desk-retention-change": (S,),
    "desk-record": (U,), "desk-recovery-codes": ROLES, "desk-invite": (S,),
    "desk-enrol": "anybody", "desk-enrol-app": "anybody", "admin:login": "anybody",
    "admin:logout": ROLES, "admin:password_change": ROLES, "admin:password_change_done": ROLES,
    "admin:jsi18n": ROLES, "admin:autocomplete": (), "admin:view_on_site": (), "admin:app_list": (),
    "admin:ansim_agent_changelist": (S, U), "admin:ansim_agent_add": (S,), "admin:ansim_agent_change": (S, U),
    "admin:ansim_agent_history": (S, U), "admin:ansim_agent_delete": (),
    "admin:auth_group_changelist": (), "admin:auth_group_add": (), "admin:auth_group_change": (),
    "admin:auth_group_history": (), "admin:auth_group_delete": (),
    "admin:verification_partner_changelist": (S, P), "admin:verification_partner_change": (S, P),
    "admin:verification_partner_history": (S, P), "admin:verification_partner_add": (P,),
    "admin:verification_partner_delete": (), "desk-partner-access": (P,),
    "admin:subscriptions_price_changelist": (P,), "admin:subscriptions_price_add": (P,),
    "admin:subscriptions_price_change": (P,), "admin:subscriptions_price_history": (P,),
    "admin:subscriptions_price_delete": (),
    "admin:subscriptions_consentdocument_changelist": (P,), "admin:subscriptions_consentdocument_add": (P,),
    "admin:subscriptions_consentdocument_change": (P,), "admin:subscriptions_consentdocument_history": (P,),
    "admin:subscriptions_consentdocument_delete": (),
    "admin:verification_webhookdelivery_changelist": (S, P), "admin:verification_webhookdelivery_change": (S, P),
    "admin:verification_webhookdelivery_history": (S, P), "admin:verification_webhookdelivery_add": (),
    "admin:verification_webhookdelivery_delete": (),
    "admin:verification_case_changelist": (A, S), "admin:verification_case_change": (A, S),
    "admin:verification_case_history": (A, S),
    "admin:subscriptions_carrierevent_changelist": (S,), "admin:subscriptions_carrierevent_change": (S,),
    "admin:subscriptions_carrierevent_history": (S,), "admin:subscriptions_carrierevent_add": (),
    "admin:subscriptions_carrierevent_delete": (),
    "admin:subscriptions_announcement_changelist": (S, P), "admin:subscriptions_announcement_add": (S, P),
    "admin:subscriptions_announcement_change": (S, P), "admin:subscriptions_announcement_history": (S, P),
    "admin:subscriptions_announcement_delete": (),
    "admin:subscriptions_question_changelist": (S, P), "admin:subscriptions_question_add": (S, P),
    "admin:subscriptions_question_change": (S, P), "admin:subscriptions_question_history": (S, P),
    "admin:subscriptions_question_delete": (),
    "admin:verification_case_add": (), "admin:verification_case_delete": (),
}  # fmt: skip


def desk_patterns():
    """Every named page under /admin/, with its whole route."""
    for entry in get_resolver().url_patterns:
        if str(entry.pattern) == "admin/":
            yield from named(entry, f"{entry.app_name}:" if entry.app_name else "", "/admin/")


def named(entry, prefix, route):
    for inner in entry.url_patterns:
        if isinstance(inner, URLResolver):
            yield from named(inner, prefix, f"{route}{inner.pattern}")
        elif isinstance(inner, URLPattern) and inner.name:
            yield f"{prefix}{inner.name}", f"{route}{str(inner.pattern).lstrip('^')}"


def test_every_page_of_the_desk_is_in_the_table_of_who_may():
    assert {name for name, _ in desk_patterns()} - set(MAY) == set()


def addresses():
    mina = make.member_without_app()
    partner, agent = make.partner(), Staff("agent").agent
    row = {"agent": agent.pk, "partner": partner.pk, "group": 1}
    customer = f"/admin/customers/{subscription(mina).pk}/"
    for name, route in desk_patterns():
        model = name.rpartition("_")[0].rpartition("_")[2]
        yield (
            name,
            route.replace("/admin/customers/<uuid:customer_id>/", customer)
            .replace("<slug:field>", "name")
            .replace("<slug:code>", "stop")
            .replace("retention/<slug:kind>", "retention/message")
            .replace("<slug:kind>", "pending")
            .replace("<slug:month>", f"{timezone.localdate():%Y-%m}")
            .replace("<int:agent_id>", str(agent.pk))
            .replace("<uuid:partner_id>", str(partner.pk))
            .replace("<path:object_id>", str(row.get(model, uuid.uuid4())))
            .replace("<path:content_type_id>/", "1/"),
        )


@pytest.mark.parametrize("role", [*ROLES, None])
def test_each_role_against_each_page(role):
    han = Staff(*([role] if role else [])).come_in()
    for name, address in addresses():
        if name in ("admin:app_list", "admin:view_on_site", "admin:logout", "admin:autocomplete"):
            continue
        answer = han.client.get(address)
        may = MAY[name]
        if may == "anybody":
            continue
        # 405: it takes no GET, and says so before it says who may. 404: the row of that id is none.
        allowed = answer.status_code in (200, 301, 302, 303, 404, 405, 409)
        if role is None and may == ROLES:
            continue
        if role in may:
            assert allowed, (role, name, answer.status_code)
        else:
            no_such_row = answer.status_code == 302 and answer["Location"] == "/admin/"
            assert answer.status_code in (403, 405, 404) or no_such_row, (role, name, answer.status_code)


@pytest.mark.parametrize("role", [U, P, None])
def test_no_other_role_searches_reveals_or_does_anything(role):
    mina = make.member_without_app()
    han = Staff(*([role] if role else [])).come_in()
    page = f"/admin/customers/{subscription(mina).pk}/"
    assert han.find(mina).status_code == 403
    assert han.post(f"{page}open/", inquiry="lost", ticket="C-1").status_code == 403
    assert han.post(f"{page}reveal/name/", why="identify").status_code == 403
    assert han.post(f"{page}do/cancel/", **CHECKS, otp_token=han.code()).status_code == 403
    assert [what for what in han.own_records if what[0] != "refused"] == []
    assert len(han.own_records) == 4


def test_a_superuser_without_a_role_handles_no_customer():
    root = Staff().come_in()
    Agent.objects.filter(pk=root.agent.pk).update(is_superuser=True)
    assert root.find(make.member_without_app()).status_code == 403


def test_nobody_outside_sees_anything():
    mina = make.member_without_app()
    stranger = Client()
    page = f"/admin/customers/{subscription(mina).pk}/"
    for name, address in [("desk-customer", page), *addresses()]:
        if MAY[name] == "anybody" or name == "admin:app_list":
            continue
        assert stranger.get(address).status_code in (302, 405), name
    assert stranger.post("/admin/customers/find/", {"phone": mina.phone}).status_code in (302, 403)
    assert set(AccessRecord.objects.values_list("actor", flat=True)) <= {"command"}
