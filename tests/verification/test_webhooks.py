"""Each event reaches its partner: on the ladder, under one id, signed, and never at another partner's expense."""

import base64
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from ansim import bell, ear
from ansim.lib.problem import Refused
from tests import make
from tests.client.world import until
from tests.verification.endpoints import answering, saying
from verification import clock, flow, tasks, webhook_outbox, webhook_post, webhooks
from verification.models import Partner, WebhookAttempt, WebhookDelivery

pytestmark = pytest.mark.django_db


def shop(endpoint):
    return make.partner(webhook_url=getattr(endpoint, "url", endpoint))


def told(partner):
    """An event for that partner, as a story makes it."""
    asked = make.verification(at=partner)
    flow.cancel(reason="cancelled_by_partner", pk=asked.pk)
    return WebhookDelivery.objects.get(verification=asked)


def backlog(partner, count, **differing):
    """So many rows owed, without the stories behind them."""
    asked, now = make.verification(at=partner), timezone.now()
    rows = [
        WebhookDelivery(
            partner=partner, verification=asked, type=f"test.{n}", body="{}",
            **{"due_at": now, "created_at": now, **differing},
        )
        for n in range(count)
    ]  # fmt: skip
    return WebhookDelivery.objects.bulk_create(rows)


def heard_of(delivery):
    """What one attempt brings."""
    said = queue.SimpleQueue()
    webhook_post.send(delivery, said.put)
    return said.get(timeout=5)


def due_now(delivery):
    WebhookDelivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now())


def waits(delivery):
    """Seconds until the next attempt, as the row says."""
    delivery.refresh_from_db()
    return (delivery.due_at - timezone.now()).total_seconds()


def state(delivery):
    delivery.refresh_from_db()
    return delivery.state


# --- The bell ---------------------------------------------------------------------------------------------------------


def test_who_hears_the_bell_takes_its_mark_away_so_that_the_next_commit_rings_anew():
    bell.heard(webhooks.BELL)
    for _ in range(2):
        webhooks.pull()
        assert bell.broker().exists(webhooks.BELL.mark)
        tasks.deliver_webhooks()
        assert not bell.broker().exists(webhooks.BELL.mark)


# --- The ladder -------------------------------------------------------------------------------------------------------


def test_the_ladder_is_the_published_one():
    """Standard Webhooks' example schedule: how long after the attempt before."""
    published = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    for attempts, seconds in enumerate(published, start=1):
        assert seconds <= webhook_outbox.until_next(attempts) <= seconds * 1.1
    assert webhook_outbox.until_next(10) is None


def test_what_is_not_heard_is_tried_ten_times_under_one_id_and_then_given_up():
    with answering(500) as endpoint:
        delivery = told(shop(endpoint))
        for rung in (*webhooks.LADDER, None):
            due_now(delivery)
            tasks.deliver_webhooks()
            if rung:
                assert state(delivery) == "owed"
                assert rung.total_seconds() - 1 < waits(delivery) < rung.total_seconds() * 1.1
        tasks.deliver_webhooks()

    assert state(delivery) == "given_up"
    assert len(endpoint.heard) == 10
    assert {headers["webhook-id"] for headers, _ in endpoint.heard} == {f"msg_{delivery.pk.hex}"}
    assert [(attempt.status, attempt.error) for attempt in delivery.log.all()] == [(500, "")] * 10
    assert delivery.last_error == "status_500"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_two_hundred_and_something_is_success(status):
    with answering(status) as endpoint:
        delivery = told(shop(endpoint))
        tasks.deliver_webhooks()
    assert state(delivery) == "delivered"
    assert delivery.delivered_at


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 502, 503, 504])
def test_anything_else_is_tried_again(status):
    with answering(status, headers=[("Location", "http://127.0.0.1:1/")]) as endpoint:
        delivery = told(shop(endpoint))
        tasks.deliver_webhooks()
    assert (state(delivery), delivery.last_error) == ("owed", f"status_{status}")
    assert 4 < waits(delivery) < 5.6


def in_ten_minutes():
    return format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("600", 600), (in_ten_minutes, 600), ("99999999", 86_400), ("9" * 400, 86_400), ("1", 5), ("-5", 5),
        ("soon", 5), ("Wed, 01 Jan 2020 00:00:00 GMT", 5), ("Wed, 99 Jan 2020", 5),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
    ],
)  # fmt: skip
def test_retry_after_is_obeyed_for_at_most_a_day_and_never_shortens_the_ladder(status, header, seconds):
    value = header() if callable(header) else header
    with answering(status, headers=[("Retry-After", value)]) as endpoint:
        delivery = told(shop(endpoint))
        tasks.deliver_webhooks()
    assert seconds - 3 < waits(delivery) < seconds + 1


def test_retry_after_means_nothing_elsewhere():
    with answering(500, headers=[("Retry-After", "600")]) as endpoint:
        delivery = told(shop(endpoint))
        tasks.deliver_webhooks()
    assert waits(delivery) < 6


@pytest.mark.parametrize(
    ("parts", "code"), [([], "dropped"), ([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"], "dropped")]
)
def test_no_answer_is_logged_with_its_reason(parts, code):
    with saying(*parts) as url:
        delivery = told(shop(url))
        tasks.deliver_webhooks()
    assert (state(delivery), delivery.last_error) == ("owed", code)
    assert [(attempt.status, attempt.error) for attempt in delivery.log.all()] == [(None, code)]


def test_an_answer_drop_by_drop_is_a_time_out(monkeypatch):
    monkeypatch.setattr(webhook_post, "TIMEOUT", 0.5)
    with saying(b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 100, every=0.1) as url:
        delivery = told(shop(url))
        tasks.deliver_webhooks()
    assert delivery.log.get().error == "timeout"
    assert 450 < delivery.log.get().ms < 1500


def test_a_forbidden_address_is_a_failure_like_any_other(settings):
    settings.DEMO = False
    with answering() as endpoint:
        delivery = told(shop(endpoint))
        tasks.deliver_webhooks()
    assert endpoint.heard == []
    assert (state(delivery), delivery.last_error) == ("owed", "forbidden_address")
    assert delivery.log.get().error == "forbidden_address"
    assert 4 < waits(delivery) < 5.6


def test_the_log_of_attempts_has_no_bodies():
    with answering(500, body=b"our secret") as endpoint:
        delivery = told(shop(endpoint))
        tasks.deliver_webhooks()
        due_now(delivery)
        tasks.deliver_webhooks()
    assert delivery.log.count() == 2
    assert not any("our secret" in str(row) for row in WebhookAttempt.objects.values())


# --- Gone, and back ---------------------------------------------------------------------------------------------------


def test_410_disables_the_endpoint_and_gives_up_what_is_owed():
    with answering(410) as endpoint:
        partner = shop(endpoint)
        waiting = backlog(partner, 3, due_at=timezone.now() + timedelta(hours=1))
        answered = told(partner)
        tasks.deliver_webhooks()

        partner.refresh_from_db()
        assert partner.webhook_disabled_at
        assert {state(one) for one in (*waiting, answered)} == {"given_up"}
        asked = make.verification(at=Partner.objects.get(pk=partner.pk))
        flow.cancel(reason="cancelled_by_partner", pk=asked.pk)
        assert not asked.webhooks.exists(), "later events make none"
        assert len(endpoint.heard) == 1

    call_command("partners", "enable-webhooks", str(partner.pk))
    assert told(Partner.objects.get(pk=partner.pk)).state == "owed"


def test_410_of_an_address_that_was_changed_meanwhile_disables_nothing():
    with answering(410) as endpoint:
        partner = shop(endpoint)
        told(partner)
        (taken,) = webhook_outbox.claim(most=9)
        heard = heard_of(taken)
        Partner.objects.filter(pk=partner.pk).update(webhook_url=f"{endpoint.url}/new")
        webhook_outbox.record([webhook_outbox.became(taken, heard)])
    partner.refresh_from_db()
    assert partner.webhook_disabled_at is None


@pytest.mark.parametrize("deaf", [{"webhook_url": ""}, {"webhook_disabled_at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_what_is_owed_to_who_hears_no_more_is_given_up_and_holds_up_nobody(deaf):
    with answering() as endpoint:
        partner, other = shop(endpoint), shop(endpoint)
        owed = backlog(partner, 300)
        Partner.objects.filter(pk=partner.pk).update(**deaf)
        heard = told(other)
        tasks.deliver_webhooks()
    assert {state(one) for one in owed} == {"given_up"}
    assert state(heard) == "delivered"
    assert len(endpoint.heard) == 1


# --- Again ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 500])
def test_a_replay_is_the_same_event_from_the_foot_of_the_ladder(status):
    with answering(status) as endpoint:
        delivery = told(shop(endpoint))
        for _ in range(4):
            due_now(delivery)
            tasks.deliver_webhooks()
        before = len(endpoint.heard)

        webhooks.replay(pk=delivery.pk)
        assert state(delivery) == "owed"
        tasks.deliver_webhooks()

    assert len(endpoint.heard) == before + 1
    assert len({(headers["webhook-id"], body) for headers, body in endpoint.heard}) == 1
    assert state(delivery) == ("delivered" if status == 204 else "owed")
    assert status == 204 or 4 < waits(delivery) < 5.6


def test_a_replay_of_what_is_in_the_air_sends_it_once():
    with answering() as endpoint:
        delivery = told(shop(endpoint))
        (taken,) = webhook_outbox.claim(most=9)

        webhooks.replay(pk=delivery.pk)

        assert webhook_outbox.claim(most=9) == []
        webhook_outbox.record([webhook_outbox.became(taken, heard_of(taken))])
    assert state(delivery) == "delivered"
    assert len(endpoint.heard) == 1


def test_nothing_is_replayed_to_a_disabled_endpoint():
    delivery = told(make.partner())
    Partner.objects.update(webhook_disabled_at=timezone.now())
    with pytest.raises(Refused, match="wrong_state"):
        webhooks.replay(pk=delivery.pk)


def test_the_database_holds_one_row_for_an_event_and_a_time_for_each_delivered_one():
    delivery = told(make.partner())
    twin = WebhookDelivery(
        partner=delivery.partner, verification=delivery.verification, type=delivery.type, body="{}",
        due_at=timezone.now(), created_at=timezone.now(),
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="webhookdelivery_event_once"), transaction.atomic():
        twin.save(force_insert=True)
    with pytest.raises(IntegrityError, match="webhookdelivery_delivered_has_time"), transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(state="delivered")


# --- Signatures -------------------------------------------------------------------------------------------------------


def a_secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def rotate(partner, *options):
    said = []
    call_command("partners", "rotate-webhook-secret", str(partner.pk), "--json", *options, stdout=Said(said))
    return json.loads("".join(said))


class Said:
    def __init__(self, parts):
        self.write = parts.append


def delivered(partner, endpoint):
    """The newest delivery as the endpoint heard it: (body, headers)."""
    told(Partner.objects.get(pk=partner.pk))
    tasks.deliver_webhooks()
    headers, body = endpoint.heard[-1]
    return body.decode(), headers


def test_during_a_rotation_either_secret_verifies_and_the_new_one_comes_first():
    with answering() as endpoint:
        partner = shop(endpoint)
        old = partner.webhook_secret
        body, headers = delivered(partner, endpoint)
        assert Webhook(old).verify(body, headers)
        assert " " not in headers["webhook-signature"]

        rotated = rotate(partner)
        new = rotated["webhook_secret"]
        assert new != old
        body, headers = delivered(partner, endpoint)

        for secret in (old, new):
            assert Webhook(secret).verify(body, headers)["type"] == "verification.cancelled"
        first, second = headers["webhook-signature"].split(" ")
        assert Webhook(new).verify(body, {**headers, "webhook-signature": first})
        assert Webhook(old).verify(body, {**headers, "webhook-signature": second})
        with pytest.raises(WebhookVerificationError):
            Webhook(a_secret()).verify(body, headers)
        left = datetime.fromisoformat(rotated["previous_until"]) - timezone.now()
        assert timedelta(hours=23.9) < left <= timedelta(hours=24)


def test_when_its_time_is_over_the_old_secret_signs_no_more_and_is_forgotten():
    with answering() as endpoint:
        partner = shop(endpoint)
        old = partner.webhook_secret
        rotate(partner, "--keep-hours", "1")
        Partner.objects.update(previous_webhook_secret_until=timezone.now())
        body, headers = delivered(partner, endpoint)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, headers)

    clock.forget()

    partner.refresh_from_db()
    assert (partner.previous_webhook_secret, partner.previous_webhook_secret_until) == (None, None)


def test_a_leaked_secret_stops_at_once():
    with answering() as endpoint:
        partner = shop(endpoint)
        old = partner.webhook_secret
        assert rotate(partner, "--keep-hours", "0")["previous_until"] is None
        body, headers = delivered(partner, endpoint)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, headers)


def test_a_second_rotation_keeps_two_secrets_and_not_three():
    with answering() as endpoint:
        partner = shop(endpoint)
        first = partner.webhook_secret
        second, third = rotate(partner)["webhook_secret"], rotate(partner)["webhook_secret"]
        body, headers = delivered(partner, endpoint)
    assert Webhook(second).verify(body, headers)
    assert Webhook(third).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(body, headers)


@pytest.mark.parametrize(
    "command",
    [
        ["rotate-webhook-secret", "7f3b1f0e-0000-4000-8000-000000000000"],
        ["enable-webhooks", "7f3b1f0e-0000-4000-8000-000000000000"],
        ["rotate-webhook-secret", None, "--keep-hours", "-1"],
        ["rotate-webhook-secret", None, "--keep-hours", "721"],
    ],
)
def test_the_command_refuses_with_status_2(command):
    known = str(make.partner().pk)
    with pytest.raises(CommandError) as refused:
        call_command("partners", *(part or known for part in command))
    assert refused.value.returncode == 2


# --- Fair -------------------------------------------------------------------------------------------------------------


def test_a_partner_has_a_few_places_and_all_have_the_same():
    mina, hana = make.partner(), make.partner()
    backlog(mina, 40)
    backlog(hana, 40)

    taken = webhook_outbox.claim(most=100)

    owners = [one.partner_id for one in taken]
    assert owners.count(mina.pk) == owners.count(hana.pk) == webhook_outbox.EACH
    assert webhook_outbox.claim(most=100) == [], "also not for a second process"


def test_when_places_are_scarce_they_go_round():
    big, small = make.partner(), make.partner()
    backlog(big, 40, due_at=timezone.now() - timedelta(hours=1))
    backlog(small, 1)
    assert small.pk in [one.partner_id for one in webhook_outbox.claim(most=2)]


def test_a_slow_partner_has_one_place():
    mina = make.partner()
    backlog(mina, 40)
    assert len(webhook_outbox.claim(most=100, slow={mina.pk})) == 1
    assert webhook_outbox.claim(most=100, slow={mina.pk}) == []


@pytest.mark.parametrize("slow", [False, True])
def test_one_drain_delivers_a_whole_backlog_although_it_has_few_places(slow):
    mina, drain = make.partner(), tasks.Drain()
    backlog(mina, 3 if slow else 3 * webhook_outbox.EACH)
    if slow:
        drain._slow.add(mina.pk)

    drain.ring()

    assert not WebhookDelivery.objects.filter(state="owed").exists(), "nothing is left for the clock"


def test_shortly_after_a_drain_the_next_bell_waits():
    drain = tasks.Drain()
    drain.apart = 600.0  # nothing was drained yet: at once
    drain.work(listen=False)
    began, drain.apart = time.monotonic(), 0.2

    drain.work(listen=False)
    assert time.monotonic() - began > 0.15


@pytest.mark.django_db(transaction=True)
def test_two_claims_at_the_same_instant_do_not_add_up():
    backlog(make.partner(), 100)
    gate, taken = threading.Barrier(6), []

    def work():
        connection.ensure_connection()
        gate.wait()
        taken.extend(webhook_outbox.claim(most=100))
        connection.close()

    run_all([threading.Thread(target=work) for _ in range(6)])

    assert len(taken) == len({one.pk for one in taken}) == webhook_outbox.EACH


def run_all(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_partner_that_hangs_with_200_owed_does_not_delay_another(monkeypatch):
    monkeypatch.setattr(webhook_post, "TIMEOUT", 3.0)
    monkeypatch.setattr(tasks, "PATIENCE", 1000)
    over = threading.Event()
    with saying(then_hang=True) as hanging, answering() as quick:
        slow, fast = shop(hanging), shop(quick)
        backlog(slow, 200)
        drain = tasks.Drain()

        def work():
            while not over.is_set():
                drain.ring()
            connection.close()

        at_work = threading.Thread(target=work)
        at_work.start()
        for number in range(1, 6):
            time.sleep(0.7)
            began = time.monotonic()
            told(fast)
            drain.ring()
            while len(quick.heard) < number:
                assert time.monotonic() - began < 2.0
                time.sleep(0.01)
        WebhookDelivery.objects.filter(partner=slow, in_the_air=False).update(due_at=timezone.now() + timedelta(days=1))
        over.set()
        at_work.join()

    assert WebhookDelivery.objects.filter(partner=slow, state="owed").count() == 200
    assert set(WebhookAttempt.objects.filter(delivery__partner=slow).values_list("error", flat=True)) == {"timeout"}
    assert WebhookAttempt.objects.filter(delivery__partner=slow).count() <= webhook_outbox.EACH + 4


@pytest.mark.django_db(transaction=True)
def test_while_one_partner_keeps_it_waiting_a_drain_that_listens_hears_the_bells_of_others(monkeypatch):
    ending, go = threading.Event(), threading.Event()
    monkeypatch.setattr(ear, "_ending", ending)
    monkeypatch.setattr(ear, "LINGER", 60.0)
    drain = tasks.Drain()

    def work():
        for _ in range(2):
            drain.work(listen=True)
        connection.close()

    at_work = threading.Thread(target=work)
    at_work.start()
    with answering(before=lambda heard: go.wait(10) and None) as hanging, answering() as quick:
        slow, fast = shop(hanging), shop(quick)
        until(lambda: bell.broker().exists(webhooks.BELL.ear))
        backlog(slow, webhook_outbox.EACH)
        webhooks.pull()
        until(lambda: WebhookDelivery.objects.filter(partner=slow, in_the_air=True).count() == webhook_outbox.EACH)
        bell.broker().delete(webhooks.BELL.queue)
        told(fast)
        until(lambda: quick.heard, seconds=5)
        assert bell.broker().llen(webhooks.BELL.queue) == 0, "nobody else was asked"
        ending.set()
        go.set()
        at_work.join(10)
    assert not at_work.is_alive()


@pytest.mark.django_db(transaction=True)
def test_what_is_in_the_air_when_a_shift_ends_is_written_all_the_same(monkeypatch):
    monkeypatch.setattr("ansim.drain.SHIFT", 0.3)
    go = threading.Event()
    with answering(before=lambda heard: go.wait(5) and None) as endpoint:
        delivery = told(shop(endpoint))
        assert tasks.Drain().ring(), "there is more to do: somebody rings for the next one"
        assert state(delivery) == "owed"
        go.set()
        ends = time.monotonic() + 5
        while state(delivery) != "delivered":
            assert time.monotonic() < ends
            time.sleep(0.02)
    assert len(endpoint.heard) == 1


# --- Once each --------------------------------------------------------------------------------------------------------

TAKE_AND_HANG = """
import django, time
django.setup()
from datetime import timedelta
from verification import webhook_outbox
webhook_outbox.LEASE = timedelta(seconds=1)
print(len(webhook_outbox.claim(most=10)), flush=True)
time.sleep(60)
"""


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_worker_had_taken_is_delivered_when_its_lease_is_over(settings):
    with answering() as endpoint:
        delivery = told(shop(endpoint))
        database = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
        worker = subprocess.Popen(
            [sys.executable, "-c", TAKE_AND_HANG], env={**os.environ, "DATABASE_URL": database},
            stdout=subprocess.PIPE, cwd=settings.ROOT,
        )  # fmt: skip
        assert worker.stdout.readline() == b"1\n"
        worker.send_signal(signal.SIGKILL)
        worker.communicate()

        tasks.deliver_webhooks()
        assert endpoint.heard == []
        while waits(delivery) > 0:
            time.sleep(0.05)
        tasks.deliver_webhooks()

    assert state(delivery) == "delivered"
    assert [headers["webhook-id"] for headers, _ in endpoint.heard] == [delivery.webhook_id]
    assert [(attempt.status, attempt.error) for attempt in delivery.log.order_by("id")] == [
        (None, "interrupted"),
        (204, ""),
    ]


def test_who_lost_the_lease_has_no_say_unless_it_was_heard():
    with answering(500) as endpoint:
        delivery = told(shop(endpoint))
        (first,) = webhook_outbox.claim(most=10)
        due_now(delivery)
        (second,) = webhook_outbox.claim(most=10)

        webhook_outbox.record([webhook_outbox.became(first, heard_of(first))])
        assert waits(delivery) > 20, "the second one's lease still stands"
    heard = webhook_post.Heard(datetime.now(UTC), 5, status=200)
    webhook_outbox.record([webhook_outbox.became(first, heard)])
    assert state(delivery) == "delivered"
    webhook_outbox.record([webhook_outbox.became(second, webhook_post.Heard(datetime.now(UTC), 5, status=500))])
    assert state(delivery) == "delivered"


def test_a_bug_of_ours_costs_one_attempt_and_holds_up_nobody(caplog):
    with answering() as endpoint:
        broken, sound = told(shop(endpoint)), told(shop(endpoint))
        with connection.cursor() as cursor:  # the sealed secret of another row
            cursor.execute(
                "UPDATE verification_partner SET webhook_secret ="
                " (SELECT webhook_secret FROM verification_partner WHERE id = %s) WHERE id = %s",
                [sound.partner_id, broken.partner_id],
            )
        tasks.deliver_webhooks()
    assert state(sound) == "delivered"
    assert (state(broken), broken.last_error) == ("owed", "Unreadable")


def test_the_log_file_says_nothing_about_anybody(caplog):
    with answering(500) as endpoint:
        delivery = told(shop(endpoint))
        tasks.deliver_webhooks()
    lines = "\n".join(str(line.__dict__) for line in caplog.records if line.name.startswith("verification"))
    assert "webhook_not_heard" in lines
    for secret in (delivery.body, delivery.verification.reference, delivery.partner.webhook_secret, endpoint.url):
        assert secret not in lines
