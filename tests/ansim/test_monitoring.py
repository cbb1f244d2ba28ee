"""The alert rules and the dashboard (deploy/monitoring) ask for figures that are really told, in PromQL that parses."""

import json
import re

import promql_parser
import pytest
import yaml
from django.utils import timezone

from ansim import heartbeat, work
from ansim.celery import app
from ansim.demo.stack.environment import ROOT
from ansim.lib import metrics
from subscriptions import health
from subscriptions.models import Reconciliation

FOLDER = ROOT / "deploy" / "monitoring"
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
ASKED = [(rule["alert"], rule["expr"]) for rule in RULES] + [
    (f"panel-{number}", target["expr"]) for number, target in enumerate(TARGETS)
]
OUR_OWN = {"up"}  # Prometheus' own
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


@pytest.fixture
def told(db):
    """Every series there is, with its labels, also of what nobody has counted yet."""
    app.loader.import_default_modules()
    Reconciliation.objects.create(began_at=timezone.now(), ended_at=timezone.now())
    heartbeat.tick()
    found = {f"{metrics.PREFIX}database_up": set()}
    for gauge in health.gauges(health.standing()):
        found[metrics.PREFIX + gauge.name] = set(gauge.labels)
    assert work.TASK_SECONDS in metrics.declared
    for one in metrics.declared:
        (described,) = one.describe()
        for suffix in SUFFIXES[described.type]:
            found[described.name + suffix] = {*one._labelnames, *(("le",) if suffix == "_bucket" else ())}
    return found


def selectors(expression):
    """Each (name, labels it is chosen by) in there."""
    parts = re.findall(r"\b((?:ansim_\w+|up))\b(?:\{([^}]*)\})?", expression)
    return [(name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen))) for name, chosen in parts]


@pytest.mark.parametrize(("name", "expression"), ASKED, ids=[name for name, _ in ASKED])
def test_every_expression_parses_and_asks_for_what_is_told(told, name, expression):
    promql_parser.parse(expression)
    asked = selectors(expression)
    assert asked
    for series, chosen in asked:
        if series not in OUR_OWN:
            assert series in told, series
            assert chosen <= told[series], (series, chosen)
    kept = [set(re.findall(r"\w+", by)) for by in re.findall(r"\bby \(([^)]*)\)", expression)]
    known = set().union(*(told.get(series, {"instance"}) for series, _ in asked))
    assert set().union(*kept) <= known


def test_every_figure_is_drawn_or_alerted(told):
    asked = {family(name) for _, expression in ASKED for name, _ in selectors(expression)}
    assert {family(name) for name in told} - asked == set()


def family(series):
    return re.sub("_(bucket|sum|count|total)$", "", series)


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_it_means_how_urgent_it_is_and_where_what_to_do_stands(rule):
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert re.search("[가-힣]", rule["annotations"]["summary"])
    assert rule["annotations"]["summary_en"].isascii()
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^### (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in [slug(heading) for heading in headings], anchor


def slug(heading):
    """As GitHub and others make anchors of headings."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_labels_of_legends_are_labels_that_are_kept():
    for target in TARGETS:
        shown = set(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
        kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", target["expr"]))))
        assert shown <= kept, target["expr"]


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        taken |= cells


def test_prometheus_is_told_where_to_look():
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert config["rule_files"] == ["alerts.yml"]
    assert config["scrape_configs"][0]["metrics_path"] == "/metrics"
