"""Leaving on the web: explained first, proved by the app, once, and with nothing but the app (S10, invariant 6)."""

import re

import pytest

from pushes.models import Message
from subscriptions import enrolment, forecast, leaving, pending, proving
from subscriptions.models import LeavingReason, Subscription
from tests import make
from tests.subscriptions.test_activation import register
from tests.subscriptions.visitors import Visitor, by_app, by_sms, identified
from tests.verification import hours
from tests.verification.crowd import at_once
from verification import flow, releases
from verification.models import Line, Verification


class Leaver(Visitor):
    """A member with a browser and the app."""

    def __init__(self, member=None, **browser):
        super().__init__(member or make.Member(), **browser)

    def proves(self):
        by_app(self.member, self.begin("/cancel"))
        assert self.to(self.get("/cancel/proved")) == "/cancel/confirm"
        return self

    def leaves(self, **answer):
        return self.to(self.post("/cancel/confirm", **answer))

    def to(self, answer):
        return answer.headers["Location"].removeprefix(self.prefix) if answer.status_code == 303 else None

    def said(self, path):
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.get(path).content.decode()))

    @property
    def state(self):
        return Subscription.objects.order_by("-joined_at").values_list("state", "end_reason").first()


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_mina_leaves_with_her_app_and_sees_when_and_what_it_costs(prefix):
    mina = Leaver(prefix=prefix)
    line = mina.member.line
    assert "1566-4380" in mina.said("/cancel"), "the way without the phone stands before any proof"
    mina.proves()
    before = mina.said("/cancel/confirm")
    assert mina.state == ("active", "")

    assert mina.leaves() == "/cancel/done"

    line.refresh_from_db()
    assert (line.protection, line.device, line.password) == ("off", None, "")
    assert mina.state == ("ended", "customer")
    notice = Message.objects.filter(kind="notice").order_by("created_at").last()
    assert notice.body == {"notice": "cancelled"}
    done = mina.said("/cancel/done")
    bill = forecast.of_leaving(line)
    assert Subscription.objects.get().pk.hex[:8].upper() in done
    assert (bill.days, bill.amount) == (0, 0), "joined and cancelled on the same day: free"
    assert ("요금이 없어요" if not prefix else "nothing to pay") in before
    assert ("요금이 없어요" if not prefix else "nothing to pay") in done


@pytest.mark.django_db
def test_the_last_bill_is_to_the_won_also_before_the_button():
    mina = Leaver()
    hours.pass_by(days=3)
    mina.proves()
    bill = forecast.of_leaving(mina.member.line)
    assert bill.days in (1, 2, 3, 4)
    assert f"{bill.days}일분 {bill.amount:,}원" in mina.said("/cancel/confirm")


@pytest.mark.django_db
def test_the_form_again_cancels_once_and_shows_the_same():
    mina = Leaver().proves()
    kept = {cookie.key: cookie.value for cookie in mina.client.cookies.values()}
    assert mina.leaves(answer="fee") == "/cancel/done"
    first = mina.said("/cancel/done")
    assert mina.leaves(answer="fee") == "/cancel/done"
    mina.client.cookies.load(kept)  # the first answer never came
    assert mina.leaves(answer="fee") == "/cancel/done"
    assert mina.said("/cancel/done") == first
    assert LeavingReason.objects.count() == 1
    assert Message.objects.filter(kind="notice").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_presses_at_the_same_instant_one_cancels_and_all_are_told():
    mina = make.Member()
    asked = proving.ask("other", back="/cancel/proved")
    by_app(mina, asked.verification)

    came = at_once(*[lambda: leaving.cancel_proved(asked.verification, answer="fee")] * 6)

    assert len({one.pk for one in came}) == 1
    assert LeavingReason.objects.count() == 1


@pytest.mark.django_db
def test_who_left_joins_again_at_once_and_an_old_proof_ends_nothing_more():
    mina = Leaver().proves()
    kept = {cookie.key: cookie.value for cookie in mina.client.cookies.values()}
    mina.leaves()
    joined = enrolment.join(mina.member.person.phone)
    register(joined.activation_code)
    mina.client.cookies.load(kept)
    mina.leaves()
    assert mina.state == ("active", "")


@pytest.mark.django_db
def test_the_reason_is_kept_without_who_and_only_if_it_is_one_of_ours():
    mina = Leaver().proves()
    mina.leaves(answer="fee")
    (kept,) = LeavingReason.objects.values()
    assert set(kept) == {"id", "month", "answer"}
    assert (kept["answer"], kept["month"].day) == ("fee", 1)
    jun = Leaver().proves()
    assert jun.leaves(answer="<script>") == "/cancel/done"
    assert LeavingReason.objects.count() == 1


# --- What is not enough -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_somebody_who_never_joined_is_told_so_only_after_the_proof():
    stranger = Visitor()
    somebody = make.person()
    by_sms(somebody, stranger.begin("/cancel"))
    assert stranger.get("/cancel/proved").status_code == 303
    answer = stranger.get("/cancel/confirm")
    assert "가입하지 않은 번호예요" in answer.content.decode()
    assert stranger.post("/cancel/confirm").headers["Location"] == "/cancel"


@pytest.mark.django_db
def test_a_proof_by_sms_during_a_temporary_release_ends_nothing():
    mina = Leaver()
    releases.begin(mina.member.line, proving.site(), minutes=10)
    by_sms(mina.member.person, mina.begin("/cancel"))
    assert Verification.objects.get().channel == "sms"
    assert "앱으로 확인해 주세요" in mina.said("/cancel/confirm")
    assert mina.leaves() == "/cancel"
    assert mina.state == ("active", "")


@pytest.mark.django_db
def test_a_suspended_line_is_told_to_ask_the_call_centre():
    mina = Leaver()
    Line.objects.filter(pk=mina.member.line.pk).update(protection="paused")
    assert identified(mina.member.person, mina.begin("/cancel")).reason == "line_blocked"
    assert "1566-4380" in mina.said("/cancel/proved")
    assert mina.leaves() == "/cancel"
    assert mina.state == ("active", "")


@pytest.mark.django_db
def test_a_proof_made_for_another_purpose_ends_nothing():
    mina = make.Member()
    asked = proving.ask("login", back="/my")
    by_app(mina, asked.verification)
    with pytest.raises(leaving.ProofNeeded):
        leaving.cancel_proved(asked.verification)


@pytest.mark.django_db
def test_a_proof_made_for_a_shop_ends_nothing():
    mina = make.Member()
    asked = make.verification(mina.person, purpose="other")
    flow.confirm(code=mina.number(asked), pk=asked.pk)
    with pytest.raises(leaving.ProofNeeded):
        leaving.cancel_proved(asked.pk)


@pytest.mark.django_db
def test_a_proof_older_than_five_minutes_or_by_a_phone_that_was_replaced_ends_nothing():
    mina = Leaver().proves()
    hours.pass_by(minutes=6)
    assert mina.leaves() == "/cancel"
    jun = Leaver().proves()
    register(enrolment.renew_activation(jun.member.person.contract).activation_code)
    assert jun.leaves() == "/cancel"
    assert not Subscription.objects.filter(state="ended").exists()


@pytest.mark.django_db
def test_without_the_steps_before_nothing_ends_and_it_is_said_why():
    mina = Leaver()
    for path in ("/cancel/proved", "/cancel/confirm", "/cancel/done"):
        assert mina.to(mina.get(path)) == "/cancel"
        assert "처음부터 다시 시작해 주세요" in mina.said("/cancel")
    assert mina.leaves() == "/cancel"
    thief = Leaver(mina.member)
    mina.proves()
    assert thief.leaves() == "/cancel"
    assert mina.state == ("active", "")


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused():
    mina = Leaver().proves()
    mina.client.handler.enforce_csrf_checks = True
    assert mina.post("/cancel/confirm").status_code == 403
    assert mina.state == ("active", "")


@pytest.mark.django_db
def test_leaving_also_ends_what_the_desk_had_taken_down():
    mina = Leaver()
    pending.ask(mina.member.person.contract, pending.Kind.CANCELLATION, by=None)
    mina.proves().leaves()
    hours.pass_by(days=2)
    for change in pending.PendingChange.objects.all():
        pending.take_effect(change.pk)
    assert mina.state == ("ended", "customer")
