"""`manage.py keys rotate|former`: signing keys step by step; what former keys are needed for (docs/key-rotation.md)."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ansim import former_keys
from ansim.lib import key_ring

SETTINGS = {"number": "NUMBER_SIGNING_KEYS", "receipt": "RECEIPT_SIGNING_KEYS"}


class Command(BaseCommand):
    help = (
        "rotate: --stage, restart, wait five minutes, bare, restart; --drop much later. "
        "former: what former peppers and keys of the record are needed for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        rotate = deeds.add_parser("rotate", help="the staged key signs from the next start on")
        rotate.add_argument("use", choices=SETTINGS)
        step = rotate.add_mutually_exclusive_group()
        step.add_argument("--stage", action="store_true", help="add a new key: published, not signing yet")
        step.add_argument("--drop", metavar="KID", help="forget an old key and what it signed")
        former = deeds.add_parser("former", help="what was made with a former key and is still there")
        for parser_of_deed in (rotate, former):
            parser_of_deed.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        self.rotate(options) if options["deed"] == "rotate" else self.former(options)

    def former(self, options: dict[str, Any]) -> None:
        told = {"PASSWORD_PEPPER": former_keys.peppers(), "AUDIT_KEY": former_keys.record()}
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        for name, counts in told.items():
            said = ", ".join(f"{key_id or '-'}: {count:,}" for key_id, count in counts.items())
            self.stdout.write(f"{name:16} {said or '옛 열쇠가 필요 없음 · no former key is needed'}")

    def rotate(self, options: dict[str, Any]) -> None:
        name = SETTINGS[options["use"]]
        ring: list[str] = getattr(settings, name)
        try:
            changed = _step(ring, options)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        file = Path(settings.RUN_DIR) / "env"
        kept = _rewritten(file, name, ring, changed)
        told: dict[str, Any] = {"signs": key_ring.kids(changed)[0], "published": key_ring.kids(changed)}
        told |= {"written": str(file)} if kept else {"set": {name: ",".join(changed)}}
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(_words(told, name))


def _step(ring: list[str], options: dict[str, Any]) -> list[str]:
    if options["stage"]:
        return key_ring.staged(ring, name=options["use"])
    return key_ring.dropped(ring, options["drop"]) if options["drop"] else key_ring.rotated(ring)


def _rewritten(file: Path, name: str, ring: list[str], changed: list[str]) -> bool:
    """Where the launcher's env file holds the ring the file is replaced, as a whole; False: it lives elsewhere."""
    if not file.is_file():
        return False
    before = file.read_text(encoding="utf-8")
    old, new = f"{name}={','.join(ring)}\n", f"{name}={','.join(changed)}\n"
    if old not in before:
        return False
    draft = file.with_name("env.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        opened.write(before.replace(old, new))
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)
    return True


def _words(told: dict[str, Any], name: str) -> str:
    lines = [f"서명 · signs: {told['signs']}", f"공개 · published: {' '.join(told['published'])}"]
    if "written" in told:
        lines += [
            f"{told['written']}에 썼습니다. 다시 시작하면 쓰입니다.",
            "Written there; it counts from the next start.",
        ]
    else:
        lines += ["비밀 저장소에 넣고 차례로 다시 시작하십시오.", "Put this into the secret store, then restart:"]
        lines += [f"{name}={told['set'][name]}"]
    return "\n".join(lines)
