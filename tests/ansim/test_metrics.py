"""What is counted: exactly, over processes that come, go and are killed; and that counting costs requests nothing."""

import subprocess
import sys
import time
import uuid

import pytest
from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families as parsed

from ansim.demo.stack.environment import ROOT
from ansim.lib import correlator, metrics

COUNTING = """
import os, sys
from pathlib import Path
import django
django.setup()
from ansim.lib import metrics
counter = metrics.counter("tried", "A try.", "who")
seconds = metrics.histogram("waited_seconds", "A wait.")
for _ in range(int(sys.argv[1])):
    counter.labels("mina").inc()
    seconds.observe(0.02)
print("counted", flush=True)
if sys.argv[2] == "fork":
    if os.fork() == 0:
        counter.labels("mina").inc()
        os._exit(0)
    os.wait()
    counter.labels("mina").inc()
if sys.argv[2] == "stay":
    sys.stdin.read()
"""


class Host:
    """Processes that count into one folder, and what is read there."""

    def __init__(self, folder, env):
        self.folder, self.env = folder, {**env, "METRICS_DIR": str(folder), "PATH": "/usr/bin:/bin"}
        self.env["DJANGO_SETTINGS_MODULE"] = "ansim.settings"

    def start(self, times, how="end"):
        command = [sys.executable, "-c", COUNTING, str(times), how]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "counted\n"
        return process

    def end(self, process, how="terminate"):
        getattr(process, how)()
        process.communicate()

    def tried(self):
        return self.read("ansim_tried_total", who="mina")

    def read(self, name, **labels):
        settings.METRICS_DIR, kept = self.folder, settings.METRICS_DIR
        try:
            return value(metrics.exposition([]).decode(), name, **labels)
        finally:
            settings.METRICS_DIR = kept


def value(text, name, **labels):
    found = [one for family in parsed(text) for one in family.samples if (one.name, one.labels) == (name, labels)]
    return found[0].value if found else None


@pytest.fixture
def host(tmp_path, system):
    return Host(tmp_path / "metrics", system["env"])


def test_processes_at_the_same_time_are_summed_and_a_replaced_one_goes_on_where_it_stopped(host):
    first, second = host.start(10, "stay"), host.start(5, "stay")
    assert host.tried() == 15
    host.end(second, "kill")
    assert host.tried() == 15, "what a killed process counted is not lost"
    files = sorted(path.name for path in host.folder.glob("*.db"))
    host.end(host.start(3))
    host.end(host.start(4))
    assert host.tried() == 22
    assert sorted(path.name for path in host.folder.glob("*.db")) == files, "who comes later takes the free place"
    assert host.read("ansim_waited_seconds_count") == 22
    host.end(first)


def test_a_forked_child_counts_beside_its_parent(host):
    process = host.start(2, "fork")
    process.communicate()
    assert host.tried() == 4


def test_a_folder_that_cannot_be_used_stops_nobody(host):
    host.folder.touch()
    process = host.start(1)
    process.communicate()
    assert process.returncode == 0
    assert host.tried() is None


def test_a_file_of_another_user_neither_stops_who_counts_nor_who_reads(host):
    host.folder.mkdir()
    (host.folder / "slot-0").mkdir()  # cannot be opened, also not by root
    process = host.start(1)
    process.communicate()
    assert process.returncode == 0


def test_a_file_that_a_crash_damaged_is_left_out_and_given_up(host):
    other = host.start(2, "stay")
    host.end(host.start(5))
    for path in host.folder.glob("*_1.db"):
        path.write_bytes(b"\xff" * 4096)
    assert host.tried() == 2
    host.end(host.start(3))
    assert host.tried() == 5
    host.end(other)


@pytest.mark.parametrize(
    ("code", "label"), [("UNREGISTERED", "UNREGISTERED"), ("홍길동", "other"), ("a" * 41, "other")]
)
def test_a_vendors_code_becomes_a_label_only_as_a_plain_word(code, label):
    assert metrics.word(code) == label


# --- Requests -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_request_is_measured_under_its_routes_name_and_never_under_its_path():
    secret = uuid.uuid4().hex
    Client().get(f"/window/{secret}")
    Client().get(f"/unheard-of/{secret}")
    Client().generic("ROB", "/livez")
    told = metrics.exposition([]).decode()
    assert secret not in told
    assert 'route="window"' in told
    assert 'route="none"' in told
    assert "ROB" not in told


def test_to_measure_a_request_costs_less_than_a_tenth_of_a_millisecond():
    """About 10 µs here; a limit that only a mistake can reach (a file opened, a lock waited for)."""
    child = correlator.SECONDS.labels("test", "GET", 200)
    began = time.process_time()
    for _ in range(1_000):
        child.observe(0.02)
    assert (time.process_time() - began) / 1_000 < 0.000_1


# --- The address --------------------------------------------------------------------------------------------------


@pytest.fixture
def ask(settings):
    settings.METRICS_TOKEN = "a-long-enough-token-for-metrics"

    def asked(authorization="Bearer a-long-enough-token-for-metrics"):
        headers = {"Authorization": authorization} if authorization else {}
        return Client().get("/metrics", headers=headers)

    return asked


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer 홍길동", "bearer  "])
def test_nobody_reads_the_figures_without_the_token(ask, authorization):
    answer = ask(authorization)
    assert (answer.status_code, answer["WWW-Authenticate"], answer.content) == (401, "Bearer", b"")


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer x"])
def test_without_the_setting_there_is_no_such_address(ask, settings, authorization):
    settings.METRICS_TOKEN = ""
    assert ask(authorization).status_code == 404
