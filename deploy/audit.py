"""`make audit`: are there known vulnerabilities in what the lock files name? Asks PyPI's list, then OSV's.

Exit status 0: every package was looked up and has none. 1: some has, or the lock files cannot be read. 2: no list could
be reached for all of them, which proves nothing (pip-audit itself ends with 0 then).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from find_uv import uv, uv_environment
from setup_venv import BOOT, ROOT

PIP_AUDIT = "pip-audit==2.10.1"
LOCKS = ("requirements.txt", "tests/requirements.txt")
LISTS = ("pypi", "osv")


def main() -> int:
    BOOT.mkdir(exist_ok=True)
    program, worst = uv(BOOT), 0
    for lock in LOCKS:
        worst = max(worst, _audit(program, lock), key=(0, 2, 1).index)
    return worst


def _audit(program: str, lock: str) -> int:
    for source in LISTS:
        found = _asked(program, lock, source)
        unknown = [one["name"] for one in found if "skip_reason" in one]
        if found and not unknown:
            return _told(lock, source, found)
        print(f"{lock}: {source}에 닿지 못함 · {source} not reached ({len(unknown) or 'all'} packages not looked up)")
    print(f"{lock}: 확인하지 못했습니다. 약점이 없다는 뜻이 아닙니다 · not audited, which proves nothing")
    return 2


def _asked(program: str, lock: str, source: str) -> list[dict[str, Any]]:
    """What pip-audit says of each package; nothing where it could not ask at all."""
    options = ["--require-hashes", "--disable-pip", "--progress-spinner=off", "--timeout=10", "-f", "json"]
    command = [program, "tool", "run", PIP_AUDIT, "-r", lock, "-s", source, *options]
    said = subprocess.run(
        command, cwd=ROOT, env=uv_environment(BOOT), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    try:
        return list(json.loads(said.stdout)["dependencies"])
    except (ValueError, KeyError):
        return []


def _told(lock: str, source: str, found: list[dict[str, Any]]) -> int:
    weak = [(one, weakness) for one in found for weakness in one["vulns"]]
    for one, weakness in weak:
        mended = ", ".join(weakness["fix_versions"]) or "-"
        print(f"{lock}: {one['name']} {one['version']}: {weakness['id']}, 고친 판 · mended in {mended}")
    print(f"{lock}: {len(found)} packages, {len(weak)} vulnerabilities ({source})")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
