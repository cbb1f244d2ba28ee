"""The figures of `bench.flow` as a picture: one HTML file with two charts, to be opened in any browser."""

from pathlib import Path
from typing import Any

import pygal
from pygal.style import CleanStyle

PROGRAMS = ("web", "worker", "clock", "postgres", "redis")
ROADS = {"sms": "by SMS", "app": "by app"}
SIZE = {"width": 900, "height": 420, "legend_at_bottom": True, "style": CleanStyle, "js": ()}
PAGE = '<!doctype html><meta charset="utf-8"><title>bench.flow</title><body style="max-width:60rem;margin:2rem auto">'


def write(figures: dict[str, Any], path: Path) -> None:
    """Into that file; the folder is there."""
    charts = (_cpu(figures), _times(figures))
    path.write_text(PAGE + "\n".join(chart.render(is_unicode=True, disable_xml_declaration=True) for chart in charts))


def _cpu(figures: dict[str, Any]) -> Any:
    """What each program uses for one verification; and what the web tier uses for one request, beside a bare view."""
    chart = pygal.StackedBar(title="CPU of one whole verification, and of one request to the web tier (ms)", **SIZE)
    steps = ("create", "confirm")
    chart.x_labels = [*ROADS.values(), *(f"{step}{who}" for step in steps for who in ("", ", bare view"))]
    for program in PROGRAMS:
        flows = [figures[road]["cpu_ms"][program] for road in ROADS]
        each = [figures[who][step]["web_cpu_ms"] for step in steps for who in ("ours", "bare")]
        chart.add(program, flows + (each if program == "web" else [None] * len(each)))
    return chart


def _times(figures: dict[str, Any]) -> Any:
    """Of one walker, whom nobody else delays."""
    chart = pygal.Bar(title="Time of each step, alone (ms)", **SIZE)
    steps = [(road, step) for road in ROADS for step in figures[road]["alone"]]
    chart.x_labels = [f"{step} ({road})" for road, step in steps]
    chart.x_label_rotation = 25
    for share in ("p50", "p99"):
        chart.add(share, [figures[road]["alone"][step][share] for road, step in steps])
    return chart
