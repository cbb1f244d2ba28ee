"""`make lock`: writes the lock files from the `.in` files. `make lock ARGS=--upgrade` takes newer versions."""

from __future__ import annotations

import subprocess
import sys

from find_uv import uv, uv_environment
from setup_venv import BOOT, ROOT

# The product, what the tests need beside it, and uv itself.
INPUTS = ("requirements.in", "tests/requirements.in", "deploy/uv.in")
# 3.11.2 is Debian 12's Python: a lock made for a later 3.11 leaves out `async-timeout`, which 3.11.2 needs.
OPTIONS = ("--universal", "--python-version=3.11.2", "--generate-hashes", "--custom-compile-command=make lock")

if __name__ == "__main__":
    BOOT.mkdir(exist_ok=True)
    program = uv(BOOT)
    for source in INPUTS:
        target = source.removesuffix(".in") + ".txt"
        command = [program, "pip", "compile", "--quiet", *OPTIONS, *sys.argv[1:], source, "-o", target]
        subprocess.run(command, check=True, cwd=ROOT, env=uv_environment(BOOT))
