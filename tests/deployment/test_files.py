"""The files of `deploy/` say what they should, as far as that can be seen without their programs."""

import configparser
import ipaddress
import re
import shutil
import subprocess

import pytest
import yaml

from tests.deployment.servers import ROOT

UNITS = ROOT / "deploy" / "systemd"
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
LISTS = {"LoadCredential", "Environment", "StateDirectory"}  # what is said twice there adds up
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


@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("*.service")))
def test_no_unit_says_what_the_words_for_all_units_overrule(unit):
    """A drop-in is read after the unit: of UMask= in both, the drop-in's counts."""
    assert (settings_of(UNITS / unit) - LISTS) & settings_of(UNITS / "ansim-.service.d" / "common.conf") == set()


def settings_of(path):
    lines = path.read_text().partition("[Service]")[2].partition("[Install]")[0].splitlines()
    return {line.partition("=")[0] for line in lines if "=" in line and not line.startswith("#")}


def test_our_nginx_file_says_nothing_that_nginx_conf_may_have_said():
    """A directive said twice on one level stops nginx, and the official image says others than Debian does."""
    text = re.sub(r"#.*", "", (ROOT / "deploy" / "nginx" / "ansim.conf").read_text())
    outer = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    while "{" in outer:
        outer = re.sub(r"\{[^{}]*\}", ";", outer)
    assert {part.split()[0] for part in outer.split(";") if part.strip()} == {
        "include",
        "limit_conn_zone",
        "map",
        "server",
    }


def test_manage_sh_gets_what_every_unit_gets():
    """By its transient unit's name alone."""
    assert 'unit="ansim-manage-$$.service"' in (ROOT / "deploy" / "manage.sh").read_text()


def test_the_image_s_pg_dump_is_of_the_server_s_version():
    """An older pg_dump refuses. Debian's release decides which one the image has."""
    ours, theirs = re.search(r"FROM python:\S+-(\w+)", DOCKERFILE), COMPOSE["services"]["postgres"]["image"]
    assert theirs == f"postgres:17-{ours[1]}" == "postgres:17-trixie"


def test_every_folder_that_is_a_volume_is_ours_in_the_image():
    """Else Docker makes it root's, and the application, which is not root, writes no checkpoint and no back-up."""
    made = re.search(r"install -d -o ansim -g ansim (.*) \\", DOCKERFILE)[1].split()
    mounted = {volume.split(":")[1] for service in COMPOSE["services"].values() if service.get("image") == "ansim"
               for volume in service["volumes"] if not volume.startswith("metrics:")}  # fmt: skip
    assert mounted == set(made)
    assert "uid=10001," in COMPOSE["volumes"]["metrics"]["driver_opts"]["o"]
    assert "useradd --uid 10001 " in DOCKERFILE


def test_nginx_in_compose_asks_at_the_addresses_that_compose_gives():
    services, given = COMPOSE["services"], COMPOSE["networks"]["inside"]["ipam"]["config"][0]
    at = {name: services[name]["networks"]["inside"]["ipv4_address"]
          for name in ("web1", "web2", "site1", "site2", "nginx")}  # fmt: skip
    asked = re.findall(r"server ([\d.]+):8000 ", (ROOT / "deploy" / "nginx" / "upstreams-compose.conf").read_text())
    assert asked == [at[name] for name in ("web1", "web2", "site1", "site2")]
    assert services["web1"]["environment"]["TRUSTED_PROXIES"] == at["nginx"]
    for address in map(ipaddress.ip_address, at.values()):
        assert address in ipaddress.ip_network(given["subnet"])
        assert address not in ipaddress.ip_network(given["ip_range"])


def test_health_is_asked_under_our_own_name():
    """Django answers 400 to any other Host."""
    assert "'Host':os.environ['BASE_URL']" in COMPOSE["services"]["web1"]["healthcheck"]["test"][-1]


def test_nothing_starts_before_a_database_that_answers():
    services = COMPOSE["services"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("web1", "web2", "site1", "site2", "worker1", "worker2", "clock"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


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


@pytest.mark.parametrize("name", ["web1", "site2", "worker1", "clock", "migrate", "backup"])
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
