"""The desk's status page: what stands now, for who watches over the desk, quickly, and nobody's data."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ansim import heartbeat
from pushes.models import Message
from tests import make
from tests.ansim.test_once import no_redis  # noqa: F401 # a fixture
from tests.desk import Staff

pytestmark = pytest.mark.django_db
STATUS = "/admin/status/"


@pytest.fixture(autouse=True)
def note(settings, tmp_path):
    settings.AUDIT_CHECKPOINT = tmp_path / "audit-checkpoint"


def seen(role="supervisor"):
    return Staff(role).come_in().get(STATUS).content.decode()


def test_all_is_well():
    heartbeat.tick()
    page = seen()
    assert "지금은 모두 좋습니다." in page
    assert "desk-status--bad" not in page
    assert "desk-status--warn" not in page


def test_what_is_late_is_told_with_what_to_do():
    late = timezone.now() - timedelta(minutes=3)
    Message.objects.create(
        channel="sms", kind="sms", body={"to": "", "text": ""}, due_at=late, expires_at=late + timedelta(hours=1)
    )
    page = seen()
    assert "살펴볼 것이 있습니다" in page
    assert "보낼 것 1건, 0:03:0" in page
    assert "manage.py doctor --only worker ticks" in page


def test_it_names_nobody():
    mina = make.Member()
    asked = make.verification(mina.person)
    page = seen("auditor")
    assert "앱 열기를 기다림" in page
    for secret in (mina.person.phone[-8:], mina.person.name, mina.line.contract, str(asked.pk), asked.reference):
        assert secret not in page


@pytest.mark.usefixtures("no_redis")
def test_redis_away_is_a_finding_and_no_error():
    assert "Redis가 답하지 않습니다." in seen()


def test_it_takes_at_most_twelve_statements_and_asks_nobody_outside(settings):
    settings.CARRIER_URL = settings.SMS_URL = settings.FCM_URL = "http://192.0.2.1"  # would hang
    boss = Staff("supervisor").come_in()
    boss.get(STATUS)
    with CaptureQueriesContext(connection) as asked:
        assert boss.get(STATUS).status_code == 200
    assert len(asked) <= 12, [query["sql"] for query in asked]
