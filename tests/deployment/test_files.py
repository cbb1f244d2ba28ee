"""The files of `deploy/` say what they should, as far as that can be seen without their programs."""

import configparser
import re
import shutil
import subprocess

import pytest
import yaml

from tests.deployment.servers import ROOT

UNITS = ROOT / "deploy" / "systemd"
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
NAMES = [f"ansim-{name}.service" for name in ("web@8001", "site@8101", "worker@1", "clock", "migrate", "backup")]


def complaints(folder, *units):
    env = {"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"}
    command = ["systemd-analyze", "verify", "--man=no", *units]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False).stderr


def test_systemd_understands_every_unit():
    """By systemd itself where it is installed; it complains of programs that are not on this machine, no more."""
    if not shutil.which("systemd-analyze"):
        for path in UNITS.rglob("*.*"):
            configparser.RawConfigParser(strict=False, allow_no_value=True).read(path)
        return
    said = complaints(UNITS, *NAMES, "ansim-backup.timer", "ansim.target")
    ours = [line for line in said.splitlines() if "ansim" in line and "is not executable" not in line]
    assert ours == []


def test_a_unit_with_a_mistake_would_be_seen(tmp_path):
    if not shutil.which("systemd-analyze"):
        return
    broken = (UNITS / "ansim-clock.service").read_text().replace("Restart=always", "Restart=sometimes")
    (tmp_path / "ansim-clock.service").write_text(broken)
    assert "sometimes" in complaints(tmp_path, "ansim-clock.service")


def test_compose_runs_two_of_each_and_one_clock():
    assert {"web1", "web2", "site1", "site2", "worker1", "worker2", "clock"} <= set(COMPOSE["services"])


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_secret_of_a_service_is_a_file_that_is_declared(name):
    service = COMPOSE["services"][name]
    given = set(service.get("secrets", []))
    assert given <= set(COMPOSE["secrets"])
    named = {value.removeprefix("/run/secrets/") for value in service.get("environment", {}).values()
             if value.startswith("/run/secrets/")}  # fmt: skip
    assert named <= given
    assert not [key for key in service.get("environment", {}) if re.search(r"(KEYS?|SECRET|TOKEN|PASSWORD|URL)$", key)]


def test_only_nginx_is_reachable_from_outside():
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["nginx"]


@pytest.mark.parametrize("name", ["web1", "site2", "worker1", "clock", "migrate"])
def test_our_processes_may_do_little(name):
    service = COMPOSE["services"][name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_every_queue_is_taken_by_the_shipped_workers():
    from ansim.demo.stack.programs import QUEUES

    assert f"-Q {QUEUES} " in (UNITS / "ansim-worker@.service").read_text()
    assert f"-Q {QUEUES} " in COMPOSE["services"]["worker1"]["command"]


def test_the_timetable_has_one_clock_and_it_is_the_same_command_everywhere():
    assert "celery -A ansim beat" in (UNITS / "ansim-clock.service").read_text()
    assert "celery -A ansim beat" in COMPOSE["services"]["clock"]["command"]
