"""Finds uv, or gets it by whatever way this machine has; its version and hashes are in `uv.txt` beside this file."""

from __future__ import annotations

import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from pip_settings import pip_settings

PINNED = Path(__file__).resolve().parent / "uv.txt"


def uv(boot: Path) -> str:
    """The path of a uv that runs. Exits with a sentence on what to install when there is no way to one."""
    ours = boot / "uv" / "bin" / "uv"
    for found in (str(ours), shutil.which("uv")):
        if found and _works(found):
            return found
    ways: list[Callable[[Path], None]] = [_by_pip, _by_venv, _by_apt, _by_download]
    for way in ways:
        try:
            way(boot)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            why = f"exit {error.returncode}" if isinstance(error, subprocess.CalledProcessError) else error
            sys.stdout.write(f"  - {way.__name__.removeprefix('_by_')}: {why}\n")
        if _works(str(ours)):
            return str(ours)
    sys.exit(
        "\nuv를 구하지 못했습니다(위 참고). pip이 없으면 설치하고(sudo apt-get install python3-pip), "
        "있으면 네트워크와 PIP_INDEX_URL, PIP_CERT를 확인하세요.\n"
        "There is no way to get uv here (see above). Without pip, install it (sudo apt-get install python3-pip); "
        "with it, check the network, PIP_INDEX_URL and PIP_CERT."
    )


def uv_environment(boot: Path) -> dict[str, str]:
    """uv's own variables where set, else pip's settings under uv's names."""
    pip = pip_settings()
    translated = {
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": pip.get("extra-index-url", ""),
        "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
        "UV_INSECURE_HOST": pip.get("trusted-host", ""),
        "UV_HTTP_TIMEOUT": pip.get("timeout", ""),
        "SSL_CERT_FILE": pip.get("cert", ""),
    }
    env = {name: value for name, value in translated.items() if value}
    if not _writable_home():
        env["UV_CACHE_DIR"] = str(boot / "uv-cache")
    # As pip does: the best version of all indexes. Each file's hash is in the lock, so no index can slip another in.
    env |= {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never"}
    env |= os.environ
    for ambient in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME"):
        env.pop(ambient, None)
    return env


def _writable_home() -> bool:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    while not cache.exists() and cache != cache.parent:
        cache = cache.parent
    return os.access(cache, os.W_OK)


def _works(program: str) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _pip_install(python: str, boot: Path) -> None:
    shutil.rmtree(boot / "uv", ignore_errors=True)
    options = ["-qq", "--root-user-action=ignore", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    where = ["--target", str(boot / "uv"), "-r", str(PINNED)]
    subprocess.run([python, "-m", "pip", "install", *options, *where], check=True)


def _by_pip(boot: Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--version"], check=True, capture_output=True)
    _pip_install(sys.executable, boot)


def _by_venv(boot: Path) -> None:
    """A virtual environment that brings its own pip; Debian has it only with python3-venv."""
    shutil.rmtree(boot / "pip", ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(boot / "pip")], check=True, capture_output=True)
    _pip_install(str(boot / "pip" / "bin" / "python"), boot)


def _by_apt(boot: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ValueError("only for root on Debian")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], check=True, env=env)
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "python3-pip"]
    subprocess.run(install, check=True, env=env, stdout=subprocess.DEVNULL)
    _pip_install("/usr/bin/python3", boot)


def _by_download(boot: Path) -> None:
    """Without any pip: the wheel from the package index that this machine is configured for, checked by its hash."""
    settings = pip_settings()
    indexes = f"{settings.get('index-url', '')} {settings.get('extra-index-url', '')}".split()
    if not indexes:
        raise ValueError("no package index is configured (PIP_INDEX_URL, pip.conf)")
    context = ssl.create_default_context(cafile=settings.get("cert") or None)
    for index in indexes:
        page = index.rstrip("/") + "/uv/"
        wheel = _wheel(page + "index.html" if page.startswith("file:") else page, context)
        if wheel:
            return _unpack(wheel, boot)
    raise ValueError("the configured package index has no fitting uv")


def _wheel(page: str, context: ssl.SSLContext) -> bytes | None:
    """The first wheel for this machine whose hash is pinned."""
    machine = platform.machine().replace("arm64", "aarch64")
    fits = re.compile(rf"/uv-[\d.]+-py3-none-[\w.]*manylinux[\w.]*{machine}[\w.]*\.whl$")
    hashes = set(re.findall(r"sha256:([0-9a-f]{64})", PINNED.read_text()))
    with urllib.request.urlopen(page, timeout=60, context=context) as response:
        links = re.findall(r'href="([^"]+)"', response.read().decode())
    for link in links:
        address, _, stated = urllib.parse.urljoin(page, link).partition("#sha256=")
        if not fits.search(address) or (stated and stated not in hashes):
            continue
        with urllib.request.urlopen(address, timeout=180, context=context) as response:
            content: bytes = response.read()
        if sha256(content).hexdigest() in hashes:
            return content
    return None


def _unpack(wheel: bytes, boot: Path) -> None:
    target = boot / "uv" / "bin" / "uv"
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(BytesIO(wheel)) as archive:
        program = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        target.write_bytes(archive.read(program))
    target.chmod(0o755)
