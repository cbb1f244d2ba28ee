"""The product's settings without anything around a view."""

from ansim.settings import *  # noqa: F403 - the same database, Redis and keys

ROOT_URLCONF = "bench.bare"
MIDDLEWARE: list[str] = []
