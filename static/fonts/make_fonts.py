"""Makes core.woff2 and rest.woff2, the family "Ansim Sans", from Pretendard (SIL Open Font License 1.1, OFL.txt).

Pretendard is a Reserved Font Name and a subset is a modification, so family and name table say Ansim Sans. Only for
development: `pip install fonttools brotli`, then `python static/fonts/make_fonts.py PretendardVariable.ttf` (the
variable font of npm's `pretendard` 1.3.9). Run it again when a test finds a syllable outside the core.

core: Latin, signs and syllables.txt: the thousand commonest of Korean names and interface texts, and every syllable of
our own templates, scripts and translations. rest: what else KS X 1001 knows.
"""

import re
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIST = HERE / "syllables.txt"
READ = ("templates", "locale", "static/js", "ansim", "verification", "subscriptions", "pushes")
SUFFIXES = {".html", ".po", ".js", ".py", ".txt", ".md"}
LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x100)]
SIGNS = [ord(sign) for sign in "–—‘’“”•…‧·×÷−→←↑↓✓●○■□▲▼※₩℃、。「」『』〈〉《》①②③④⑤⑥⑦⑧⑨ㆍ"]
NAME = "Ansim Sans"
NAMED = {1: NAME, 3: "1.0;ANSIM;AnsimSans-Variable", 4: NAME, 6: "AnsimSans-Variable", 16: NAME, 25: "AnsimSans"}
ORIGIN = "Pretendard를 바탕으로 만든 글꼴. Based on Pretendard 1.3.9, Copyright 2021 Kil Hyung-jin."


def syllables(text: str) -> set[int]:
    return {ord(letter) for letter in re.findall("[가-힣]", text)}


def core_syllables() -> set[int]:
    """syllables.txt with what our own texts use by now; the list is written back, so that a test can look it up."""
    files = (path for folder in READ for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    own = set().union(*(syllables(path.read_text(encoding="utf-8")) for path in files))
    core = sorted(own | syllables(LIST.read_text(encoding="utf-8")))
    lines = ("".join(map(chr, core[at : at + 50])) for at in range(0, len(core), 50))
    LIST.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return set(core)


def ks_x_1001() -> set[int]:
    """The 2,350 syllables of KS X 1001, which is what nearly every name is written in."""
    return {ord(bytes([row, cell]).decode("euc-kr")) for row in range(0xB0, 0xC9) for cell in range(0xA1, 0xFF)}


def renamed(font: TTFont) -> None:
    """Takes the reserved name out of the name table; copyright and licence stay."""
    names = font["name"]
    for number, text in NAMED.items():
        names.removeNames(nameID=number)
        names.setName(text, number, 3, 1, 0x409)
    for number in (2, 17):
        names.removeNames(nameID=number)
    names.setName("Regular", 2, 3, 1, 0x409)
    names.removeNames(nameID=10)
    names.setName(ORIGIN, 10, 3, 1, 0x409)
    names.names = [
        record for record in names.names if record.nameID in (0, 10, 13, 14) or "Pretendard" not in str(record)
    ]


def write(source: Path, target: Path, letters: set[int]) -> None:
    """One woff2 with the weights 400 to 700 of these letters."""
    font = instantiateVariableFont(TTFont(source), {"wght": (400, 700)})
    options = Options()
    options.flavor = "woff2"
    options.layout_features = ["kern", "tnum", "ccmp", "locl", "mark", "mkmk"]
    options.name_IDs = ["*"]
    options.hinting = False
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=letters)
    subsetter.subset(font)
    renamed(font)
    font.flavor = "woff2"
    font.save(target)
    sys.stdout.write(f"{target.name}: {len(letters)} letters, {target.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    core = core_syllables()
    write(Path(sys.argv[1]), HERE / "core.woff2", core | {*LATIN, *SIGNS})
    write(Path(sys.argv[1]), HERE / "rest.woff2", ks_x_1001() - core)
