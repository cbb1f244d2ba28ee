"""`make chaos` (`python -m tests.chaos`): the storm, as long as you like, against a system of its own.

    make chaos ARGS="--seconds 300 --seed 7 --json"
    python -m tests.chaos --run-dir .run        # against the copy that runs there: its data are the demo's

Exit status 1: an invariant did not hold; the report names each case.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.chaos.storm import Report, any_seed, storm
from tests.client.town import Town


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    if options.run_dir:
        report = _storm(options.run_dir / "demo.json", options)
    else:
        from tests.system import System

        system = System()
        sys.stderr.write("starting a system of its own\n")
        try:
            report = _storm(system.start(), options)
        finally:
            system.stop()
    sys.stdout.write((json.dumps(report.told(), ensure_ascii=False) if options.json else _table(report)) + "\n")
    return 1 if report.wrong else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120, help="how long the storm lasts (120)")
    parser.add_argument("--pause", type=float, default=3, help="seconds between two blows, more or less (3)")
    parser.add_argument("--seed", type=int, default=None, help="the same seed strikes in the same order")
    parser.add_argument("--run-dir", type=Path, default=None, help="a copy that runs already")
    parser.add_argument("--only", nargs="+", default=(), metavar="KIND", help="these blows alone, e.g. postgres web")
    parser.add_argument("--fill", type=Path, default=None, help="a small file system that PostgreSQL's data are on")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def _storm(handles: Path, options: argparse.Namespace) -> Report:
    town = Town(lambda: json.loads(handles.read_text()))
    try:
        seed = any_seed() if options.seed is None else options.seed
        blow = {"pause": options.pause, "slow": True, "fill": options.fill, "only": options.only}
        return storm(town, seconds=options.seconds, seed=seed, tell=_tell, **blow)
    finally:
        town.close()


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _table(report: Report) -> str:
    lines = []
    for name, value in report.told().items():
        shown = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
        if name != "wrong":
            lines.append(f"{name.replace('_', ' '):<24} {shown}")
    lines += [f"WRONG: {words}" for words in report.wrong] or ["every invariant held"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
