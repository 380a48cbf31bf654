"""The examples of deployment, and the metrics that their queries name."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from tests.house.source import ROOT

PROMETHEUS = ROOT / "examples" / "deploy" / "prometheus"
RULES = PROMETHEUS / "rules.yml"
RULES_TEST = PROMETHEUS / "rules_test.yml"
DASHBOARD = ROOT / "examples" / "deploy" / "grafana" / "taskman-authz.json"


def rules() -> list[dict[str, Any]]:
    """Every rule."""
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def alerts() -> list[dict[str, Any]]:
    """The rules that tell somebody."""
    return [rule for rule in rules() if "alert" in rule]


def panels() -> list[dict[str, Any]]:
    """What the dashboard shows, without the titles of its rows."""
    return [
        panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"
    ]


def queries() -> list[str]:
    """Every query of the dashboard, with the variables of Grafana filled in."""
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    names = {"$__rate_interval": "5m", "$job": "taskman-authz", "$instance": ".*"}
    for name, value in names.items():
        found = [query.replace(name, value) for query in found]
    return found


def metrics_in(query: str) -> set[str]:
    """The metrics of ours that a query names; what rules record is none."""
    return set(re.findall(r"(?<![\w:])taskman_\w+(?![\w:])", query))
