"""`python -m ansim.demo.world`: exit 2 where it may not or cannot start, 1 when the database stays away."""

import asyncio
import os
import sys

import django

from ansim.demo.world.surroundings import Surroundings, Unfit


def main() -> int:
    try:
        surroundings = Surroundings.read()
    except Unfit as unfit:
        sys.stderr.write(f"world: {unfit}\n")
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ansim.settings")
    django.setup()  # the pages use Django's templates: nothing of them may be imported before
    from ansim.demo.world.server import serve

    try:
        asyncio.run(serve(surroundings))
    except (Unfit, OSError) as failed:
        sys.stderr.write(f"world: {failed}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
