"""How fast pushes leave, and for how much of a processor: `.venv/bin/python -m bench.push [--json FILE]`.

Raw sending goes to a sink (`bench.push_sink`): ours, and in the same run the vendors' own libraries as their manuals
use them. The whole road (rows owed in PostgreSQL, drained, recorded) goes there too. The way from a commit to the
provider's answer goes through a whole running copy, its worker and the simulated world. What is counted is the CPU of
the sending process, over 1.0 where libcurl works beside Python on a second core.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import push_sink
from bench.flow import say
from bench.whole_system import Copy, running

PUSHES = 20_000
SERIAL = 1_500  # of the libraries that send one after the other
OWED = 20_000
ALONE = 60
SLOW_SECONDS = 20.0  # how long a provider that takes 5 s for each push is sent to


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write all figures there")
    asked = parser.parse_args()
    with running() as copy:
        figures = measure(copy)
    sys.stdout.write(table(figures))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")


def measure(copy: Copy) -> dict[str, Any]:
    """Every figure, by name."""
    os.environ.update(copy.env, DJANGO_SETTINGS_MODULE="ansim.settings")
    import django

    django.setup()
    from bench import push_roads, push_senders

    say("from the commit to the provider's answer, when idle")
    figures: dict[str, Any] = {"idle": push_roads.idle(copy, times=ALONE)}
    with push_sink.running(copy.run_dir / "keys") as sink, push_senders.to(sink):
        for name, send, times in push_senders.all_of_them(sink):
            say(name)
            send(200)  # connections open
            figures[name] = cost(send, times)
        with push_roads.alone(copy):
            for channel in ("apns", "fcm"):
                say(f"{channel}: {OWED} rows owed")
                figures[f"{channel}, rows owed to recorded"] = cost(push_roads.drained(channel), OWED)
    with push_roads.alone(copy):
        say(f"{OWED} rows owed to a slow provider")
        figures["slow provider"] = push_roads.slow(copy, owed=OWED, seconds=SLOW_SECONDS)
    return figures | {"ratios": ratios(figures)}


def cost(send: Callable[[int], int], times: int) -> dict[str, float]:
    """Sends so many and waits for all answers."""
    before, began = os.times(), time.monotonic()
    taken = send(times)
    took, after = time.monotonic() - began, os.times()
    assert taken == times, f"{taken} of {times} were taken"
    cpu = after.user + after.system - before.user - before.system
    return {
        "pushes": times,
        "per_second": round(times / took),
        "cpu_us": round(cpu * 1e6 / times, 1),
        "per_second_and_core": round(times / cpu),
    }


def ratios(figures: dict[str, Any]) -> dict[str, float]:
    """By pushes a second and core."""
    speed = {name: given["per_second_and_core"] for name, given in figures.items() if "per_second_and_core" in given}
    pairs = [("apns", "mopyapns"), ("fcm", "messaging.send"), ("fcm", "messaging.send_each")]
    return {f"{ours} : {theirs}": round(speed[ours] / speed[theirs], 1) for ours, theirs in pairs}


def table(figures: dict[str, Any]) -> str:
    """For a terminal."""
    lines = [f"{'':28} {'pushes/s':>9} {'µs CPU each':>12} {'per core':>9}"]
    for name, given in figures.items():
        if "cpu_us" in given:
            lines.append(f"{name:28} {given['per_second']:9} {given['cpu_us']:12} {given['per_second_and_core']:9}")
    lines += [f"{pair:28} {ratio:9} times, per core" for pair, ratio in figures["ratios"].items()]
    for channel, given in figures["idle"].items():
        lines.append(f"{channel:28} from the commit, ms: " + ", ".join(f"{name} {ms}" for name, ms in given.items()))
    slow = figures["slow provider"]
    lines.append(
        f"{'slow provider':28} {slow['owed']} owed, at most {slow['in_the_air']} in the air, {slow['sent']} sent in "
        f"{slow['seconds']:.0f} s; memory {slow['rss_before_mib']} MiB before, {slow['rss_middle_mib']} half-way, "
        f"{slow['rss_most_mib']} at most"
    )
    return "\n".join(lines) + "\n"


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(cuts[49] * 1000, 1), "p90": round(cuts[89] * 1000, 1), "p99": round(cuts[98] * 1000, 1)}


if __name__ == "__main__":
    main()
