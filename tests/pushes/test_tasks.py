"""What is owed gets sent, once; what cannot be sent is tried again as long as it is of use (design.md section 4.1)."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.utils import timezone

from ansim import bell as bells
from ansim import ear
from ansim.lib import correlator
from pushes import bell, delivery, outbox, tasks
from pushes.gateways import sms
from pushes.models import Message
from tests.pushes import phones

pytestmark = pytest.mark.django_db


def state(message):
    message.refresh_from_db()
    return message.state


def waits(message):
    """Seconds until the next try, as the row says."""
    message.refresh_from_db()
    return (message.due_at - timezone.now()).total_seconds()


def until(there):
    ends = time.monotonic() + 15
    while not there():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.005)


@pytest.fixture
def wakes():
    """A wake-up for either kind of phone, with the target's name."""
    return {"fcm": lambda: phones.wake(phones.android()), "apns": lambda: phones.wake(phones.iphone())}


@pytest.mark.parametrize("channel", ["fcm", "apns"])
def test_a_dead_address_is_forgotten_and_the_message_has_failed(channel, wakes, fail):
    message = wakes[channel]()
    fail(channel, "reject_token", 1)

    tasks.drain(channel)

    assert state(message) == "failed"
    assert message.last_error == {"fcm": "UNREGISTERED", "apns": "Unregistered"}[channel]
    message.device.refresh_from_db()
    assert message.device.push_token is None


def test_a_newer_address_survives_the_death_of_the_old_one():
    device = phones.android()
    stale = type(device).objects.get(pk=device.pk)
    assert stale.push_token
    device.push_token = "token-brought-by-the-app-meanwhile"
    device.save()

    outbox.forget_address(stale)

    device.refresh_from_db()
    assert device.push_token == "token-brought-by-the-app-meanwhile"


def test_a_phone_without_an_address_is_not_pushed_to():
    message = phones.wake(phones.android(push_token=None))

    tasks.drain("fcm")

    assert state(message) == "failed"
    assert message.last_error == "no_address"


@pytest.mark.parametrize(("mode", "code"), [("error", "INTERNAL"), ("drop", "UNAVAILABLE")])
def test_fcm_that_fails_gets_it_a_little_later(mode, code, fail, pushes):
    message = phones.wake(phones.android())
    fail("fcm", mode, 1)

    tasks.drain("fcm")

    assert state(message) == "owed"
    assert message.last_error == code
    assert 0.5 < waits(message) <= 1.2
    assert len(pushes(message.device)) == 1, "the library must not repeat by itself"
    phones.due_now(message)
    tasks.drain("fcm")
    assert state(message) == "sent"
    assert message.attempts == 2


@pytest.mark.parametrize(("mode", "code"), [("error", "InternalServerError"), ("drop", "unreachable")])
def test_apns_that_fails_gets_it_a_little_later(mode, code, fail, pushes):
    message = phones.wake(phones.iphone())
    fail("apns", mode, 1)

    tasks.drain("apns")

    assert state(message) == "owed"
    assert message.last_error == code
    phones.due_now(message)
    tasks.drain("apns")
    assert state(message) == "sent"
    assert len(pushes(message.device)) == 2


@pytest.mark.parametrize(("mode", "code"), [("error", "internal"), ("drop", "unreachable")])
def test_an_sms_gateway_that_fails_gets_it_a_little_later(mode, code, fail, texts):
    message = phones.sms()
    fail("sms", mode, 1)

    tasks.drain("sms")

    assert state(message) == "owed"
    assert message.last_error == code
    phones.due_now(message)
    tasks.drain("sms")
    assert state(message) == "sent"
    assert len(texts(message.body["to"])) == 2


def test_what_the_sms_gateway_refuses_is_final(texts):
    message = phones.sms(to="+12025550100")

    tasks.drain("sms")

    assert state(message) == "failed"
    assert message.last_error == "invalid"
    assert delivery.undeliverable() == [message.about]


@pytest.mark.parametrize("channel", ["fcm", "apns", "sms"])
def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(channel, wakes, fail, settings):
    settings.GATEWAY_TIMEOUT = 0.3
    message = phones.sms() if channel == "sms" else wakes[channel]()
    fail(channel, "slow", 1)

    tasks.drain(channel)

    assert state(message) == "owed"
    assert message.last_error == ("DEADLINE_EXCEEDED" if channel == "fcm" else "timeout")


@pytest.mark.parametrize("channel", ["fcm", "apns", "sms"])
def test_a_provider_that_is_away_gets_it_when_it_is_back(channel, wakes, settings, nobody_home):
    message = phones.sms() if channel == "sms" else wakes[channel]()
    at_home = settings.FCM_URL, settings.SMS_URL, settings.APNS_PORT
    settings.FCM_URL = settings.SMS_URL = f"http://127.0.0.1:{nobody_home}"
    settings.APNS_PORT = nobody_home

    tasks.drain(channel)
    assert state(message) == "owed"

    settings.FCM_URL, settings.SMS_URL, settings.APNS_PORT = at_home
    phones.due_now(message)
    tasks.drain(channel)
    assert state(message) == "sent"


@pytest.mark.slow
def test_a_slow_answer_is_waited_for_so_that_nobody_gets_two_texts(fail, settings, texts):
    settings.GATEWAY_TIMEOUT = 8.0
    message = phones.sms()
    fail("sms", "slow", 1)

    tasks.drain("sms")

    assert state(message) == "sent"
    assert len(texts(message.body["to"])) == 1


def test_the_waiting_grows_to_half_a_minute_and_heeds_the_provider():
    message = phones.wake(phones.android())

    def next_try(attempts, **said):
        message.attempts = attempts
        return (outbox.became(message, outbox.Later("busy", **said)).due_at - timezone.now()).total_seconds()

    for attempts, expected in enumerate([1, 2, 4, 8, 16, 30, 30], start=1):
        assert expected * 0.79 < next_try(attempts) < expected * 1.21
    assert 89 < next_try(1, retry_after=90.0) <= 90


def test_nothing_is_tried_past_its_expiry(fail, pushes):
    message = phones.wake(phones.android(), seconds=0.5)
    fail("fcm", "error")

    tasks.drain("fcm")

    assert state(message) == "expired"
    assert message.last_error == "INTERNAL"


def test_an_sms_whose_tries_are_used_up_is_undeliverable(fail):
    message = phones.sms(seconds=0.7)
    fail("sms", "error")

    tasks.drain("sms")

    assert state(message) == "failed"
    assert delivery.undeliverable() == [message.about]


def test_what_came_too_late_is_not_sent_at_all(pushes):
    message = phones.wake(phones.android(), seconds=-1)

    tasks.drain("fcm")

    assert state(message) == "expired"
    assert pushes(message.device) == []
    assert message.attempts == 0


def test_what_came_too_late_takes_no_place_of_what_is_in_time():
    late = [phones.sms(seconds=-1) for _ in range(3)]
    for message in late:
        message.due_at -= timedelta(seconds=9)
        message.save()
    in_time = [phones.sms() for _ in range(3)]

    tasks.ByStreams(Message.Channel.SMS, sms, places=2).ring()

    assert {state(message) for message in late} == {"expired"}
    assert {state(message) for message in in_time} == {"sent"}


def test_what_was_voided_is_not_sent(pushes):
    message = phones.wake(phones.android())
    delivery.void([message.about])

    tasks.drain("fcm")

    assert state(message) == "void"
    assert pushes(message.device) == []


def test_what_was_voided_in_the_air_stays_void():
    message = phones.wake(phones.android())
    (taken,) = outbox.claim("fcm", most=10)
    delivery.void([message.about])

    outbox.record([outbox.became(taken, outbox.Sent("projects/ansim/messages/1"))])

    assert state(message) == "void"
    assert message.sent_at is None


def test_who_lost_the_lease_cannot_send_the_message_back_to_the_queue():
    message = phones.wake(phones.android())
    (first,) = outbox.claim("fcm", most=10)
    phones.due_now(message)
    (second,) = outbox.claim("fcm", most=10)

    outbox.record([outbox.became(first, outbox.Later("timeout"))])
    assert waits(message) > 15, "the second one's lease still stands"

    outbox.record([outbox.became(second, outbox.Sent("1"))])
    assert state(message) == "sent"


def foreign_credentials(folder, settings):
    """A service account of the same project that Google does not know."""
    account = json.loads(Path(settings.FCM_CREDENTIALS).read_text())
    key = rsa.generate_private_key(65537, 2048)
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "foreign.json"
    file.write_text(json.dumps(account | {"private_key": key.private_bytes(pem, pkcs8, plain).decode()}))
    return str(file)


def alarms(caplog):
    return [
        (line.channel, line.code, line.messages)
        for line in caplog.records
        if line.getMessage() == "gateway_misconfigured" and line.levelno == logging.ERROR
    ]


def test_credentials_that_google_does_not_know_raise_the_alarm_and_lose_nothing(tmp_path, settings, caplog, pushes):
    message = phones.wake(phones.android())
    right = settings.FCM_CREDENTIALS
    settings.FCM_CREDENTIALS = foreign_credentials(tmp_path, settings)

    tasks.drain("fcm")

    assert alarms(caplog) == [("fcm", "invalid_grant", 1)]
    assert state(message) == "owed"
    assert 29 < waits(message) <= 30
    settings.FCM_CREDENTIALS = right
    phones.due_now(message)
    tasks.drain("fcm")
    assert state(message) == "sent"


def test_a_key_that_apple_does_not_know_raises_one_alarm_for_all(settings, caplog):
    messages = [phones.wake(phones.iphone()) for _ in range(3)]
    settings.APNS_TEAM_ID = "SOMEBODY42"

    tasks.drain("apns")

    assert sum(count for _, _, count in alarms(caplog)) == 3
    assert {code for _, code, _ in alarms(caplog)} == {"InvalidProviderToken"}
    assert {state(message) for message in messages} == {"owed"}
    assert messages[0].device.push_token


@pytest.mark.parametrize("channel", ["fcm", "apns"])
def test_a_missing_key_file_raises_the_alarm(channel, wakes, settings, caplog):
    message = wakes[channel]()
    settings.FCM_CREDENTIALS = settings.APNS_KEY_FILE = "/nowhere"

    tasks.drain(channel)

    assert alarms(caplog) == [(channel, "credentials_unreadable", 1)]
    assert state(message) == "owed"


def test_an_sms_token_that_is_refused_raises_the_alarm_and_is_final(settings, caplog):
    message = phones.sms()
    settings.SMS_TOKEN = "revoked"

    tasks.drain("sms")

    assert alarms(caplog) == [("sms", "unauthenticated", 1)]
    assert state(message) == "failed"


def test_the_log_says_nothing_about_anybody(caplog, fail, pushes, texts):
    caplog.set_level(logging.DEBUG, logger="pushes")
    text = phones.sms(words="번호 987654")
    push = phones.number(phones.android(), envelope="the-envelope")
    fail("sms", "error", 1)

    tasks.drain("sms")
    tasks.drain("fcm")

    lines = "\n".join(str(line.__dict__) for line in caplog.records if line.name.startswith("pushes"))
    assert "not_sent" in lines
    for secret in (text.body["to"], "987654", push.device.push_token, "the-envelope", str(push.about)):
        assert secret not in lines


def test_a_row_that_cannot_be_opened_holds_nobody_up(caplog):
    broken, sound = phones.wake(phones.android()), phones.wake(phones.android())
    with connection.cursor() as cursor:  # the sealed address of another row
        cursor.execute(
            "UPDATE pushes_device SET push_token = (SELECT push_token FROM pushes_device WHERE id = %s) WHERE id = %s",
            [sound.device_id, broken.device_id],
        )

    tasks.drain("fcm")

    assert state(sound) == "sent"
    assert state(broken) == "owed"
    assert broken.last_error == "Unreadable"


def test_one_slow_answer_holds_up_nobody_else(fail, settings):
    settings.GATEWAY_TIMEOUT = 1.5
    messages = [phones.sms() for _ in range(sms.PLACES + 8)]
    fail("sms", "slow", 1)
    began = timezone.now()

    tasks.drain("sms")

    owed = [message for message in messages if state(message) == "owed"]
    assert len(owed) == 1
    sent = [message.sent_at for message in messages if message not in owed]
    assert max(sent) - began < timedelta(seconds=1.5)


@pytest.mark.django_db(transaction=True)
def test_two_drains_at_once_send_each_message_once(world):
    messages = [phones.sms(seconds=60) for _ in range(90)]

    def work():
        try:
            tasks.ByStreams(Message.Channel.SMS, sms).ring()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    ours = {message.body["to"] for message in messages}
    arrived = [text["to"] for text in world.get("/world/sms").json() if text["to"] in ours]
    assert sorted(arrived) == sorted(ours)
    assert Message.objects.filter(state="sent", attempts=1).count() == 90


@pytest.fixture
def staying(monkeypatch):
    """A drain for texts that listens until the test is over, and its bell."""
    ending = threading.Event()
    monkeypatch.setattr(ear, "_ending", ending)
    monkeypatch.setattr(ear, "LINGER", 60.0)
    [rung] = bell.of(["sms"])
    desk = tasks.ByStreams(Message.Channel.SMS, sms)

    def work():
        try:
            for _ in range(2):
                desk.work(listen=True)
        finally:
            connection.close()

    at_work = threading.Thread(target=work)
    at_work.start()
    until(lambda: bells.broker().exists(rung.ear))
    bells.broker().delete(rung.queue)
    yield desk, rung
    ending.set()
    at_work.join(10)
    assert not at_work.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_drain_that_is_rung_for_again_stays_and_hears_the_next_commits_itself(staying):
    _, rung = staying
    for _ in range(3):
        message = phones.sms()
        bell.pull("sms")
        until(lambda: state(message) == "sent")  # noqa: B023 - asked in this round
    assert bells.broker().llen(rung.queue) == 0, "Celery was not asked"


@pytest.mark.django_db(transaction=True)
def test_what_a_staying_drain_says_is_said_under_the_correlator_of_who_rang(staying):
    said = []

    class Hearing(logging.Handler):
        def emit(self, record):
            said.append((record.getMessage(), correlator.current()))

    hearing = Hearing()
    logging.getLogger("pushes.tasks").addHandler(hearing)
    try:
        for whose in ("c-1", "c-2"):
            message = phones.sms()
            with correlator.carrying(whose):
                bell.pull("sms")
            until(lambda: state(message) == "sent")  # noqa: B023 - asked in this round
            until(lambda: ("sent", whose) in said)  # noqa: B023
    finally:
        logging.getLogger("pushes.tasks").removeHandler(hearing)


def test_what_a_thread_does_between_two_shifts_leaves_it_no_correlator():
    desk = tasks.ByStreams(Message.Channel.SMS, sms)
    desk._inbox.put("c-1")  # a bell
    desk.pool.submit(desk._hand_in_alone).result()
    assert desk.pool.submit(correlator.current).result() == ""


@pytest.mark.django_db(transaction=True)
def test_a_staying_drain_notices_that_the_server_hung_up(staying):
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user
        """)
        assert cursor.fetchall()
    time.sleep(0.2)
    message = phones.sms()
    bell.pull("sms")
    until(lambda: state(message) == "sent")


@pytest.mark.django_db(transaction=True)
def test_answers_that_come_together_are_written_together(staying, caplog):
    desk, _ = staying
    desk.together = 0.5
    messages = [phones.sms() for _ in range(5)]
    with caplog.at_level(logging.INFO, logger="pushes.tasks"):
        bell.pull("sms")
        until(lambda: {state(message) for message in messages} == {"sent"})
        until(lambda: [one for one in caplog.records if one.getMessage() == "sent"])
    assert [one.messages for one in caplog.records if one.getMessage() == "sent"] == [5]


@pytest.mark.django_db(transaction=True)
def test_who_hands_over_to_the_next_task_listens_no_more(monkeypatch):
    monkeypatch.setattr("ansim.drain.SHIFT", 0.2)
    monkeypatch.setattr(ear, "LINGER", 60.0)
    [rung] = bell.of(["sms"])
    desk = tasks.ByStreams(Message.Channel.SMS, sms)
    for _ in range(2):
        desk.work(listen=True)
    until(lambda: not bells.broker().exists(rung.ear))
    until(lambda: bells.broker().llen(rung.queue))  # the next task was rung for


def test_a_drain_that_is_rung_for_once_goes_at_once():
    desk = tasks.ByStreams(Message.Channel.SMS, sms)
    began = time.monotonic()
    desk.work(listen=True)
    assert time.monotonic() - began < ear.LINGER / 2


@pytest.mark.django_db(transaction=True)
def test_a_bell_during_the_work_is_heard(fail, settings, texts):
    settings.GATEWAY_TIMEOUT = 3.0
    desk = tasks.ByStreams(Message.Channel.SMS, sms)
    slow = phones.sms()
    fail("sms", "slow", 1)

    def work():
        try:
            desk.ring()
        finally:
            connection.close()

    at_work = threading.Thread(target=work)
    at_work.start()
    while not texts(slow.body["to"]):
        pass
    late = phones.sms()
    began = timezone.now()
    desk.ring()
    while state(late) == "owed":
        assert timezone.now() - began < timedelta(seconds=2), "it waited for the slow one"
    at_work.join()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_in_between_does_not_make_us_send_twice(texts):
    message = phones.sms()
    (taken,) = outbox.claim("sms", most=10)
    said = sms.heard(sms.transfers().make(sms.call(taken)))
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    tasks._persist(lambda: outbox.record([outbox.became(taken, said)]))

    assert state(message) == "sent"
    assert message.attempts == 1


def database_url():
    """Of the test's own database."""
    return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"


TAKE_AND_HANG = """
import django, time
django.setup()
from datetime import timedelta
from pushes import outbox
outbox.LEASE = timedelta(seconds=1)
print(len(outbox.claim("sms", most=10)), flush=True)
time.sleep(60)
"""


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_worker_had_taken_is_sent_when_its_lease_is_over(texts, settings):
    message = phones.sms()
    environment = {**os.environ, "DATABASE_URL": database_url()}
    worker = subprocess.Popen(
        [sys.executable, "-c", TAKE_AND_HANG], env=environment, stdout=subprocess.PIPE, cwd=settings.ROOT
    )
    assert worker.stdout.readline() == b"1\n"
    worker.send_signal(signal.SIGKILL)
    worker.communicate()

    tasks.drain("sms")
    assert texts(message.body["to"]) == []

    while waits(message) > 0:
        pass
    tasks.drain("sms")
    assert len(texts(message.body["to"])) == 1
    assert state(message) == "sent"
