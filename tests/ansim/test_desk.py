"""Getting in at the desk: password and code together, one session, a lock, codes handed over in person, roles."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ansim import audit, roles, staff, staff_sign_in
from ansim.models import AccessRecord, Agent, RecoveryCode, SignInTries
from ansim.record_models import Role
from tests.desk import LOGIN, PASSWORD, Staff, app_of, tries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_the_desk")]
START = "/admin/"
WRONG = "맞지 않는 것이 있습니다"


def inside(client):
    return client.get(START).status_code == 200


# --- Signing in -----------------------------------------------------------------------------------------------------


def test_password_and_code_together_let_somebody_in():
    han = Staff("agent").come_in()
    assert inside(han.client)


@pytest.mark.parametrize(
    "wrong", [{"password": "no"}, {"otp_token": "000000"}, {"username": "nobody"}, {"otp_token": "x" * 12}]
)
def test_whatever_is_wrong_the_answer_is_one(wrong):
    han = Staff("agent")
    answer = han.sign_in(**wrong)
    assert answer.status_code == 200
    words = re.search(r'<div class="errornote".*?</div>', answer.content.decode(), re.DOTALL)[0]
    assert WRONG in words
    assert (
        words
        == re.search(
            r'<div class="errornote".*?</div>', Staff("agent").sign_in(password="other").content.decode(), re.DOTALL
        )[0]
    )
    assert not inside(han.client)


def test_a_code_counts_once():
    han = Staff("agent")
    code = han.code()
    assert han.sign_in(otp_token=code).status_code == 302
    again = han.browser()
    given = {"username": han.username, "password": PASSWORD, "otp_token": code}
    assert again.post(LOGIN, given).status_code == 200
    assert not inside(again)


def test_the_fifth_wrong_try_locks_also_for_the_right_one_and_a_quarter_of_an_hour_later_it_is_over():
    han = Staff("agent")
    for _ in range(4):
        han.sign_in(password="no")
    assert tries(han.username).wrong == 4
    han.sign_in(otp_token="000000")
    assert han.sign_in(han.browser()).status_code == 200
    elsewhere = Client(REMOTE_ADDR="10.255.1.1", headers={"Accept-Language": "ko"})
    assert WRONG in han.sign_in(elsewhere).content.decode(), "the account itself is locked"
    assert ("refused", "sign_in_locked") in han.own_records

    SignInTries.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert han.sign_in().status_code == 302


def test_nobody_is_locked_out_until_the_day_comes_again_that_a_wrong_clock_named():
    """Their codes are wrong while it is, so just then people try in vain."""
    han = Staff("agent")
    for _ in range(5):
        han.sign_in(otp_token="000000")
    SignInTries.objects.update(locked_until=timezone.now() + timedelta(days=40))
    assert han.sign_in().status_code == 302


def test_a_right_try_begins_the_count_anew():
    han = Staff("agent")
    for _ in range(4):
        han.sign_in(password="no")
    han.come_in()
    assert tries(han.username) is None


def test_an_address_that_guesses_is_locked_for_every_account():
    thief = Client(REMOTE_ADDR="10.254.9.9", headers={"Accept-Language": "ko"})
    for number in range(5):
        thief.post(LOGIN, {"username": f"guess-{number}", "password": "x", "otp_token": "123456"})
    han = Staff("agent")
    assert han.sign_in(thief).status_code == 200
    assert han.sign_in().status_code == 302, "from their own address they come in"


def test_a_newer_session_ends_the_older_and_tells_it():
    han = Staff("agent").come_in()
    newer = han.browser()
    assert han.sign_in(newer).status_code == 302
    assert inside(newer)
    assert han.get(START).status_code == 302
    assert "다른 곳에서 들어와서" in han.get(LOGIN).content.decode()


def test_who_sits_idle_is_out_and_told(settings):
    han = Staff("agent").come_in()
    session = han.client.session
    session["desk"] = {**session["desk"], "seen": session["desk"]["seen"] - settings.DESK_IDLE - 1}
    session.save()
    assert han.get(START).status_code == 302
    assert "오래 쓰지 않아서" in han.get(LOGIN).content.decode()


def test_who_was_shut_out_is_out_at_once():
    han = Staff("agent").come_in()
    staff.shut_out(han.agent, by=audit.COMMAND)
    assert han.get(START).status_code == 302
    assert han.sign_in().status_code == 200


def test_signing_out_ends_the_session():
    han = Staff("agent").come_in()
    assert han.post("/admin/logout/").status_code == 303
    assert not inside(han.client)
    assert Agent.objects.get(pk=han.agent.pk).sitting == ""


@pytest.mark.parametrize(("allowed", "status"), [(["10.0.0.0/8"], 200), (["192.0.2.0/24"], 404)])
def test_only_allowed_addresses_see_a_door(settings, allowed, status):
    settings.DESK_ALLOWED_IPS = allowed
    client = Client(REMOTE_ADDR="10.1.2.3")
    assert client.get(LOGIN).status_code == status
    assert client.get("/admin/enrol/").status_code == status
    assert client.get("/admin/customers/find/").status_code in (405, 404)


# --- Recovery codes -------------------------------------------------------------------------------------------------


def test_a_recovery_code_stands_in_once_and_is_kept_as_a_fingerprint():
    han = Staff("agent")
    codes = staff.renew_recovery_codes(han.agent, address=han.address)
    assert len(set(codes)) == 10
    assert not set(RecoveryCode.objects.values_list("fingerprint", flat=True)) & set(codes)
    assert han.sign_in(otp_token=codes[0].upper()).status_code == 302
    assert han.sign_in(han.browser(), otp_token=codes[0]).status_code == 200
    assert ("grant", "recovery_code_used") in han.own_records


def test_nobody_elses_recovery_code_counts():
    han, mallory = Staff("agent"), Staff("agent")
    codes = staff.renew_recovery_codes(mallory.agent, address=mallory.address)
    assert han.sign_in(otp_token=codes[0]).status_code == 200


# --- Enrolling ------------------------------------------------------------------------------------------------------


def newcomer():
    agent = Agent(username=f"new-{uuid.uuid4().hex[:6]}", is_staff=True)
    agent.set_unusable_password()
    agent.save()
    return agent, staff.invite(agent, by=audit.COMMAND)


def enrol(client, agent, code, password="correct horse battery", token=None):
    begun = client.post("/admin/enrol/", {"username": agent.username, "code": code})
    if begun.status_code != 302:
        return begun
    page = client.get("/admin/enrol/app/").content.decode()
    secret = re.search(r'desk-key">([A-Z2-7=]+)<', page)[1]
    return client.post(
        "/admin/enrol/app/", {"otp_token": token or app_of(secret), "password": password, "again": password}
    )


def test_who_was_handed_a_code_sets_password_and_app_and_gets_recovery_codes_once():
    (agent, code), client = newcomer(), Client(REMOTE_ADDR="10.9.9.1", headers={"Accept-Language": "ko"})
    done = enrol(client, agent, code)
    assert len(re.findall("<li><code>", done.content.decode())) == 10
    assert "no-store" in done["Cache-Control"]
    assert enrol(client, agent, code).status_code == 422, "the code is used up"
    agent.refresh_from_db()
    assert agent.check_password("correct horse battery")


def test_a_password_alone_gets_nobody_to_the_place_where_an_app_is_registered():
    han = Staff("agent")
    han.device.delete()
    assert han.sign_in(otp_token="123456").status_code == 200
    assert han.get("/admin/enrol/app/").status_code == 302


@pytest.mark.parametrize("how", ["wrong", "old", "shut_out"])
def test_an_enrolment_code_that_is_not_good_opens_nothing(how):
    agent, code = newcomer()
    if how == "old":
        Agent.objects.update(enrolment_until=timezone.now() - timedelta(seconds=1))
    if how == "shut_out":
        staff.shut_out(agent, by=audit.COMMAND)
    client = Client(REMOTE_ADDR="10.9.9.2", headers={"Accept-Language": "ko"})
    assert enrol(client, agent, "aaaa-bbbb" if how == "wrong" else code).status_code == 422


def test_guessing_enrolment_codes_locks_too():
    agent, code = newcomer()
    client = Client(REMOTE_ADDR="10.9.9.3", headers={"Accept-Language": "ko"})
    for number in range(5):
        client.post("/admin/enrol/", {"username": agent.username, "code": f"guess-{number}"})
    assert enrol(client, agent, code).status_code == 422


@pytest.mark.parametrize("password", ["short", "123456789012", "password1234"])
def test_a_weak_password_does_not_use_the_code_up(password):
    agent, code = newcomer()
    client = Client(REMOTE_ADDR="10.9.9.4", headers={"Accept-Language": "ko"})
    assert enrol(client, agent, code, password=password).status_code == 422
    assert staff.invited(agent.username, code) is not None


# --- Roles ----------------------------------------------------------------------------------------------------------


def test_every_role_has_a_group_with_exactly_its_permissions():
    staff.set_up_roles()
    for role, wanted in roles.PERMISSIONS.items():
        han = Staff(role)
        assert han.agent.get_all_permissions() == wanted


def test_a_role_and_its_change_are_on_record():
    han = Staff("agent")
    staff.set_roles(han.agent, ["supervisor"], by=audit.COMMAND)
    subject = staff_sign_in.of(han.agent)
    said = AccessRecord.objects.filter(subject=subject).order_by("number").values_list("action", "what")
    assert list(said) == [("grant", "roles:>agent"), ("grant", "roles:agent>supervisor")]


def account(client, **given):
    filled_in = {"username": "mina.new", "first_name": "미나", "is_active": "on", **given}
    return client.post("/admin/ansim/agent/add/", filled_in)


def test_a_supervisor_makes_an_agent_and_invites_them():
    boss = Staff("supervisor").come_in()
    made = account(boss.client, chosen=["agent"], phone="010-1234-5678")
    agent = Agent.objects.get(username="mina.new")
    assert (made.status_code, agent.roles, agent.has_usable_password()) == (303, ["agent"], False)
    assert agent.own_phone
    assert "5678" not in agent.own_phone
    page = boss.post(f"/admin/agents/{agent.pk}/enrolment/", otp_token=boss.code()).content.decode()
    assert staff.invited("mina.new", re.search(r"<code>([a-z2-7-]+)</code>", page)[1]) == agent


@pytest.mark.parametrize("role", ["supervisor", "auditor", "partner_manager"])
def test_a_supervisor_cannot_make_a_second_supervisor_or_anybody_else(role):
    boss = Staff("supervisor").come_in()
    account(boss.client, chosen=[role])
    assert not Agent.objects.filter(username="mina.new").exists()


def test_a_supervisor_cannot_change_their_own_account_or_a_supervisors():
    boss, other = Staff("supervisor").come_in(), Staff("supervisor")
    for target in (boss, other):
        boss.post(f"/admin/ansim/agent/{target.agent.pk}/change/", first_name="x", chosen=["supervisor"])
        target.agent.refresh_from_db()
        assert target.agent.is_active, "unticked, and yet active"
        assert boss.post(f"/admin/agents/{target.agent.pk}/enrolment/", otp_token=boss.code()).status_code == 303
        target.agent.refresh_from_db()
        assert target.agent.enrolment == ""


def test_no_account_is_ever_removed():
    boss, han = Staff("supervisor").come_in(), Staff("agent")
    assert boss.post(f"/admin/ansim/agent/{han.agent.pk}/delete/", post="yes").status_code == 403
    assert Agent.objects.filter(pk=han.agent.pk).exists()


# --- Who is nobody --------------------------------------------------------------------------------------------------


def test_who_tries_under_a_name_that_is_none_is_on_record_and_what_was_typed_is_not():
    """It may be a password in the wrong field."""
    stranger = Client(REMOTE_ADDR="10.9.9.77", headers={"Accept-Language": "ko"})
    stranger.post(LOGIN, {"username": "hunter2-my-password", "password": "x", "otp_token": "123456"})
    row = AccessRecord.objects.get(what="sign_in_unknown")
    assert (row.actor, row.action, row.address, row.agent) == ("(unknown)", "refused", "10.9.9.77", None)
    assert "hunter2" not in str(AccessRecord.objects.values())
    assert row.subject, "the same name again shows as the same"
    stranger.post("/admin/enrol/", {"username": "nobody-here", "code": "aaaa-bbbb"})
    assert AccessRecord.objects.filter(what="enrolment_code", actor="(unknown)").count() == 1


# --- The record -----------------------------------------------------------------------------------------------------


def test_auditors_land_on_the_record_and_read_it_on_record():
    kim = Staff("auditor").come_in()
    assert kim.get(START)["Location"] == "/admin/record/"
    page = kim.get("/admin/record/", actor=kim.username).content.decode()
    assert kim.username in page
    assert kim.own_records[-1] == ("look", "accessrecord.list")


def test_a_script_in_a_name_is_text():
    boss = Staff("supervisor").come_in()
    account(boss.client, chosen=["agent"], first_name="<script>alert(1)</script>")
    page = boss.get("/admin/ansim/agent/").content.decode()
    assert "<script>alert" not in page


def test_roles_of_the_record_are_the_roles_of_the_desk():
    assert set(roles.PERMISSIONS) == {role for role in Role.values if role != Role.OPERATOR}
