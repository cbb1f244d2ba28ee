"""What this machine says about package indexes, read as pip reads it: the environment over the configuration files."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

NAMES = ("index-url", "extra-index-url", "find-links", "trusted-host", "cert", "timeout")


def pip_settings() -> dict[str, str]:
    """pip's option names with their values; lists are parted by blanks. Only what is set."""
    found: dict[str, str] = {}
    for path in _files():
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            found |= {name: parser.get(section, name) for name in NAMES if parser.has_option(section, name)}
    for name in NAMES:
        for variable in (f"PIP_{name}", f"PIP_DEFAULT_{name}"):
            value = os.environ.get(variable.upper().replace("-", "_"))
            if value:
                found[name] = value
    return {name: " ".join(value.split()) for name, value in found.items() if value.strip()}


def _files() -> list[Path]:
    """In pip's order: for everybody, then for the user, then PIP_CONFIG_FILE (which may switch all of them off)."""
    chosen = os.environ.get("PIP_CONFIG_FILE", "")
    if chosen == os.devnull:
        return []
    home = Path.home()
    everybody = [Path(folder) / "pip/pip.conf" for folder in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")]
    user = [home / ".pip/pip.conf", Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"]
    return [*everybody, Path("/etc/pip.conf"), *user, *([Path(chosen)] if chosen else [])]
