"""What the running copy tells of itself: /metrics, its logs, how it lives."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.ansim.test_metrics import value
from tests.client.manage import Refused
from tests.client.world import until


@pytest.fixture
def told(town):
    """told("ansim_owed", channel="sms"): what /metrics says of it now; 0 for what nobody has counted."""
    token = {"Authorization": f"Bearer {town.handles()['env']['METRICS_TOKEN']}"}

    def told(name, **labels):
        answer = httpx.get(f"{town.base_url}/metrics", headers=token, timeout=10).raise_for_status()
        return value(answer.text, name, **labels) or 0

    return told


def test_a_verification_shows_in_the_figures_of_web_worker_and_database(told, town, world, bookshop):
    verified = {"state": "verified", "reason": "", "channel": "sms", "mode": "test"}
    counters = {
        "ansim_verifications_total": verified,
        "ansim_sendings_total": {"channel": "sms", "outcome": "sent", "code": ""},
        "ansim_webhook_attempts_total": {"outcome": "heard"},
        "ansim_carrier_look_up_seconds_count": {"outcome": "answered"},
        "ansim_request_seconds_count": {"route": "partner-confirm", "method": "POST", "status": "200"},
        "ansim_message_delay_seconds_count": {"channel": "sms"},
        "ansim_task_seconds_count": {"task": "pushes.tasks.drain", "outcome": "done"},
    }
    before = {name: told(name, **labels) for name, labels in counters.items()}
    someone = world.person()
    asked = bookshop.ask(someone)
    assert told("ansim_verifications_open", state="awaiting_code") >= 1
    assert bookshop.confirm(asked["id"], world.number(someone)).status_code == 200
    for name, labels in counters.items():
        until(lambda name=name, labels=labels: told(name, **labels) > before[name])
    assert told("ansim_verifications_total", **verified) == before["ansim_verifications_total"] + 1
    assert told("ansim_database_up") == told("ansim_redis_up") == 1
    assert told("ansim_tick_age_seconds") < 10


def test_the_doctor_finds_nothing_wrong_with_a_system_that_is_well(town):
    found = {one["name"]: one["level"] for one in town.manage("doctor")["findings"]}
    asked_of_all = set(found) - {"disk", "events", "month", "sweep", "postings"}  # the machine's; other tests' doings
    assert {name: found[name] for name in asked_of_all} == dict.fromkeys(asked_of_all, "ok")
    assert asked_of_all >= {"settings", "keys", "database", "role", "sealed", "record", "redis", "worker", "carrier",
                            "fcm", "apns", "sms", "mail", "ticks", "messages", "webhooks", "verifications"}  # fmt: skip


@pytest.mark.parametrize(("program", "check"), [("worker", "worker"), ("clock", "ticks")])
def test_the_doctor_and_the_files_show_who_hangs(town, program, check):
    pids = town.handles()["pids"][program]
    folder = Path(town.handles()["env"]["RUN_DIR"]) / "metrics"
    (sign,) = folder.glob(f"heartbeat-{program}*")
    until(lambda: time.time() - sign.stat().st_mtime < 5)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        told = until(lambda: _unwell(town, check), seconds=40)
        assert time.time() - sign.stat().st_mtime > 1
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert told["findings"][0]["advice"]["ko"]
    until(lambda: _unwell(town, check) is None, seconds=30)


def _unwell(town, check):
    try:
        found = town.manage("doctor", "--only", check)
    except Refused as refused:
        return refused.told
    return found if found["findings"][0]["level"] != "ok" else None
