"""What the desk sees of the carrier's events, and that a look at a stuck one is said and recorded (issue 5)."""

import uuid

import pytest
from django.utils import timezone

from ansim.record_models import AccessRecord
from subscriptions import carrier_events
from subscriptions.models import CarrierEvent
from tests.verification.test_webhooks_api import act, agent

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = "/admin/subscriptions/carrierevent/"
MAY = ("view_carrierevent", "change_carrierevent")


@pytest.fixture(autouse=True)
def note(settings, tmp_path):
    settings.AUDIT_CHECKPOINT = tmp_path / "checkpoint"


@pytest.fixture
def stuck():
    """A report of a contract that nobody here has."""
    report = carrier_events.Report(
        "/carrier", uuid.uuid4().hex, "number_changed", "C-secret-7", timezone.now(), {"phone": "+821077778888"}
    )
    carrier_events.take(report)
    return CarrierEvent.objects.get(event_id=report.event_id)


def test_the_list_shows_what_waits_and_nothing_of_the_person(stuck):
    han = agent(*MAY)
    for page in (han.get(EVENTS, {"standing__exact": "stuck"}), han.get(f"{EVENTS}{stuck.pk}/change/")):
        shown = page.content.decode()
        assert stuck.event_id in shown
        assert "번호 변경" in shown
        assert "확인 필요" in shown
        assert "C-secret-7" not in shown
        assert "77778888" not in shown
        assert 'name="_save"' not in shown


def test_who_looked_at_it_says_so_and_it_waits_no_more(stuck):
    said = act(agent(*MAY), EVENTS, "answered", stuck)
    stuck.refresh_from_db()
    assert (stuck.standing, "확인했습니다" in said) == ("answered", True)
    record = AccessRecord.objects.get(what="carrierevent.answered")
    assert record.subject == stuck.contract_fingerprint
    assert "확인이 필요한 이벤트가 아닙니다" in act(agent(*MAY), EVENTS, "answered", stuck)


def test_who_may_only_look_answers_nothing(stuck):
    act(agent("view_carrierevent"), EVENTS, "answered", stuck)
    stuck.refresh_from_db()
    assert stuck.standing == "stuck"
