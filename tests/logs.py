"""Looking through what the system under test has logged, from `Watch` on, for what must not be there."""

import re
from pathlib import Path

NOT_OURS = ("world",)  # the simulated vendors: they are no part of the system
KINDS = {
    "a phone number": r"(?<![0-9a-fA-F-])(?:\+?82[- ]?|0)1[016789][- ]?[0-9]{3,4}[- ]?[0-9]{4}(?![0-9a-fA-F])",
    "an API key or a webhook's secret": r"sk_(?:test|live)_\w{8,}|whsec_[\w+/=]{16,}",
    "a signed token": r"eyJ[\w-]{10,}\.[\w-]{10,}",
    "a bearer token": r"[Bb]earer [\w.~+/-]{12,}",
    "a window's secret": r"/window/+(?!at/|\[)[\w-]{16,}",
    "the text of an SMS": r"\[안심\]|본인확인 번호",
    "a birth date": r"(?<![0-9])(?:19[0-9]{2}|200[0-9])-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?![0-9])",
    "an e-mail address": r"[\w.+-]+@[\w-]+\.example",
    "a name": r"홍길동|김민서|이서준",
}


class Watch:
    """What the logs of one run directory say from now on."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / "log"
        self._begun = {path.name: path.stat().st_size for path in self._files()}

    def _files(self) -> list[Path]:
        return [path for path in sorted(self._folder.glob("*.log")) if path.stem not in NOT_OURS]

    def lines(self) -> list[tuple[str, str]]:
        """(file, line)."""
        found = []
        for path in self._files():
            with path.open(encoding="utf-8", errors="replace") as file:
                size, begun = path.stat().st_size, self._begun.get(path.name, 0)
                file.seek(begun if begun <= size else 0)
                found += [(path.name, line) for line in file]
        return found

    def leaks(self, **secrets: str) -> list[str]:
        """Lines with something of KINDS, or with one of these very secrets; each told once for a kind and file."""
        wanted = {kind: re.compile(pattern) for kind, pattern in KINDS.items()}
        wanted |= {name: re.compile(_exactly(secret)) for name, secret in secrets.items()}
        found: dict[tuple[str, str], str] = {}
        for name, line in self.lines():
            for kind, pattern in wanted.items():
                if pattern.search(line):
                    found.setdefault((name, kind), f"{name}: {kind}: {line.strip()[:300]}")
        return list(found.values())


def _exactly(secret: str) -> str:
    """A few digits may stand inside an id or a time by chance."""
    return rf"(?<![0-9a-fA-F.-]){secret}(?![0-9a-fA-F])" if secret.isdigit() else re.escape(secret)
