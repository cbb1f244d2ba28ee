"""What a partner sees of its webhooks, and nobody else; what the desk sees and may do."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from ansim import desk_auth
from ansim.models import Agent
from tests import make
from tests.verification.endpoints import answering
from tests.verification.test_webhooks import backlog, due_now, shop, told
from verification import tasks
from verification.models import Partner, WebhookDelivery
from verification.partner_auth import make_key

pytestmark = pytest.mark.django_db
LIST = "/partner/v1/webhook-deliveries"


class Caller:
    """A partner's program, in this process."""

    def __init__(self, partner):
        self.headers = {"Authorization": f"Bearer {make_key(partner, live=False)}"}

    def get(self, **query):
        return Client().get(LIST, query, headers=self.headers)

    def items(self, **query):
        answer = self.get(**query)
        assert answer.status_code == 200, answer.content
        return answer.json()["items"]

    def replay(self, webhook_id, body=""):
        return Client().generic("POST", f"{LIST}/{webhook_id}/replay", body, "application/json", headers=self.headers)


def test_each_attempt_is_shown_and_nothing_of_the_body():
    with answering(500, body=b"stack trace") as endpoint:
        partner = shop(endpoint)
        delivery = told(partner)
        for _ in range(2):
            due_now(delivery)
            tasks.deliver_webhooks()

    answer = Caller(partner).get()

    (item,) = answer.json()["items"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert {name: item[name] for name in ("id", "type", "verification", "state", "attempts", "delivered_at")} == {
        "id": endpoint.heard[0][0]["webhook-id"],
        "type": "verification.cancelled",
        "verification": str(delivery.verification_id),
        "state": "owed",
        "attempts": 2,
        "delivered_at": None,
    }
    assert item["next_attempt_at"] > item["created_at"]
    assert [(attempt["status"], attempt["error"]) for attempt in item["log"]] == [(500, None)] * 2
    assert item["log"][0]["at"] > item["log"][1]["at"]
    assert all(attempt["ms"] >= 0 for attempt in item["log"])
    assert set(item["log"][0]) == {"at", "status", "error", "ms"}
    assert b"stack trace" not in answer.content


def test_the_list_is_newest_first_page_by_page_and_can_be_narrowed_down():
    partner = make.partner()
    now = timezone.now()
    rows = backlog(partner, 5)
    for age, row in enumerate(reversed(rows)):
        WebhookDelivery.objects.filter(pk=row.pk).update(created_at=now - timedelta(minutes=age // 2))
    WebhookDelivery.objects.filter(pk=rows[0].pk).update(state="delivered", delivered_at=now)
    caller = Caller(partner)

    seen, cursor = [], {}
    while True:
        page = caller.get(limit=2, **cursor).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert sorted(seen) == sorted(row.webhook_id for row in rows)
    assert [item["id"] for item in caller.items()] == seen
    assert [item["id"] for item in caller.items(state="delivered")] == [rows[0].webhook_id]
    assert caller.items(state="delivered")[0]["next_attempt_at"] is None
    assert len(caller.items(verification=rows[0].verification_id)) == 5
    assert caller.items(verification=uuid.uuid4()) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"), ({"limit": "101"}, "limit"), ({"cursor": "x"}, "cursor"),
        ({"state": "lost"}, "state"),
        ({"cursor": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgIngiXQ=="}, "cursor"), ({"verification": "1"}, "verification"),
        ({"partner": "1"}, "partner"), ({"state": "\0"}, "state"),
    ],
)  # fmt: skip
def test_what_it_does_not_understand_is_invalid(query, field):
    answer = Caller(make.partner()).get(**query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_another_partners_webhooks_are_not_there():
    delivery, stranger = told(make.partner()), Caller(make.partner())

    assert stranger.items() == stranger.items(verification=delivery.verification_id) == []
    answer = stranger.replay(delivery.webhook_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert Client().get(LIST).status_code == 401
    assert Client().post(f"{LIST}/{delivery.webhook_id}/replay").status_code == 401


@pytest.mark.parametrize("webhook_id", ["msg_1", "msg_" + "0" * 32, "msg_" + "G" * 32, "0" * 32, "%00"])
def test_an_id_that_is_none_is_not_found(webhook_id):
    assert Caller(make.partner()).replay(webhook_id).status_code == 404


def test_a_replay_arrives_again_under_the_same_id():
    with answering() as endpoint:
        partner = shop(endpoint)
        delivery = told(partner)
        tasks.deliver_webhooks()
        caller = Caller(partner)

        answer = caller.replay(delivery.webhook_id)

        assert (answer.status_code, answer.json()["state"]) == (202, "owed")
        assert answer.json()["id"] == delivery.webhook_id
        tasks.deliver_webhooks()
        (item,) = caller.items()
    assert (item["state"], item["attempts"], len(item["log"])) == ("delivered", 2, 2)
    assert len({headers["webhook-id"] for headers, _ in endpoint.heard}) == 1


def test_a_replay_takes_no_body_and_no_disabled_endpoint():
    partner = make.partner()
    delivery, caller = told(partner), Caller(partner)
    assert caller.replay(delivery.webhook_id, '{"a": 1}').status_code == 400
    Partner.objects.filter(pk=partner.pk).update(webhook_disabled_at=timezone.now())
    answer = caller.replay(delivery.webhook_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert Client().get(f"{LIST}/{delivery.webhook_id}/replay", headers=caller.headers).status_code == 405


# --- The desk ---------------------------------------------------------------------------------------------------------


def agent(*permissions):
    """The desk in the browser of somebody who signed in with the second factor."""
    han = Agent.objects.create_user(f"han-{uuid.uuid4().hex[:6]}", password="x", is_staff=True)
    han.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    device = TOTPDevice.objects.create(user=han, confirmed=True)
    client = Client(headers={"Accept-Language": "ko"})
    client.force_login(han)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    desk_auth.begin(session, han)
    session.save()
    return client


DELIVERIES, PARTNERS = "/admin/verification/webhookdelivery/", "/admin/verification/partner/"


def act(client, page, action, *rows):
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(page, chosen, follow=True).content.decode()


def test_the_desk_lists_deliveries_with_their_attempts_and_changes_nothing():
    with answering(500) as endpoint:
        delivery = told(shop(endpoint))
        tasks.deliver_webhooks()
    han = agent("view_webhookdelivery", "change_webhookdelivery", "view_webhookattempt")

    listed = han.get(DELIVERIES).content.decode()
    shown = han.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()

    assert delivery.webhook_id in listed
    assert "status_500" in listed
    assert "500" in shown
    assert delivery.verification.reference not in shown, "the body is not shown"
    assert 'name="_save"' not in shown
    assert han.get(f"{DELIVERIES}add/").status_code == 403
    assert han.post(f"{DELIVERIES}{delivery.pk}/delete/").status_code == 403


@pytest.mark.parametrize("searched", ["webhook", "verification", "partner", "name", "nothing", "\0"])
def test_the_desk_finds_by_each_id_and_by_name(searched):
    delivery = told(make.partner(name="달빛서점"))
    told(make.partner())
    words = {
        "webhook": delivery.webhook_id,
        "verification": str(delivery.verification_id),
        "partner": str(delivery.partner_id),
        "name": "달빛",
    }.get(searched, searched)
    answer = agent("view_webhookdelivery").get(DELIVERIES, {"q": words})
    assert answer.status_code in (200, 302)
    if searched not in ("nothing", "\0"):
        assert [one.pk for one in answer.context["cl"].result_list] == [delivery.pk]


def test_the_desk_delivers_again_what_was_given_up():
    with answering() as endpoint:
        delivery = told(shop(endpoint))
        WebhookDelivery.objects.update(state="given_up", attempts=10)
        said = act(agent("view_webhookdelivery", "change_webhookdelivery"), DELIVERIES, "deliver_again", delivery)
        tasks.deliver_webhooks()
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert "다시 전달합니다" in said


def test_who_may_only_look_cannot_deliver_again():
    delivery = told(make.partner())
    WebhookDelivery.objects.update(state="given_up")
    act(agent("view_webhookdelivery"), DELIVERIES, "deliver_again", delivery)
    delivery.refresh_from_db()
    assert delivery.state == "given_up"


def test_the_desk_enables_an_endpoint_again_and_shows_no_secret():
    partner = make.partner(webhook_disabled_at=timezone.now())
    han = agent("view_partner", "change_partner")
    shown = han.get(f"{PARTNERS}{partner.pk}/change/").content.decode()
    assert partner.domain in shown
    assert partner.webhook_secret not in shown
    delivery = backlog(partner, 1)[0]
    refused = act(agent("view_webhookdelivery", "change_webhookdelivery"), DELIVERIES, "deliver_again", delivery)
    assert "꺼져 있습니다" in refused

    said = act(han, PARTNERS, "enable_webhooks", partner)

    partner.refresh_from_db()
    assert partner.webhook_disabled_at is None
    assert "1곳의 웹훅을 켰습니다" in said


def test_without_the_second_factor_nobody_looks():
    client = Client()
    client.force_login(Agent.objects.create_superuser("root", password="x"))
    assert client.get(DELIVERIES).status_code == 302
