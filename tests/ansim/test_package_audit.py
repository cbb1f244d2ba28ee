"""`make audit` never says that all is well when it could not look (deploy/audit.py)."""

import importlib.util
import sys

import pytest

from ansim.demo.stack.environment import ROOT

CLEAN = {"name": "django", "version": "5.2.0", "vulns": []}
WEAK = {"name": "h2", "version": "4.4.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["4.4.1"]}]}
SKIPPED = {"name": "vine", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture
def audit(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "deploy"), *sys.path])
    spec = importlib.util.spec_from_file_location("package_audit", ROOT / "deploy" / "audit.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize(
    ("answers", "status", "told"),
    [
        ({"pypi": [CLEAN]}, 0, "1 packages, 0 vulnerabilities (pypi)"),
        ({"pypi": [CLEAN, WEAK]}, 1, "h2 4.4.0: PYSEC-2026-1, 고친 판 · mended in 4.4.1"),
        ({"pypi": [CLEAN, SKIPPED], "osv": [CLEAN, WEAK]}, 1, "PYSEC-2026-1"),
        ({"pypi": [], "osv": [CLEAN]}, 0, "(osv)"),
        ({"pypi": [SKIPPED], "osv": []}, 2, "약점이 없다는 뜻이 아닙니다"),
        ({"pypi": [], "osv": []}, 2, "which proves nothing"),
    ],
    ids=["clean", "weak", "second-list-weak", "second-list-clean", "skipped", "nobody"],
)
def test_what_was_not_looked_up_is_not_well(audit, monkeypatch, capsys, answers, status, told):
    monkeypatch.setattr(audit, "_asked", lambda program, lock, source: answers.get(source, []))
    monkeypatch.setattr(audit, "uv", lambda boot: "uv")
    assert audit.main() == status
    assert told in capsys.readouterr().out


def test_one_lock_that_is_weak_weighs_more_than_one_that_could_not_be_asked(audit, monkeypatch):
    monkeypatch.setattr(audit, "_asked", lambda program, lock, source: [WEAK] if lock == "requirements.txt" else [])
    monkeypatch.setattr(audit, "uv", lambda boot: "uv")
    assert audit.main() == 1
