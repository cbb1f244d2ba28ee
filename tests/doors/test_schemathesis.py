"""openapi.json against the running system: what the document says is what happens, for thousands of odd requests."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 30


def test_every_check_of_schemathesis_passes(town, tmp_path):
    shop = town.shop()
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{town.base_url}/partner/v1/openapi.json",
        "--header", f"Authorization: Bearer {shop.entry['key']}", "--checks", "all", "--max-examples", "25",
        "--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(SECONDS), "--workers", "1",
        "--seed", "20261123", "--no-color",
    ]  # fmt: skip
    env = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.doors.schemathesis_hooks",
        "RETURN_ORIGIN": shop.entry["return_origin"],
        "PYTHONPATH": str(HERE.parents[1]),
    }

    run = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 60)

    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert re.search(r"Tested: (\d+)", run.stdout)[1] == re.search(r"Selected: (\d+)/\1", run.stdout)[1]
