"""Whole verifications, with everything on: `.venv/bin/python -m bench.flow [--seconds 12] [--json FILE]`.

Starts a copy of the system and walks two roads through it, SMS and app: keys, limits, idempotency, the carrier's
look-up, messages and webhooks delivered. What is counted is the kernel's account of web, worker, clock, PostgreSQL and
Redis, not of the walkers and not of the simulated vendors, though all share the machine. Beside it, in the same run:
bare Django views that do the same writes (`bench.bare`), and PostgreSQL's own limit (pgbench with our statements).
Writes all figures as JSON, and a plot (HTML with two charts) beside them.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from bench import beside, plot, statements
from bench.walkers import Walked, walk
from bench.whole_system import Copy, running

OUT = Path(".boot/bench/flow.json")
WALKERS = 8
LINES = 24  # of each walker
ALONE = 40  # verifications of one walker, for times that nobody else stretches
PUSHED = """
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - created_at) * 1000)
  FROM pushes_message WHERE kind = %s AND state = 'sent' AND created_at > to_timestamp(%s)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12.0, help="of each road")
    parser.add_argument("--json", type=Path, default=OUT, help=f"all figures, and a plot beside them; {OUT}")
    asked = parser.parse_args()
    with running() as copy:
        figures = measure(copy, asked.seconds)
    sys.stdout.write(table(figures))
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(figures, indent=1) + "\n")
    plot.write(figures, asked.json.with_suffix(".html"))
    say(f"written: {asked.json}, {asked.json.with_suffix('.html')}")


def measure(copy: Copy, seconds: float) -> dict[str, Any]:
    """Every figure, by name; times in milliseconds."""
    say("the people")
    groups = {"sms": _strangers(copy), "app": _members(copy)}
    figures: dict[str, Any] = {"python": sys.version}
    for road, walkers in groups.items():
        walk(road, walkers, seconds=3)  # connections open, scripts known
        copy.settle()
        say(f"{road}: {seconds:.0f} s with {WALKERS} walkers")
        figures[road] = _crowded(copy, road, walkers, seconds)
        say(f"{road}: one walker")
        figures[road]["alone"] = _alone(copy, road, walkers[:1])
    say("SQL and Redis of one request each")
    figures["per_request"] = statements.of_each(copy, groups)
    say("bare views and ours, in turns")
    figures |= beside.side_by_side(copy, groups["sms"])
    for side in ("bare", "ours"):
        both = sum(figures[side][step]["web_cpu_ms"] for step in beside.STEPS)
        figures[side]["both"] = {"web_cpu_ms": round(both, 2)}
    figures["ours_of_bare"] = {
        step: round(cost["web_cpu_ms"] / figures["ours"][step]["web_cpu_ms"], 2)
        for step, cost in figures["bare"].items()
    }
    say("pgbench")
    figures["pgbench"] = beside.pgbench(copy, figures["per_request"], seconds=seconds / 2)
    return figures


def _crowded(copy: Copy, road: str, walkers: list[Any], seconds: float) -> dict[str, Any]:
    before, began = copy.cpu(), time.monotonic()
    walked = walk(road, walkers, seconds=seconds)
    copy.settle()
    took, after = time.monotonic() - began, copy.cpu()
    each = {name: round((after[name] - before[name]) * 1000 / walked.verifications, 2) for name in after}
    return {
        "verifications": walked.verifications,
        "per_second": round(walked.verifications / took, 1),
        "cpu_ms": {**each, "all": round(sum(each.values()), 2)},
        "steps": shown(walked),
    }


def _alone(copy: Copy, road: str, walkers: list[Any]) -> dict[str, Any]:
    began = time.time()
    walked = walk(road, walkers, seconds=ALONE * 0.1)
    copy.settle()
    kind = {"sms": "sms", "app": "wake"}[road]
    [(pushed,)] = copy.town.rows(PUSHED, kind, began)
    return {**shown(walked), f"{kind} accepted by the vendor": {"p50": round(pushed[0], 1), "p99": round(pushed[1], 1)}}


def shown(walked: Walked) -> dict[str, dict[str, float]]:
    """Milliseconds of each step."""
    told = {}
    for step, taken in walked.steps.items():
        cuts = statistics.quantiles(taken, n=100, method="inclusive")
        told[step] = {"p50": round(cuts[49] * 1000, 1), "p99": round(cuts[98] * 1000, 1)}
    return told


def _strangers(copy: Copy) -> list[Any]:
    return [_at_shop(copy, [copy.town.world.person() for _ in range(LINES)]) for _ in range(WALKERS)]


def _members(copy: Copy) -> list[Any]:
    platforms = ("android", "ios")
    return [_at_shop(copy, [copy.town.member(platforms[turn % 2]) for turn in range(4)]) for _ in range(WALKERS)]


def _at_shop(copy: Copy, people: list[Any]) -> Any:
    return (copy.town.base_url, copy.env["WORLD_URL"], copy.town.shop().entry["key"], people)


def table(figures: dict[str, Any]) -> str:
    """For a terminal."""
    lines = [f"Python {figures['python']}"]
    for road in ("sms", "app"):
        one = figures[road]
        lines += [f"{road}: {one['per_second']} verifications a second, {one['cpu_ms']['all']} ms of CPU each"]
        lines += [f"   {name:10} {ms:6.2f} ms" for name, ms in one["cpu_ms"].items() if name != "all"]
        for step in one["alone"]:
            crowd = one["steps"].get(step, {"p50": float("nan"), "p99": float("nan")})
            alone = one["alone"][step]
            apart = f"alone p50 {alone['p50']:7.1f} p99 {alone['p99']:7.1f}"
            lines += [f"   {step:28} {apart}   crowded p50 {crowd['p50']:7.1f} p99 {crowd['p99']:7.1f} ms"]
    for step, cost in figures["per_request"].items():
        lines += [f"{step:10} {len(cost['sql'])} SQL statements, {cost['redis']} calls to Redis"]
    for step, ratio in figures["ours_of_bare"].items():
        bare, ours = figures["bare"][step], figures["ours"][step]
        lines += [
            f"{step:10} web CPU: ours {ours['web_cpu_ms']} ms, bare view {bare['web_cpu_ms']} ms: {ratio:.0%} of it"
        ]
    lines += [f"pgbench    {name} {tps} transactions a second" for name, tps in figures["pgbench"].items()]
    return "\n".join(lines) + "\n"


def say(words: str) -> None:
    """Progress, beside the figures."""
    sys.stderr.write(f"  {words}\n")


if __name__ == "__main__":
    main()
