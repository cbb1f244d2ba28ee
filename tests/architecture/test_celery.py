"""Tasks are doorbells and the rows are the truth (docs/adr/0002). So the retry policy of every task is the same: none.

What stays owed stands in its row with the time of the next try, and the clock rings for it. A task that Celery repeats,
keeps, or delivers again after a crash would only be a second clock.
"""

import inspect
import json

import pytest
from django.conf import settings

from ansim import bell as bells
from ansim import once
from ansim.celery import app
from ansim.demo.stack import programs
from pushes import bell
from verification import webhooks

app.loader.import_default_modules()
OURS = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
TIMETABLE = list(app.conf.beat_schedule.values())


def test_the_outbound_tasks_are_two_and_everything_else_is_the_clocks():
    outbound = {name for name in OURS if ".clock." not in name}
    assert outbound == {"pushes.tasks.drain", "verification.tasks.deliver_webhooks"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_no_task_is_repeated_kept_or_acknowledged_late(name):
    task = OURS[name]
    assert task.max_retries == 0
    assert not getattr(task, "autoretry_for", ())
    assert (task.acks_late, task.ignore_result) == (False, True)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_task_takes_a_channels_name_at_most(name):
    takes = list(inspect.signature(OURS[name].run).parameters)
    assert takes == (["channel"] if name == "pushes.tasks.drain" else [])


def test_the_timetable_calls_every_clock_once_and_nothing_else():
    called = [entry["task"] for entry in TIMETABLE]
    assert sorted(called) == sorted(name for name in OURS if ".clock." in name)


@pytest.mark.parametrize("entry", TIMETABLE, ids=[entry["task"] for entry in TIMETABLE])
def test_ticks_go_to_the_clocks_queue_and_never_pile_up(entry):
    options = entry["options"]
    assert options["queue"] == "clock"
    assert options["expires"] <= max(entry["schedule"], 2)


def test_a_bell_carries_no_row_and_goes_to_its_channel():
    rung = {
        "sms": (*bell.of(["sms"]), ["sms"]),
        "push": (*bell.of(["fcm"]), ["fcm"]),
        "webhook": (webhooks.BELL, []),
    }
    for queue, (one, arguments) in rung.items():
        once.store().delete(queue)
        bells.heard(one)  # no bell of an earlier test waits
        bells.pull(one)
        message = json.loads(once.store().lpop(queue))
        assert message["headers"]["argsrepr"] in (str(tuple(arguments)), str(arguments))
        assert message["headers"]["task"] in OURS


def test_somebody_listens_to_every_queue():
    used = {"clock", "webhook", *bell.QUEUES.values()}
    assert used == set(programs.QUEUES.split(","))


def test_messages_are_json_results_are_not_kept_and_publishing_never_waits():
    assert (app.conf.task_serializer, set(app.conf.accept_content)) == ("json", {"json"})
    assert settings.CELERY_TASK_IGNORE_RESULT
    assert not settings.CELERY_TASK_PUBLISH_RETRY
