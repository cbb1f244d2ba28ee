"""NAME_FILE instead of NAME: secrets that stand in no environment (docs/deployment.md)."""

import os
import subprocess
import sys

import pytest

from tests.deployment.servers import ROOT

SHOWS = "from ansim import settings; print(repr((settings.SECRET_KEY, settings.SEAL_KEYS)))"


def settings_of(tmp_path, **env):
    """What a fresh process reads: the running copy's settings, but for these."""
    whole = {**os.environ, "RUN_DIR": str(tmp_path), **env}
    for name in env:
        whole.pop(name.removesuffix("_FILE"), None) if name.endswith("_FILE") else None
    return subprocess.run(
        [sys.executable, "-c", SHOWS], cwd=ROOT, env=whole, capture_output=True, text=True, check=False
    )


def test_a_secret_and_a_list_come_from_their_files_without_the_last_newline(tmp_path):
    (tmp_path / "key").write_text("a secret with = and # in it\n")
    (tmp_path / "ring").write_text("k1:AAAA,k0:BBBB\r\n")
    told = settings_of(tmp_path, SECRET_KEY_FILE=str(tmp_path / "key"), SEAL_KEYS_FILE=str(tmp_path / "ring"))
    assert told.stdout == "('a secret with = and # in it', ['k1:AAAA', 'k0:BBBB'])\n", told.stderr[-300:]


def test_the_file_wins_over_the_environment(tmp_path):
    (tmp_path / "key").write_text("from the file")
    told = settings_of(tmp_path, SECRET_KEY="from the environment", SECRET_KEY_FILE=str(tmp_path / "key"))
    assert "from the file" in told.stdout


def test_a_file_that_is_not_there_ends_the_start_with_its_path(tmp_path):
    told = settings_of(tmp_path, SECRET_KEY_FILE=str(tmp_path / "nowhere"))
    assert told.returncode != 0
    assert "nowhere" in told.stderr


@pytest.mark.parametrize("unit", ["web", "site", "worker", "clock", "migrate"])
def test_no_unit_of_systemd_holds_a_secret_or_forgets_one(unit):
    """Every secret of .env.example comes by a file into every unit."""
    common = (ROOT / "deploy/systemd/ansim-.service.d/common.conf").read_text()
    own = next((ROOT / "deploy/systemd").glob(f"ansim-{unit}*.service")).read_text()
    for name in ("SECRET_KEY", "SEAL_KEYS", "FINGERPRINT_KEY", "CODE_KEY", "PASSWORD_PEPPER", "AUDIT_KEY", "REDIS_URL",
                 "NUMBER_SIGNING_KEYS", "RECEIPT_SIGNING_KEYS", "CARRIER_TOKEN", "CARRIER_EVENTS_SECRET", "SMS_TOKEN",
                 "METRICS_TOKEN", "DATABASE_URL"):  # fmt: skip
        assert f"Environment={name}_FILE=%d/{name}\n" in common + own
        assert f"LoadCredential={name}:/etc/ansim/secrets/" in common + own
        assert f"Environment={name}=" not in common + own
