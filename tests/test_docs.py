"""`.env.example` and the settings name the same things, and agree on what may be left out."""

import ast
import itertools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = (ROOT / ".env.example").read_text().splitlines()
NAMED = re.compile(r"`((?:ansim|pushes|verification|subscriptions|tests|docs|static|templates|deploy|bench)/[\w./-]+)`")
ENTRY = re.compile(r"(#?)([A-Z][A-Z0-9_]*)=(.*)")


def defaults():
    """Every name that settings.py asks `env` for, and its default as source; None where it must be given."""
    calls = [node for node in ast.walk(ast.parse((ROOT / "ansim" / "settings.py").read_text())) if _reads(node)]
    words = {call.args[0].value: {word.arg: word.value for word in call.keywords} for call in calls}
    return {name: named.get("default") for name, named in words.items()}


def _reads(node):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.func.attr != "read_env"
    )


def shown():
    """Every name in .env.example, with its value; those that may be left out stand behind a #."""
    entries = [found for line in EXAMPLE if (found := ENTRY.fullmatch(line))]
    assert len(entries) == len({entry[2] for entry in entries}), "a name stands twice"
    return {entry[2]: (entry[1] == "#", entry[3]) for entry in entries}


def test_every_setting_is_in_the_example_and_the_other_way_round():
    assert set(defaults()) == set(shown())


def test_the_example_says_which_settings_may_be_left_out():
    may_be_left_out = {name for name, (commented, _) in shown().items() if commented}
    assert may_be_left_out == {name for name, default in defaults().items() if default is not None}


def test_the_example_shows_the_defaults():
    plain = {name: node.value for name, node in defaults().items() if isinstance(node, ast.Constant)}
    assert {name: shown()[name][1] for name in plain} == {
        name: str(int(value) if isinstance(value, bool) else value) for name, value in plain.items()
    }


def test_every_setting_has_its_line_in_both_languages():
    for before, line in itertools.pairwise(EXAMPLE):
        if ENTRY.match(line):
            assert re.fullmatch(r"# .*[가-힣A-Za-z].* · .*[a-z].*", before), line


def test_nothing_else_reads_the_environment():
    """Settings come from one file. The demo's launcher, the set-up and two words for Django itself are no settings."""
    for app in ("ansim", "pushes", "verification", "subscriptions"):
        for path in (ROOT / app).rglob("*.py"):
            if "demo" in path.parts or path.name == "settings.py":
                continue
            for line in path.read_text().splitlines():
                if "os.environ" in line or "getenv" in line:
                    assert "DJANGO_SETTINGS_MODULE" in line, f"{path}: {line}"


def test_every_file_that_the_readme_and_the_decisions_name_is_there():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {(page.name, path) for page in pages for path in NAMED.findall(page.read_text())}
    gone = {(page, path) for page, path in named if not (ROOT / path).exists() and not list(ROOT.glob(f"{path}*"))}
    assert not gone


def test_every_threat_names_a_test_that_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 40
    missing = [(file, test) for file, test in named if f"def {test}(" not in (ROOT / file).read_text()]
    assert missing == []
