"""Whoever opens, searches or changes something at the desk is on record, before they see it."""

import pytest
from django.contrib.auth.models import Group

from ansim.lib import fingerprint
from ansim.models import AccessRecord, Agent
from tests import make
from tests.verification.test_webhooks import told
from tests.verification.test_webhooks_api import DELIVERIES, PARTNERS, act, agent
from verification.models import WebhookDelivery

pytestmark = pytest.mark.django_db
ROLES = "/admin/auth/group/"


@pytest.fixture(autouse=True)
def note(settings, tmp_path):
    settings.AUDIT_CHECKPOINT = tmp_path / "audit-checkpoint"


def recorded():
    return [(row.action, row.what, row.subject) for row in AccessRecord.objects.order_by("number")]


def test_a_list_and_a_search_are_on_record_but_not_what_was_searched_for():
    han = agent("view_partner")
    han.get(PARTNERS)
    han.get(PARTNERS, {"q": "홍길동"})
    assert recorded() == [("look", "partner.list", ""), ("search", "partner.list", "")]


def test_the_record_names_the_agent_and_where_they_sat():
    han = agent("view_partner")
    Agent.objects.get().groups.add(Group.objects.get_or_create(name="supervisor")[0])
    han.get(PARTNERS, REMOTE_ADDR="192.0.2.44")
    row = AccessRecord.objects.get()
    assert (row.actor, row.role, row.address) == (Agent.objects.get().username, "supervisor", "192.0.2.44")


def test_who_opens_what_a_partner_was_told_of_a_customer_is_on_that_customers_record():
    delivery = told(make.partner())
    line = make.verification(make.person()).line
    type(delivery.verification).objects.filter(pk=delivery.verification_id).update(line=line)
    agent("view_webhookdelivery").get(f"{DELIVERIES}{delivery.pk}/change/")
    assert recorded() == [("look", "webhookdelivery.row", line.contract_fingerprint)]


def test_a_row_that_somebody_may_not_see_or_that_is_none_is_on_record_as_refused():
    partner = make.partner()
    answer = agent("view_webhookdelivery").get(f"{PARTNERS}{partner.pk}/change/")
    agent("view_partner").get(f"{PARTNERS}{WebhookDelivery().pk}/change/")
    assert answer.status_code == 403
    assert [row[0] for row in recorded()] == ["refused", "refused"]


def test_a_change_is_on_record_with_its_deed():
    delivery = told(make.partner())
    act(agent("view_webhookdelivery", "change_webhookdelivery"), DELIVERIES, "deliver_again", delivery)
    assert ("change", "webhookdelivery.deliver_again", "") in recorded()


def test_a_change_of_a_role_is_on_record():
    root = agent()
    Agent.objects.update(is_superuser=True)
    role = Group.objects.get_or_create(name="supervisor")[0]
    root.post(f"{ROLES}{role.pk}/change/", {"name": "supervisor", "permissions": []})
    assert ("grant", "group.change", fingerprint.of("role", "supervisor")) in recorded()
