"""The Celery application and the timetable. Tasks carry a channel's name at most, never a row or personal data."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ansim.settings")

app = Celery("ansim", task_cls="ansim.work:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["pushes", "verification"], related_name="tasks")
app.autodiscover_tasks(["pushes", "verification", "subscriptions"], related_name="clock")


def every(seconds: float, task: str) -> dict[str, object]:
    """A timetable entry. A tick that no worker took before the next one is dropped: ticks never pile up."""
    return {"task": task, "schedule": seconds, "options": {"queue": "clock", "expires": max(seconds, 2.0)}}


app.conf.beat_scheduler = "ansim.work:Clock"
app.conf.beat_schedule = {
    "ring for what is still owed to phones": every(1, "pushes.clock.ring_again"),
    "ring for what is still owed to partners": every(1, "verification.clock.ring_again"),
    "end what is overdue": every(1, "verification.clock.expire_overdue"),
    "play on what magic numbers began": every(1, "verification.clock.rehearse"),
    "tell owners whose release is over": every(2, "verification.clock.end_releases"),
    "erase results that were up long enough": every(5, "verification.clock.erase_results"),
    "end what was cancelled a day ago": every(2, "subscriptions.clock.take_effect"),
    "forget sessions of customers": every(60, "subscriptions.clock.forget_sessions"),
    "close the month that is over": every(60, "subscriptions.clock.close_last_month"),
    "post charges to the carrier": every(5, "subscriptions.clock.post_charges"),
    "take up what the carrier reported too early": every(5, "subscriptions.clock.take_up_events"),
    "compare every member's line with the carrier, at night": every(10, "subscriptions.clock.reconcile"),
    "remove what was kept long enough, at night": every(10, "subscriptions.clock.purge"),
    "slow who sends SMS that nobody completes": every(60, "verification.clock.watch_conversion"),
    "forget texts and envelopes that have expired": every(60, "pushes.clock.forget"),
    "forget what has served its purpose": every(60, "verification.clock.forget"),
}
