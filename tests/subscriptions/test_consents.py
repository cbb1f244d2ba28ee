"""What was agreed to: in which version, never changed, withdrawn by a new row (mission.md section 7)."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ansim.lib.problem import Refused
from subscriptions import consents, enrolment, proving
from subscriptions.consents import Agreement
from subscriptions.models import Consent, ConsentDocument
from tests import make
from tests.subscriptions.visitors import by_sms

pytestmark = pytest.mark.django_db
WEB = Consent.Channel.WEB


def document(kind="marketing", *, starts_in=timedelta(0), required=False):
    return ConsentDocument.objects.create(
        kind=kind, version=uuid.uuid4().hex[:10], starts_at=timezone.now() + starts_in, required=required,
        title_ko="글", title_en="Text", body_ko="글", body_en="text",
    )  # fmt: skip


def of_today():
    return {one.kind: one for one in consents.asked_now()}


def agreement(*documents, at=None):
    return Agreement(frozenset(one.pk for one in documents), WEB, at or timezone.now())


def proved():
    mina = make.person()
    asked = proving.ask("join", back="/join/proved")
    by_sms(mina, asked.verification)
    return proving.proved(asked.verification)


def member(*optional):
    required = [one for one in consents.asked_now() if one.required]
    return enrolment.join_proved(proved(), agreed=agreement(*required, *optional)).subscription


def test_the_newest_version_that_has_begun_is_asked_for_the_required_ones_first():
    newer, _to_come = document(), document(starts_in=timedelta(days=1))
    asked = consents.asked_now()
    assert [one.kind for one in asked] == ["terms", "collect", "share", "marketing"]
    assert asked[-1] == newer
    assert [one.required for one in asked] == [True, True, True, False]


def test_the_privacy_policy_is_told_and_not_agreed_to():
    document("privacy")
    assert "privacy" not in of_today()


@pytest.mark.parametrize("missing", ["terms", "collect", "share"])
def test_the_story_itself_joins_nobody_who_did_not_agree(missing):
    given = [one for kind, one in of_today().items() if kind != missing]
    with pytest.raises(consents.Outdated):
        enrolment.join_proved(proved(), agreed=agreement(*given))
    assert not Consent.objects.exists()


def test_a_version_that_is_no_longer_in_force_is_no_agreement():
    former = of_today()
    document("share", required=True)
    with pytest.raises(consents.Outdated):
        enrolment.join_proved(proved(), agreed=agreement(*former.values()))


def test_an_unknown_document_is_no_agreement():
    given = agreement(*of_today().values())
    with pytest.raises(consents.Outdated):
        enrolment.join_proved(proved(), agreed=Agreement(given.documents | {uuid.uuid4()}, WEB, given.at))


def test_without_its_documents_the_web_takes_nobody_in(monkeypatch):
    monkeypatch.setattr(consents, "asked_now", list)
    with pytest.raises(consents.Outdated):
        enrolment.join_proved(proved(), agreed=agreement())


def test_when_somebody_ticked_is_kept_not_when_the_row_was_written():
    ticked = timezone.now() - timedelta(minutes=5)
    required = [one for one in consents.asked_now() if one.required]
    joined = enrolment.join_proved(proved(), agreed=agreement(*required, at=ticked))
    assert {row.at for row in joined.subscription.consents.all()} == {ticked}


def test_people_of_the_demo_agree_to_what_is_required_and_nothing_else():
    mina = make.person()
    enrolment.join(mina.phone)
    kept = Consent.objects.values_list("document__kind", "channel")
    assert sorted(kept) == [("collect", "demo"), ("share", "demo"), ("terms", "demo")]


def test_withdrawing_is_a_new_row_and_twice_is_once():
    marketing = of_today()["marketing"]
    mina = member(marketing)
    consents.withdraw(mina, marketing.pk, channel=WEB)
    consents.withdraw(mina, marketing.pk, channel=WEB)
    assert [row.agreed for row in mina.consents.filter(document=marketing).order_by("at")] == [True, False]
    assert {row.document.kind: row.agreed for row in consents.standing(mina)}["marketing"] is False


def test_agreeing_again_is_another_row_and_twice_is_once():
    marketing = of_today()["marketing"]
    mina = member()
    consents.agree(mina, [marketing.pk], channel=WEB)
    consents.agree(mina, [marketing.pk], channel=WEB)
    assert mina.consents.filter(document=marketing).count() == 1


def test_what_is_required_cannot_be_withdrawn_and_nothing_that_was_never_agreed_to():
    mina = member()
    with pytest.raises(Refused, match="wrong_state"):
        consents.withdraw(mina, of_today()["terms"].pk, channel=WEB)
    with pytest.raises(Refused, match="not_found"):
        consents.withdraw(mina, of_today()["marketing"].pk, channel=WEB)


@pytest.mark.parametrize("change", [lambda rows: rows.update(agreed=False), lambda rows: rows.delete()])
def test_sql_cannot_change_or_remove_a_consent(change):
    member()
    with pytest.raises(IntegrityError, match="a consent is never changed"), transaction.atomic():
        change(Consent.objects.all())


@pytest.mark.parametrize("change", [lambda rows: rows.update(body_ko="다른 글"), lambda rows: rows.delete()])
def test_sql_cannot_change_a_document_that_has_begun_but_one_that_has_not(change):
    begun, to_come = document(), document(starts_in=timedelta(days=1))
    with pytest.raises(IntegrityError, match="a document that has begun"), transaction.atomic():
        change(ConsentDocument.objects.filter(pk=begun.pk))
    change(ConsentDocument.objects.filter(pk=to_come.pk))
