"""What people read: complete in both languages, in the font, in the words we agreed on, safe under the strict CSP."""

import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
CATALOG = ROOT / "locale/en/LC_MESSAGES/django"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}", re.DOTALL)


def catalog():
    with CATALOG.with_suffix(".po").open("rb") as file:
        return read_po(file)


def test_every_text_has_its_english():
    empty = [entry.id for entry in catalog() if entry.id and (entry.fuzzy or not all(_texts(entry)))]
    assert empty == []


def _texts(entry):
    return entry.string if isinstance(entry.string, tuple) else (entry.string,)


def test_the_compiled_catalog_is_the_written_one():
    with CATALOG.with_suffix(".mo").open("rb") as file:
        compiled = _pairs(read_mo(file))
    assert compiled == _pairs(catalog())


def _pairs(texts):
    return {str(list(entry.id)): list(entry.string) for entry in texts if entry.id}


def test_every_text_of_a_template_is_in_the_catalog():
    known = {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in catalog()}
    whole = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    said = set(re.findall(r'{% translate "([^"]+)"', whole))
    assert said - known == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_a_template_has_no_inline_script_or_style_and_no_banned_word(path):
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)", text)
    assert not re.search("난수|파트너|릴리스|죄송|하시겠습니까|잘못 입력", text)


def test_no_text_needs_a_second_font_file():
    core = set((ROOT / "static/fonts/syllables.txt").read_text(encoding="utf-8"))
    files = [*TEMPLATES, CATALOG.with_suffix(".po"), *(ROOT / "static/js").rglob("*.js")]
    files += (ROOT / "subscriptions/migrations").rglob("*.md")
    used = {letter for path in files for letter in re.findall("[가-힣]", path.read_text(encoding="utf-8"))}
    assert used - core == set(), "run static/fonts/make_fonts.py again"


def test_one_sheet_stays_small():
    assert (ROOT / "static/css/ansim.css").stat().st_size < 30_000
